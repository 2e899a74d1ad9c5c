"""How many pixels a HEIC or AVIF makes a decoder go through: a picture in it may be laid out of others many times.

A file of 3 kB whose grid names one tile of 9 million pixels 256 times took 39 s; it may name it 65,535 times. The boxes
are those of ISO/IEC 14496-12 and 23008-12: `iref` says what is made of what, `ipma` and `ipco` how large each item is.
"""

from __future__ import annotations

import contextlib
import math
import struct
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

MAX_LAID_OUT = 200_000_000  # pixels; a phone's photo is laid out once or twice, and so are its depth and brightness
MAX_META = 2**23  # bytes; phones write some 10 kB
UNKNOWN = 50_000_000  # pixels of an item that does not say its size
SINGLE = (b"meta", b"iref", b"iprp", b"ipco")  # of two, who knows which a decoder reads


def items_fit(data: bytes) -> bool:
    """Whether all pictures in the file together are laid out of no more than `MAX_LAID_OUT` pixels."""
    found = _boxes_within(data)
    if any(len(found[kind]) > 1 for kind in SINGLE) or any(len(meta) > MAX_META for meta in found[b"meta"]):
        return False
    made_of, areas, known = _made_of(found), _areas(found), {}
    try:
        return sum(_pixels(item, made_of, areas, known) for item in made_of) <= MAX_LAID_OUT
    except RecursionError:  # a thousand, each made of the next
        return False


def _pixels(item: int, made_of: Mapping[int, Counter], areas: Mapping[int, int], known: dict[int, float]) -> float:
    """Of an item and of all that it is made of; infinite, if it is made of itself."""
    if item not in known:
        known[item] = math.inf
        parts = made_of.get(item, {})
        below = sum(times * _pixels(part, made_of, areas, known) for part, times in parts.items())
        known[item] = below if parts else areas.get(item, UNKNOWN)
    return known[item]


def _boxes_within(data: bytes) -> dict[bytes, list[bytes]]:
    """Kind to bodies of the boxes that count here, wherever they may stand."""
    found: dict[bytes, list[bytes]] = defaultdict(list)
    for kind, body in _boxes(data):
        if kind == b"meta":
            found[kind].append(body)
    for kind, body in _boxes(next(iter(found[b"meta"]), b"")[4:][:MAX_META]):
        found[kind].append(body)
    for kind, body in _boxes(next(iter(found[b"iprp"]), b"")):
        found[kind].append(body)
    return found


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 16 if length == 1 else 8
        if head > len(data) - at:
            return
        length = struct.unpack_from(">Q", data, at + 8)[0] if length == 1 else length or len(data) - at
        yield kind, data[at + head : at + length]
        at += max(length, head)


def _made_of(found: Mapping[bytes, list[bytes]]) -> dict[int, Counter]:
    """Item to what it is laid out of, and how often; of what is cut off, what stands before the end."""
    made_of: dict[int, Counter] = defaultdict(Counter)
    for body in found.get(b"iref", ()):
        if len(body) < 4:
            continue
        form = ">I" if body[0] else ">H"
        size = struct.calcsize(form)
        for kind, reference in _boxes(body[4:]):
            if kind == b"dimg" and len(reference) >= size + 2:
                (item,), (count,) = struct.unpack_from(form, reference), struct.unpack_from(">H", reference, size)
                parts = reference[size + 2 : size + 2 + count * size]
                made_of[item].update(part for (part,) in struct.iter_unpack(form, parts[: len(parts) // size * size]))
    return made_of


def _areas(found: Mapping[bytes, list[bytes]]) -> dict[int, int]:
    """Item to its width times its height. Those that cannot be read are missing, and count as large."""
    properties = [one for body in found.get(b"ipco", ()) for one in _boxes(body)]
    sized = ((at, body) for at, (kind, body) in enumerate(properties, start=1) if kind == b"ispe")
    sizes = {at: math.prod(struct.unpack_from(">II", body, 4)) for at, body in sized if len(body) >= 12}
    areas: dict[int, int] = {}
    with contextlib.suppress(struct.error, IndexError):
        for body in found.get(b"ipma", ()):
            for item, properties_of in _associations(body):
                areas.update((item, sizes[one]) for one in properties_of if one in sizes)
    return areas


def _associations(body: bytes) -> Iterator[tuple[int, list[int]]]:
    """Item, and the numbers of its properties, counted from 1."""
    form, wide, at = ">I" if body[0] else ">H", body[3] & 1, 8
    for _ in range(struct.unpack_from(">I", body, 4)[0]):
        (item,), at = struct.unpack_from(form, body, at), at + struct.calcsize(form)
        count, at = body[at], at + 1
        named = struct.unpack_from(f">{count}{'H' if wide else 'B'}", body, at)
        at += count * (2 if wide else 1)
        yield item, [name & (0x7FFF if wide else 0x7F) for name in named]
