"""HEIC files whose picture is laid out of one tile, again and again."""

from __future__ import annotations

import struct

from PIL import Image

from tests.corpus.whole import encoded

TILE, LAID_OUT = 1, 2  # numbers of the items


def laid_out(side: int, count: int, *, kind: bytes = b"grid", references: bytes | None = None) -> bytes:
    """A square picture made of `count` times the same square one, of the same size.

    Args:
        kind: `grid`, of 256 columns; or `iovl`, one over the other.
        references: the boxes that say so, if they shall say something else.
    """
    tile = encoded("HEIF", Image.new("RGB", (side, side), (9, 99, 199)), quality=1)
    top, meta = _boxes(tile), _boxes(_boxes(tile)[b"meta"][4:])
    parts = _boxes(meta[b"iprp"])
    properties = list(_boxes(parts[b"ipco"]))
    size = struct.pack(">HH", side, side)
    body = bytes((0, 0, 255, max(0, count // 256 - 1))) + size
    if kind == b"iovl":
        body = bytes(10) + size + bytes(4) * count
    own = bytes([len(properties), *(at | 0x80 * (name == b"hvcC") for at, name in enumerate(properties, start=1))])
    links = struct.pack(">IH", 2, TILE) + own + struct.pack(">HBB", LAID_OUT, 1, len(properties) + 1)
    whole = _full(b"ispe", struct.pack(">II", side, side))
    within = (
        _box(b"hdlr", meta[b"hdlr"]),
        _full(b"pitm", struct.pack(">H", LAID_OUT)),
        _full(b"iinf", struct.pack(">H", 2) + _item(TILE, b"hvc1") + _item(LAID_OUT, kind)),
        _box(b"iprp", _box(b"ipco", parts[b"ipco"] + whole) + _full(b"ipma", links)),
        _full(b"iref", references or reference(LAID_OUT, [TILE] * count)),
    )
    head = _box(b"ftyp", top[b"ftyp"])
    start = len(head) + len(_meta(within, 0, len(top[b"mdat"]), len(body))) + 8
    return head + _meta(within, start, len(top[b"mdat"]), len(body)) + _box(b"mdat", top[b"mdat"] + body)


def reference(item: int, made_of: list[int]) -> bytes:
    return _box(b"dimg", struct.pack(f">HH{len(made_of)}H", item, len(made_of), *made_of))


def _meta(within: tuple[bytes, ...], start: int, *lengths: int) -> bytes:
    places = zip((TILE, LAID_OUT), (start, start + lengths[0]), lengths, strict=True)
    located = b"".join(struct.pack(">HHHII", item, 0, 1, at, length) for item, at, length in places)
    return _full(b"meta", b"".join(within) + _full(b"iloc", b"\x44\0" + struct.pack(">H", 2) + located))


def _item(number: int, kind: bytes) -> bytes:
    return _full(b"infe", struct.pack(">HH", number, 0) + kind + b"\0", version=2)


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, body: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes((version, 0, 0, 0)) + body)


def _boxes(data: bytes) -> dict[bytes, bytes]:
    found, at = {}, 0
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        found[kind] = data[at + 8 : at + length]
        at += length
    return found
