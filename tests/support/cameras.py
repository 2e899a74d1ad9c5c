"""EXIF as cameras and phones write it, byte by byte: each maker's notes with their own header, byte order, origin of
offsets, footer, and entries of kinds that no standard knows (ExifTool's MakerNotes.pm, Exiv2's makernote.html).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

BEFORE, WITHIN = "the EXIF's start", "the notes' own start"  # what a maker's offsets are counted from
HEADERS = {"<": b"II*\0", ">": b"MM\0*"}
NOISE = bytes((at * 197 + at // 7) % 256 for at in range(3000))  # what firmware keeps between the fields


@dataclass(frozen=True)
class Maker:
    """How one writes its notes.

    Attributes:
        order: of the EXIF's bytes; `notes_order` of the notes' own, if it is another.
        header: what stands before the directory; `HEADERS` may be part of it.
        origin: what offsets are counted from; `shift`, how far into the notes that lies.
        footer: a TIFF header behind the notes that says where they once began (Canon).
        whole: the notes, if they are no directory at all.
    """

    name: str
    model: str
    order: str = "<"
    header: bytes = b""
    notes_order: str = ""
    origin: str = BEFORE
    shift: int = 0
    footer: bool = False
    whole: bytes = b""


MAKERS = (
    Maker("Canon", "Canon EOS 1000D", footer=True),
    Maker("Canon", "Canon EOS R5m2", order=">", notes_order="<", footer=True),
    Maker("NIKON CORPORATION", "NIKON D850", header=b"Nikon\0\2\x11\0\0MM\0*\0\0\0\x08", notes_order=">",
          origin=WITHIN, shift=10),
    Maker("NIKON CORPORATION", "NIKON Z 6", order=">", header=b"Nikon\0\2\x11\0\0II*\0\x08\0\0\0", notes_order="<",
          origin=WITHIN, shift=10),
    Maker("NIKON", "E950", order=">", header=b"Nikon\0\1\0"),
    Maker("SONY", "ILCE-7M3", header=b"SONY DSC \0\0\0"),
    Maker("FUJIFILM", "X-T4", order=">", header=b"FUJIFILM\x0c\0\0\0", notes_order="<", origin=WITHIN),
    Maker("OLYMPUS CORPORATION", "E-M1MarkII", header=b"OLYMPUS\0II\3\0", origin=WITHIN),
    Maker("OLYMPUS OPTICAL CO.,LTD", "C2000Z", header=b"OLYMP\0\1\0"),
    Maker("OM Digital Solutions", "OM-1", header=b"OM SYSTEM\0\0\0II\4\0", origin=WITHIN),
    Maker("Panasonic", "DC-GH5", header=b"Panasonic\0\0\0"),
    Maker("LEICA CAMERA AG", "LEICA Q2", header=b"LEICA\0\0\0", origin=WITHIN),
    Maker("PENTAX Corporation", "PENTAX K10D", order=">", header=b"AOC\0MM"),
    Maker("RICOH IMAGING COMPANY, LTD.", "PENTAX K-1", order=">", header=b"PENTAX \0MM", origin=WITHIN),
    Maker("JK Imaging, Ltd.", "KODAK PIXPRO FZ201", header=b"MM\0*\0\0\0\x08", notes_order=">", origin=WITHIN),
    Maker("EASTMAN KODAK COMPANY", "KODAK CX7430", order=">", whole=b"KDK INFO" + NOISE[:700]),
    Maker("EASTMAN KODAK COMPANY", "KODAK Z1485", header=b"II*\0\x08\0\0\0", origin=WITHIN),
    Maker("Apple", "iPhone 15 Pro", order=">", header=b"Apple iOS\0\0\1MM", origin=WITHIN),
    Maker("samsung", "SM-S928B", origin=WITHIN),
    Maker("SAMSUNG", "NX300", header=b"", origin=WITHIN),
    Maker("Xiaomi", "23127PN0CC", whole=b'{"aec":"II*\0' + NOISE[:40] + b'","awb":"MM\0*' + NOISE[:2000] + b'"}'),
    Maker("Xiaomi", "M2012K11G", order=">", header=b"MM\0*\0\0\0\x08", origin=WITHIN),
    Maker("DJI", "FC3411"),
    Maker("DJI", "FC6310", whole=b"[ae_dbg_info:" + NOISE[:500] + b"II*\0" + NOISE[:200] + b"]"),
    Maker("Google", "Pixel 8 Pro", whole=b"HDRP\2" + NOISE[:2500]),
    Maker("CASIO COMPUTER CO.,LTD.", "EX-Z850", order=">", header=b"QVC\0\0\0"),
    Maker("SIGMA", "SIGMA fp", header=b"SIGMA\0\0\0\1\0"),
    Maker("Motorola", "XT2125", order=">", header=b"MOT\0\1\0", notes_order="<"),
)  # fmt: skip

Entry = tuple[int, int, int, bytes]  # tag, kind, count, values


def camera_exif(maker: Maker, *, orientation: int = 1) -> bytes:
    """The TIFF structure: the picture's directory, that of the EXIF with the notes, a place, a thumbnail behind."""
    order = maker.order
    pack = struct.pack
    first: list[Entry] = [
        (0x010F, 2, len(maker.name) + 1, maker.name.encode() + b"\0"),
        (0x0110, 2, len(maker.model) + 1, maker.model.encode() + b"\0"),
        (0x0112, 3, 1, pack(order + "H", orientation)),
        (0x011A, 5, 1, pack(order + "II", 72, 1)),
        (0x4746, 3, 1, pack(order + "H", 5)),  # Microsoft's rating
        (0x8769, 4, 1, b"EXIF"),
        (0x8825, 4, 1, b"GPS "),
        (0xC4A5, 7, 60, b"PrintIM\0" + bytes(52)),  # Epson's
        (0xEA1C, 7, 2060, bytes(2060)),  # Microsoft's padding
    ]
    thumbnail = _thumbnail()
    lengths = [2 + 12 * len(first) + 4 + sum(_padded(len(value)) for *_, value in first if len(value) > 4)]
    exif_at = 8 + lengths[0]
    exif = _directory(_exif_entries(maker, exif_at), exif_at, order)
    place_at = exif_at + len(exif)
    place = _directory([(0, 1, 4, b"\2\3\0\0"), (1, 2, 2, b"N\0"), (2, 5, 3, pack(order + "6I", *(9, 1) * 3))],
                       place_at, order)  # fmt: skip
    preview_at = place_at + len(place)
    first[5], first[6] = (0x8769, 4, 1, pack(order + "I", exif_at)), (0x8825, 4, 1, pack(order + "I", place_at))
    preview: list[Entry] = [(0x0103, 3, 1, pack(order + "H", 6)), (0x0201, 4, 1, b"at"), (0x0202, 4, 1, b"size")]
    picture_at = preview_at + 2 + 12 * len(preview) + 4
    preview[1:] = [(0x0201, 4, 1, pack(order + "I", picture_at)), (0x0202, 4, 1, pack(order + "I", len(thumbnail)))]
    whole = HEADERS[order] + pack(order + "I", 8) + _directory(first, 8, order, following=preview_at)
    return whole + exif + place + _directory(preview, preview_at, order) + thumbnail


def _exif_entries(maker: Maker, at: int) -> Sequence[Entry]:
    pack, order = struct.pack, maker.order
    entries: list[Entry] = [
        (0x829A, 5, 1, pack(order + "II", 1, 125)),
        (0x9000, 7, 4, b"0230"),
        (0x9003, 2, 20, b"2024:05:17 10:20:30\0"),
        (0x9204, 10, 1, pack(order + "ii", -1, 3)),
        (0x9286, 7, 264, bytes(264)),
        (0x927C, 7, 0, b""),
        (0x9999, 2, 60, b'{"mirror":false,"sensor_type":"rear"}'.ljust(60, b"\0")),  # Xiaomi's
        (0xA300, 7, 1, b"\3"),
        (0xA40B, 0, 2**31, b"\0\0\0\1"),  # of a kind that there is not
        (0xFE00, 14, 2**32 - 1, b"\xff\xff\xff\xff"),
    ]
    before = sum(_padded(len(value)) for *_, value in entries[:5] if len(value) > 4)
    notes = _notes(maker, at + 2 + 12 * len(entries) + 4 + before)
    entries[5] = (0x927C, 7, len(notes), notes)
    return entries


def _notes(maker: Maker, at: int) -> bytes:
    """What a maker keeps at `at`, counted from the EXIF's start."""
    if maker.whole:
        return maker.whole
    order = maker.notes_order or maker.order
    origin = len(maker.header) - maker.shift if maker.origin is WITHIN else at + len(maker.header)
    entries: list[Entry] = [
        (0x0001, 3, 47, struct.pack(order + "47H", *range(47))),
        (0x0003, 0, 0x4000_0000, b"\0\0\0\7"),
        (0x0004, 2, 24, b"Firmware Version 1.0.2\0\0"),
        (0x000D, 7, 1200, NOISE[:1200]),
        (0x0010, 4, 1, struct.pack(order + "I", 0x80000252)),
        (0x0098, 13, 1, struct.pack(order + "I", 0xFFFF_FFF0)),
        (0x00E0, 255, 0xFFFF_FFFF, b"\xff\xff\xff\xff"),
        (0x4001, 8, 700, NOISE[:1400]),
    ]
    notes = maker.header + _directory(entries, origin, order)
    return notes + (HEADERS[order] + struct.pack(order + "I", at) if maker.footer else b"")


def _directory(entries: Sequence[Entry], at: int, order: str, following: int = 0) -> bytes:
    """One whose offsets say that it lies at `at`, with its longer values behind it."""
    head, values = struct.pack(order + "H", len(entries)), b""
    behind = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        if len(value) > 4:
            head += struct.pack(order + "HHII", tag, kind, count, behind + len(values))
            values += value.ljust(_padded(len(value)), b"\0")
        else:
            head += struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0")
    return head + struct.pack(order + "I", following) + values


def _padded(length: int) -> int:
    return length + length % 2


def _thumbnail() -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((160, 120), 60).save(stream, "JPEG", quality=60)
    return stream.getvalue()
