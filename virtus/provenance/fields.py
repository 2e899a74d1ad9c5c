"""The parts of a picture file that say where it comes from. Pixels are never decoded, and damaged files give what
stands before the damage."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from virtus.media import tags_fit
from virtus.provenance.findings import decoded

MAX_TEXT = 2**20  # bytes of one text or packet, unpacked: a compressed chunk of 1 MB may hold 1 GB
MAX_TEXTS = 32
MAX_PACKETS = 4
MAX_PARTS = 100_000  # segments, chunks or boxes; a PNG of 64 MiB in libpng's 8 KiB chunks has some 8,000

PNG = b"\x89PNG\r\n\x1a\n"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
EXTENDED_XMP_HEAD = len(EXTENDED_XMP) + 40  # digest, full length, offset
C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


@dataclass(frozen=True)
class Text:
    """A text of the file: where it stands ("PNG text"), under which keyword, and what it says."""

    where: str
    keyword: str
    text: str


@dataclass
class Parts:
    """What was found in a file.

    Attributes:
        mime: the kind of file by its first bytes; empty for what is none that is known here.
        exif: the TIFF structure of the EXIF, or the file itself where that is a TIFF; empty if there is none.
        xmp: packets, as bytes of XML.
        texts: named texts.
        credentials: whether a C2PA manifest is embedded.
    """

    mime: str = ""
    exif: bytes = b""
    xmp: list[bytes] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    credentials: bool = False


def read_parts(data: bytes) -> Parts:
    """Take the file apart, as far as it can be."""
    parts = Parts(mime_of(data))
    reader = READERS.get(parts.mime)
    if reader:
        with contextlib.suppress(Exception):  # of a damaged file, what stands before the damage was kept
            reader(data, parts)
    parts.exif = parts.exif.removeprefix(b"Exif\0\0")
    parts.xmp = [packet[:MAX_TEXT] for packet in parts.xmp[:MAX_PACKETS]]
    return parts


def mime_of(data: bytes) -> str:
    """The MIME type by the first bytes, empty if it is none of those that are read."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(PNG):
        return "image/png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith((b"II*\0", b"MM\0*")):
        return "image/tiff"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[4:8] == b"ftyp":
        return "image/avif" if data[8:12] in (b"avif", b"avis") else "image/heic"
    return ""


def _read_jpeg(data: bytes, parts: Parts) -> None:
    extended = []
    for marker, body in _segments(data):
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            parts.exif = parts.exif or body
        elif marker == 0xE1 and body.startswith(XMP):
            parts.xmp.append(body[len(XMP) :])
        elif marker == 0xE1 and body.startswith(EXTENDED_XMP):
            extended.append(body[EXTENDED_XMP_HEAD:])
        elif marker == 0xEB and body.startswith(b"JP") and b"jumb" in body[:24] and b"c2pa" in body[:64]:
            parts.credentials = True
        elif marker == 0xFE and len(parts.texts) < MAX_TEXTS:
            parts.texts.append(Text("JPEG comment", "", decoded(body)))
    if extended:
        parts.xmp.append(b"".join(extended))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each segment that stands before the pixels."""
    at = 2
    for _ in range(MAX_PARTS):
        lead, marker, length = struct.unpack_from(">BBH", data, at)
        if lead != 0xFF or marker in (0xD9, 0xDA):
            return
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + max(length, 2)


def _read_png(data: bytes, parts: Parts) -> None:
    for kind, body in _chunks(data, len(PNG), ">I4s", padding=4):
        if kind == b"eXIf":
            parts.exif = parts.exif or body
        elif kind == b"caBX":
            parts.credentials = True
        elif kind in PNG_TEXTS and len(parts.texts) + len(parts.xmp) < MAX_TEXTS:
            with contextlib.suppress(IndexError, ValueError):  # this chunk is damaged: on with the next
                _keep_png_text(*PNG_TEXTS[kind](body), parts)


def _chunks(data: bytes, at: int, head: str, *, padding: int = 0, even: bool = False) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each chunk. `head` unpacks to (length, kind) or, for RIFF, (kind, length)."""
    for _ in range(MAX_PARTS):
        first, second = struct.unpack_from(head, data, at)
        kind, length = (first, second) if isinstance(first, bytes) else (second, first)
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + padding + (length % 2 if even else 0)


def _plain_text(body: bytes) -> tuple[str, bytes]:
    keyword, _, text = body.partition(b"\0")
    return decoded(keyword), text


def _packed_text(body: bytes) -> tuple[str, bytes]:
    keyword, _, packed = body.partition(b"\0")
    return decoded(keyword), _unpacked(packed[1:])


def _international_text(body: bytes) -> tuple[str, bytes]:
    keyword, _, rest = body.partition(b"\0")
    text = rest[2:].split(b"\0", 2)[2]  # after the language and the translated keyword
    return decoded(keyword), _unpacked(text) if rest[:1] == b"\1" else text


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, MAX_TEXT)
    except zlib.error:
        return b""


PNG_TEXTS = {b"tEXt": _plain_text, b"zTXt": _packed_text, b"iTXt": _international_text}


def _keep_png_text(keyword: str, text: bytes, parts: Parts) -> None:
    """ImageMagick keeps the EXIF and XMP of other formats as hexadecimal digits, under keywords of its own."""
    profile = keyword.removeprefix("Raw profile type ")
    if keyword == "XML:com.adobe.xmp":
        parts.xmp.append(text)
    elif profile in ("exif", "APP1", "xmp") and profile != keyword:
        raw = bytes.fromhex(b"".join(text[:MAX_TEXT].split()[2:]).decode("ascii"))  # after the name and the length
        if raw.startswith(b"Exif\0\0"):
            parts.exif = parts.exif or raw
        else:
            parts.xmp.append(raw.removeprefix(XMP))
    else:
        parts.texts.append(Text("PNG text", keyword, decoded(text[:MAX_TEXT])))


def _read_webp(data: bytes, parts: Parts) -> None:
    for kind, body in _chunks(data, 12, "<4sI", even=True):
        if kind == b"EXIF":
            parts.exif = parts.exif or body
        elif kind == b"XMP ":
            parts.xmp.append(body)
        elif kind == b"C2PA":
            parts.credentials = True


def _read_tiff(data: bytes, parts: Parts) -> None:
    parts.exif = data  # XMP and credentials are tags of it


def _read_gif(data: bytes, parts: Parts) -> None:
    parts.credentials = b"\x21\xff\x0bC2PA_GIF" in data
    _, found, packet = data.partition(b"\x21\xff\x0bXMP DataXMP")
    if found:
        parts.xmp.append(packet[:MAX_TEXT].partition(b"\x01\xff\xfe")[0])  # where the trailer begins


def _read_boxes(data: bytes, parts: Parts) -> None:
    """HEIC and AVIF: credentials are a box of their own; for EXIF and XMP, which lie anywhere, Pillow is asked."""
    from PIL import Image

    from virtus.media import register_formats

    parts.credentials = any(kind == b"uuid" and body == C2PA_UUID for kind, body in _boxes(data))
    if not tags_fit(data):
        return
    register_formats()
    with Image.open(io.BytesIO(data), formats=("AVIF", "HEIF")) as image:
        parts.exif = image.info.get("exif") or b""
        parts.xmp.append(image.info.get("xmp") or b"")


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and first 16 bytes of each box at the top of the file."""
    at = 0
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 16 if length == 1 else 8
        length = struct.unpack_from(">Q", data, at + 8)[0] if length == 1 else length or len(data) - at
        yield kind, data[at + head : at + head + 16]
        at += max(length, head)


READERS = {
    "image/jpeg": _read_jpeg,
    "image/png": _read_png,
    "image/webp": _read_webp,
    "image/tiff": _read_tiff,
    "image/gif": _read_gif,
    "image/heic": _read_boxes,
    "image/avif": _read_boxes,
}
