"""The few EXIF tags that tell of cameras and programs.

Read by hand, so that nothing else is: not the place, not serial numbers, not names of people; and so that a hostile
file cannot have one block of it copied for each of 65,535 tags.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping

from virtus.provenance.fields import MAX_TEXT, Text
from virtus.provenance.findings import decoded

DESCRIPTION, MAKE, MODEL, SOFTWARE, XMP_PACKET, EXIF_IFD = 0x010E, 0x010F, 0x0110, 0x0131, 0x02BC, 0x8769
TAKEN, USER_COMMENT = 0x9003, 0x9286
CREDENTIALS = 0xCD41
WANTED = frozenset((DESCRIPTION, MAKE, MODEL, SOFTWARE, XMP_PACKET, EXIF_IFD, TAKEN, USER_COMMENT, CREDENTIALS))
SIZES = {1: 1, 2: 1, 4: 4, 7: 1, 13: 4}  # bytes, ASCII, long, undefined, pointer: of one value of each type


def read_tags(tiff: bytes) -> dict[int, bytes]:
    """The raw values of the wanted tags of the first picture and of its EXIF part, each cut to `MAX_TEXT` bytes.

    A damaged structure gives those that can be read. Not for BigTIFF.
    """
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return {}
    tags = _directory(tiff, order, tiff[4:8])
    return _directory(tiff, order, tags.get(EXIF_IFD, b"")) | tags


def _directory(tiff: bytes, order: str, pointer: bytes) -> dict[int, bytes]:
    tags = {}
    try:
        (at,) = struct.unpack(order + "I", pointer)
        (count,) = struct.unpack_from(order + "H", tiff, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, number = struct.unpack_from(order + "HHI", tiff, entry)
            if tag in WANTED and kind in SIZES and tag not in tags:  # the first one: a copy for each would take long
                tags[tag] = _value(tiff, order, entry + 8, SIZES[kind] * number)
    except struct.error:
        pass
    return tags


def _value(tiff: bytes, order: str, at: int, size: int) -> bytes:
    if size > 4:
        (at,) = struct.unpack_from(order + "I", tiff, at)
    return tiff[at : at + min(size, MAX_TEXT)]


def exif_texts(tags: Mapping[int, bytes]) -> Iterator[Text]:
    """Texts that image generators write into tags meant for something else."""
    for name, tag in (("Make", MAKE), ("Model", MODEL), ("Description", DESCRIPTION), ("Software", SOFTWARE)):
        if text := text_of(tags, tag):
            yield _keyed(name, text)
    if comment := _comment(tags.get(USER_COMMENT, b"")):
        yield Text("EXIF UserComment", "UserComment", comment)


def text_of(tags: Mapping[int, bytes], tag: int) -> str:
    """A tag's text up to its end mark, empty if there is none."""
    return decoded(tags.get(tag, b"").partition(b"\0")[0]).strip()


def _keyed(name: str, text: str) -> Text:
    """ComfyUI writes `workflow:{...}` and `prompt:{...}` into Make and Model."""
    keyword = re.match(r"(prompt|workflow|parameters)\s*:\s*(?=\{)", text, re.IGNORECASE)
    where = "EXIF ImageDescription" if name == "Description" else f"EXIF {name}"
    return Text(where, keyword[1].lower(), text[keyword.end() :]) if keyword else Text(where, name, text)


def _comment(raw: bytes) -> str:
    """A comment begins with 8 bytes that name its code; programs do not agree on the byte order of Unicode."""
    code, text = raw[:8], raw[8:]
    if code == b"UNICODE\0":
        big = text[::2].count(0) > text[1::2].count(0)  # most letters are Latin: their high byte is 0
        return text.decode("utf-16-be" if big else "utf-16-le", "replace").strip("\0 ")
    return decoded(text if code in (b"ASCII\0\0\0", b"\0" * 8) else raw).strip("\0 ")
