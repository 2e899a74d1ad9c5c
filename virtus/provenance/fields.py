"""The fields of a picture file that tell where it comes from: its texts, a few EXIF tags, a few XMP properties.

Nothing else is read: not the place, not serial numbers, not names of people. Pixels are never decoded, and damaged
files give what stands before the damage.
"""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, takewhile
from xml.etree.ElementTree import ParseError, XMLParser

from virtus.media import MAX_PARTS, gif_application, mime_of, open_image, parts_of, tiff_entries, tiff_value
from virtus.provenance.findings import clean

MAX_TEXT = 2**20  # bytes of one text or packet, unpacked: a compressed chunk of 1 MB may hold 1 GB
MAX_TEXTS = 32
MAX_PACKETS = 4

EXIF_TAGS = {
    0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software", 0x02BC: "XMLPacket",
    0x9003: "DateTimeOriginal", 0x9286: "UserComment", 0xCD41: "C2PA",
}  # fmt: skip
BYTES_OR_TEXT = (1, 2, 7)  # kinds of values: bytes, ASCII, undefined
JPEG_PIXELS = (b"\xda", b"\xd9")  # they begin, or the picture is over
EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
EXTENDED_XMP_HEAD = len(EXTENDED_XMP) + 40  # digest, full length, offset
C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
PROPERTY_DEPTH = 2  # elements above a property: rdf:RDF and rdf:Description
XMP_PROPERTIES = {
    f"{{{namespace}}}{name}": f"{prefix}:{name}"
    for prefix, namespace, *names in (
        ("Iptc4xmpExt", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "DigitalSourceType", "AISystemUsed",
         "AISystemVersionUsed", "AIPromptInformation"),
        ("xmp", "http://ns.adobe.com/xap/1.0/", "CreatorTool"),
        ("photoshop", "http://ns.adobe.com/photoshop/1.0/", "Credit"),
        ("tiff", "http://ns.adobe.com/tiff/1.0/", "Make", "Model"),
        ("exif", "http://ns.adobe.com/exif/1.0/", "UserComment"),
        ("dc", "http://purl.org/dc/elements/1.1/", "description"),
        ("dcterms", "http://purl.org/dc/terms/", "provenance"),
        ("TC260", "http://www.tc260.org.cn/ns/AIGC/1.0/", "AIGC"),
    )
    for name in names
}  # fmt: skip
XMP_TEXTS = ("TC260:AIGC", "exif:UserComment", "dc:description")  # where generators write


@dataclass(frozen=True)
class NamedText:
    """A text of a file: where it stands ("PNG text"), under which keyword, and what it says."""

    where: str
    keyword: str
    text: str

    @property
    def location(self) -> str:
        """Where it stands, with its keyword if that is not named there already."""
        keyword = clean(self.keyword, 40)
        return f"{self.where} “{keyword}”" if keyword and not self.where.endswith(keyword) else self.where


@dataclass
class Fields:
    """What a file says of itself, as it says it.

    Attributes:
        mime: the kind of file by its first bytes; empty for what is none that is known here.
        exif: the TIFF structure of the EXIF, or the file itself where that is a TIFF; empty if there is none.
        packets: of XMP, as bytes of XML.
        texts: named texts, wherever they stand.
        tags: raw values of EXIF tags by their names, see `EXIF_TAGS`.
        properties: those of XMP by their names, see `XMP_PROPERTIES`.
        credentials: whether a C2PA manifest is embedded.
    """

    mime: str = ""
    exif: bytes = b""
    packets: list[bytes] = field(default_factory=list)
    texts: list[NamedText] = field(default_factory=list)
    tags: dict[str, bytes] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    credentials: bool = False

    def tag(self, name: str) -> str:
        """An EXIF tag's text up to its end mark, empty if there is none."""
        return _decoded(self.tags.get(name, b"").partition(b"\0")[0]).strip()


def read_fields(data: bytes) -> Fields:
    """Take the file apart, as far as it can be."""
    fields = Fields(mime_of(data))
    fields.exif = data if fields.mime == "image/tiff" else b""  # its XMP and credentials are tags
    if reader := READERS.get(fields.mime):
        with contextlib.suppress(Exception):  # of a damaged file, what stands before the damage was kept
            reader(data, fields)
    fields.tags = read_tags(fields.exif.removeprefix(EXIF))
    fields.credentials |= fields.mime == "image/tiff" and "C2PA" in fields.tags
    for packet in (*fields.packets[:MAX_PACKETS], fields.tags.get("XMLPacket", b"")):
        fields.properties = read_properties(packet[:MAX_TEXT]) | fields.properties
    fields.texts += [*_exif_texts(fields), *_xmp_texts(fields.properties)]
    return fields


def _bodies(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    return ((part.kind, data[part.start : part.end]) for part in islice(parts_of(data), MAX_PARTS))


def _read_jpeg(data: bytes, fields: Fields) -> None:
    extended = []
    for marker, body in takewhile(lambda segment: segment[0] not in JPEG_PIXELS, _bodies(data)):
        if marker == b"\xe1" and body.startswith(EXIF):
            fields.exif = fields.exif or body
        elif marker == b"\xe1" and body.startswith(XMP):
            fields.packets.append(body[len(XMP) :])
        elif marker == b"\xe1" and body.startswith(EXTENDED_XMP):
            extended.append(body[EXTENDED_XMP_HEAD:])
        elif marker == b"\xeb" and body.startswith(b"JP") and b"jumb" in body[:24] and b"c2pa" in body[:64]:
            fields.credentials = True
        elif marker == b"\xfe" and len(fields.texts) < MAX_TEXTS:
            fields.texts.append(NamedText("JPEG comment", "", _decoded(body)))
    if extended:
        fields.packets.append(b"".join(extended))


def _read_chunks(data: bytes, fields: Fields) -> None:
    """PNG and WebP, whose chunks have no name in common."""
    for kind, body in _bodies(data):
        if kind in (b"eXIf", b"EXIF"):
            fields.exif = fields.exif or body
        elif kind in (b"caBX", b"C2PA"):
            fields.credentials = True
        elif kind == b"XMP ":
            fields.packets.append(body)
        elif kind in (b"tEXt", b"zTXt", b"iTXt") and len(fields.texts) + len(fields.packets) < MAX_TEXTS:
            with contextlib.suppress(IndexError, ValueError):  # this chunk is damaged: on with the next
                _keep_png_text(*_png_text(kind, body), fields)


def _png_text(kind: bytes, body: bytes) -> tuple[str, bytes]:
    """Keyword and text (ISO/IEC 15948, section 11.3.4)."""
    keyword, _, text = body.partition(b"\0")
    packed = kind == b"zTXt" or (kind == b"iTXt" and text[:1] == b"\1")
    if kind != b"tEXt":
        text = text[1:] if kind == b"zTXt" else text[2:].split(b"\0", 2)[2]  # after language and translated keyword
    return _decoded(keyword), _unpacked(text) if packed else text[:MAX_TEXT]


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, MAX_TEXT)
    except zlib.error:
        return b""


def _keep_png_text(keyword: str, text: bytes, fields: Fields) -> None:
    """ImageMagick keeps the EXIF and XMP of other formats as hexadecimal digits, under keywords of its own."""
    if keyword == "XML:com.adobe.xmp":
        fields.packets.append(text)
    elif keyword in ("Raw profile type exif", "Raw profile type APP1", "Raw profile type xmp"):
        raw = bytes.fromhex(b"".join(text.split()[2:]).decode("ascii"))  # after the name and the length
        if raw.startswith(EXIF):
            fields.exif = fields.exif or raw
        else:
            fields.packets.append(raw.removeprefix(XMP))
    else:
        fields.texts.append(NamedText("PNG text", keyword, _decoded(text)))


def _read_gif(data: bytes, fields: Fields) -> None:
    fields.credentials = gif_application(data, b"C2PA_GIF") is not None
    if (at := gif_application(data, b"XMP DataXMP")) is not None:
        fields.packets.append(data[at : at + MAX_TEXT].partition(b"\x01\xff\xfe")[0])  # where the trailer begins


def _read_heif(data: bytes, fields: Fields) -> None:
    """HEIC and AVIF: credentials are a box of their own; for EXIF and XMP, which lie anywhere, Pillow is asked."""
    fields.credentials = any(kind == b"uuid" and body.startswith(C2PA_UUID) for kind, body in _bodies(data))
    with open_image(data) as image:
        fields.exif = image.info.get("exif") or b""
        fields.packets.append(image.info.get("xmp") or b"")


READERS = {
    "image/jpeg": _read_jpeg,
    "image/png": _read_chunks,
    "image/webp": _read_chunks,
    "image/gif": _read_gif,
    "image/heic": _read_heif,
    "image/avif": _read_heif,
}


def read_tags(tiff: bytes) -> dict[str, bytes]:
    """The raw values of the wanted tags of the first picture and of its EXIF part, each cut to `MAX_TEXT` bytes.

    A damaged structure gives those that can be read.
    """
    tags = {}
    for entry in islice(tiff_entries(tiff), MAX_PARTS):
        name = EXIF_TAGS.get(entry.tag)
        if name and entry.kind in BYTES_OR_TEXT and name not in tags:  # the first one: a copy for each would take long
            tags[name] = tiff_value(tiff, entry, MAX_TEXT)
    return tags


def _exif_texts(fields: Fields) -> Iterator[NamedText]:
    """Texts that image generators write into tags meant for something else: ComfyUI writes `workflow:{...}` and
    `prompt:{...}` into Make and Model."""
    for name in ("Make", "Model", "ImageDescription", "Software"):
        if text := fields.tag(name):
            key = re.match(r"(prompt|workflow|parameters)\s*:\s*(?=\{)", text, re.IGNORECASE)
            keyword = key[1].lower() if key else name.removeprefix("Image")
            yield NamedText(f"EXIF {name}", keyword, text[key.end() :] if key else text)
    if comment := _comment(fields.tags.get("UserComment", b"")):
        yield NamedText("EXIF UserComment", "UserComment", comment)


def _comment(raw: bytes) -> str:
    """A comment begins with 8 bytes that name its code; programs do not agree on the byte order of Unicode."""
    code, text = raw[:8], raw[8:]
    if code == b"UNICODE\0":
        big = text[::2].count(0) > text[1::2].count(0)  # most letters are Latin: their high byte is 0
        return text.decode("utf-16-be" if big else "utf-16-le", "replace").strip("\0 ")
    return _decoded(text if code in (b"ASCII\0\0\0", b"\0" * 8) else raw).strip("\0 ")


def _xmp_texts(properties: Mapping[str, str]) -> Iterator[NamedText]:
    for name in XMP_TEXTS:
        if name in properties:
            yield NamedText(f"XMP {name}", name.partition(":")[2], properties[name])


def read_properties(packet: bytes) -> dict[str, str]:
    """The wanted properties of an XMP packet; of a damaged one, those before the damage.

    Only the picture's own are taken: not those of other pictures that a packet describes in passing. A document type
    ends the reading, so that there are no entities to expand.
    """
    target = _Properties()
    parser = XMLParser(target=target)
    with contextlib.suppress(ParseError, ValueError, LookupError, _DocumentTypeError):
        parser.feed(packet.rstrip(b"\0"))
        parser.close()
    return {name: "".join(texts).strip() for name, texts in target.texts.items()}


class _DocumentTypeError(Exception):
    """XMP has none."""


class _Properties:
    """What the parser calls: elements are names in a stack, text is kept under a wanted one."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []  # from rdf:RDF on

    def doctype(self, *_declaration: str | None) -> None:
        raise _DocumentTypeError

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if not self.open and tag != f"{RDF}RDF":
            return
        self.open.append(tag)
        if self.open[1:PROPERTY_DEPTH] != [f"{RDF}Description"]:
            return
        if len(self.open) == PROPERTY_DEPTH:
            self.texts |= {XMP_PROPERTIES[key]: [text] for key, text in attributes.items() if key in XMP_PROPERTIES}
        elif len(self.open) == PROPERTY_DEPTH + 1 and tag in XMP_PROPERTIES:
            self.texts.setdefault(XMP_PROPERTIES[tag], []).append(attributes.get(f"{RDF}resource", ""))

    def end(self, _tag: str) -> None:
        if self.open:
            self.open.pop()

    def data(self, text: str) -> None:
        if len(self.open) > PROPERTY_DEPTH and (name := XMP_PROPERTIES.get(self.open[PROPERTY_DEPTH])) in self.texts:
            self.texts[name].append(text)


def _decoded(data: bytes) -> str:
    """UTF-8, and where it is none, Latin-1, which takes all bytes."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
