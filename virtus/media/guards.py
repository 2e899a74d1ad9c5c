"""What a file may ask of a decoder, counted before one sees it: tags that claim too much, too many parts, too many
pixels laid out.

In the structure of TIFF and EXIF each tag says where its value lies, and all may name the same block: a file of 2 MB
can claim 60 GB. Pillow reads the values of all tags at once, makes an object of each number, and several of each tile.

A part costs its file a few bytes and a decoder much more. A scan of a progressive JPEG, of 36 bytes, goes over all
pixels: 20 ms for 50 million. Each block of a GIF's comment makes Pillow copy all before it: 64 MiB take 46 minutes.

A HEIC or AVIF may be laid out of other pictures in it many times. A file of 3 kB whose grid names one tile of 9 million
pixels 256 times took 39 s; it may name it 65,535 times.
"""

from __future__ import annotations

import contextlib
import math
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from virtus.media import containers
from virtus.media.containers import Part, boxes

MAX_ENTRIES = 500_000  # tags of all directories; those of a TIFF or of EXIF have at most 4 x 65,535
MAX_NUMBERS = 600_000  # in all tags: places and lengths of 16x16 tiles for 50 million pixels, and a table of colours
TEXTS = (1, 2, 6, 7)  # kinds of values that stay bytes, with no object for each
SPARE = 2**20  # bytes that tags may claim beyond twice the file: none that is honest shares so much

MAX_PARTS = 100_000  # segments, chunks, blocks, or bytes between them; a PNG of 64 MiB has some 8,000 chunks
MAX_SCANS = 200  # of a JPEG; programs write about 10
MAX_PROFILES = 8  # of a PNG, which may have one; Pillow unpacks each
MAX_COMMENT = 2**17  # bytes of a GIF's comments
MAX_HEAD = 4096  # bytes of a PNM before its pixels
PNM = re.compile(rb"P[0-7yf]")
PNM_COMMENT = re.compile(rb"#[^\r\n]*")

MAX_LAID_OUT = 200_000_000  # pixels; a phone's photo is laid out once or twice, and so are its depth and brightness
MAX_META = 2**23  # bytes; phones write some 10 kB
UNKNOWN = 50_000_000  # pixels of an item that does not say its size
SINGLE = (b"meta", b"iref", b"iprp", b"ipco")  # of two, who knows which a decoder reads


def tags_fit(data: bytes) -> bool:
    """Whether the tags that Pillow reads while it opens a file fit: of a TIFF, JPEG or AVIF. It reads those of other
    formats when it is asked for them, see `structure_fits`."""
    if data.startswith(tuple(containers.TIFF_HEADERS)):
        return structure_fits(data)
    mime = containers.mime_of(data)
    if mime == "image/jpeg":
        return all(map(structure_fits, containers.jpeg_structures(data)))
    return mime != "image/avif" or structure_fits(_exif_of_avif(data))


def structure_fits(tiff: bytes) -> bool:
    """Whether the tags of a TIFF structure claim about what it holds: those of the directories that Pillow reads. What
    looks like one elsewhere is none: a camera's own notes (MakerNote) have headers, offsets and kinds of values of
    their own, which nothing here reads."""
    tiff, claimed, numbers = containers.bare_exif(tiff), 0, 0
    for num_before, tag in enumerate(containers.tiff_entries(tiff)):
        num_bytes = tag.num_bytes  # 0 of an unknown kind, which Pillow passes over
        if tag.value + num_bytes <= len(tiff):  # else Pillow leaves it aside
            claimed += num_bytes
            numbers += 0 if tag.kind in TEXTS or not num_bytes else tag.count
        if num_before == MAX_ENTRIES or numbers > MAX_NUMBERS or claimed > 2 * len(tiff) + SPARE:
            return False
    return True


def _exif_of_avif(data: bytes) -> bytes:
    """The EXIF that Pillow's decoder finds, which only it can say for sure: it may lie anywhere, in pieces."""
    try:
        from PIL import _avif

        return _avif.AvifDecoder(data, "auto", 1).get_info()[4] or b""
    except Exception:  # whatever its C code meets: there is none, then, that Pillow reads
        return b""


def parts_fit(data: bytes) -> bool:
    """Whether the file has no more parts than a decoder may go through. Damaged files are left to the decoder."""
    fits = next((fits for start, fits in FITS.items() if data.startswith(start)), _pnm_fits)
    return fits(data)


def _jpeg_fits(data: bytes) -> bool:
    scans = 0
    for part, steps in _with_steps(containers.jpeg_segments(data)):
        scans += part.kind == containers.START_OF_SCAN
        if steps > MAX_PARTS or scans > MAX_SCANS:
            return False
        if part.kind == containers.END_OF_IMAGE and scans:
            return True
    return True


def _png_fits(data: bytes) -> bool:
    profiles = 0
    for num_before, chunk in enumerate(containers.png_chunks(data)):
        profiles += chunk.kind == b"iCCP"
        if num_before == MAX_PARTS or profiles > MAX_PROFILES:
            return False
    return True


def _gif_fits(data: bytes) -> bool:
    """Of what stands before the first picture."""
    commented = 0
    for part, steps in _with_steps(containers.gif_blocks(data)):
        commented += part.end - part.start if part.kind == containers.GIF_COMMENT else 0
        if steps > MAX_PARTS or commented > MAX_COMMENT:
            return False
    return True


def _with_steps(parts: Iterable[Part]) -> Iterator[tuple[Part, int]]:
    """Each part and how many steps Pillow takes up to it: one a part, and one for each byte between two."""
    steps = end = 0
    for part in parts:
        steps += part.at - end + 1
        end = part.end
        yield part, steps


def _pnm_fits(data: bytes) -> bool:
    """Pillow reads the head byte by byte; where the pixels are text, each comment costs a copy of 1 MiB."""
    if not PNM.match(data):
        return True
    if data[1:2] in (b"1", b"2", b"3"):
        return False
    words = PNM_COMMENT.sub(b"", data[:MAX_HEAD]).split()
    return len(data) <= MAX_HEAD or len(words) >= (3 if data[1:2] == b"4" else 4)


FITS = {b"\xff\xd8": _jpeg_fits, containers.PNG: _png_fits, b"GIF8": _gif_fits}


def items_fit(data: bytes) -> bool:
    """Whether all pictures in a HEIC or AVIF together are laid out of no more than `MAX_LAID_OUT` pixels; so is what is
    neither."""
    if data[4:8] != b"ftyp":
        return True
    bodies = {b"meta": [data[box.start : box.end] for box in boxes(data) if box.kind == b"meta"]}
    if any(len(meta) > MAX_META for meta in bodies[b"meta"]):
        return False
    for outer, at in ((b"meta", 4), (b"iprp", 0)):
        for body in bodies.get(outer, [])[:1]:
            for box in boxes(body, at):
                bodies.setdefault(box.kind, []).append(body[box.start : box.end])
    if any(len(bodies.get(kind, ())) > 1 for kind in SINGLE):
        return False
    made_of, areas, known = _made_of(bodies.get(b"iref", ())), _areas(bodies), {}
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


def _made_of(references: Sequence[bytes]) -> dict[int, Counter]:
    """Item to what it is laid out of, and how often, from the bodies of `iref`; of what is cut off, what stands before
    the end. ISO/IEC 23008-12 says what is derived from what by `dimg`."""
    made_of: dict[int, Counter] = defaultdict(Counter)
    for body in references:
        form = ">I" if body[:1] > b"\0" else ">H"
        size = struct.calcsize(form)
        for box in boxes(body, 4):
            reference = body[box.start : box.end]
            if box.kind == b"dimg" and len(reference) >= size + 2:
                (item,), (count,) = struct.unpack_from(form, reference), struct.unpack_from(">H", reference, size)
                parts = reference[size + 2 : size + 2 + count * size]
                made_of[item].update(part for (part,) in struct.iter_unpack(form, parts[: len(parts) // size * size]))
    return made_of


def _areas(bodies: Mapping[bytes, Sequence[bytes]]) -> dict[int, int]:
    """Item to its width times its height, from `ipco` and `ipma`. Those that cannot be read are missing, and count as
    large."""
    properties = [(box.kind, body[box.start : box.end]) for body in bodies.get(b"ipco", ()) for box in boxes(body)]
    sized = ((at, body) for at, (kind, body) in enumerate(properties, start=1) if kind == b"ispe")
    sizes = {at: math.prod(struct.unpack_from(">II", body, 4)) for at, body in sized if len(body) >= 12}
    areas: dict[int, int] = {}
    with contextlib.suppress(struct.error, IndexError):
        for body in bodies.get(b"ipma", ()):
            for item, numbers in _associations(body):
                areas.update((item, sizes[number]) for number in numbers if number in sizes)
    return areas


def _associations(body: bytes) -> Iterator[tuple[int, list[int]]]:
    """Item, and the numbers of its properties, counted from 1."""
    form, wide, at = ">I" if body[0] else ">H", body[3] & 1, 8
    for _ in range(struct.unpack_from(">I", body, 4)[0]):
        (item,), at = struct.unpack_from(form, body, at), at + struct.calcsize(form)
        count, at = body[at], at + 1
        numbers = struct.unpack_from(f">{count}{'H' if wide else 'B'}", body, at)
        at += count * (2 if wide else 1)
        yield item, [number & (0x7FFF if wide else 0x7F) for number in numbers]
