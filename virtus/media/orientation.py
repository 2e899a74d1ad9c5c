"""What makes a picture upright, from what its file says of the camera's orientation."""

from __future__ import annotations

from itertools import islice

from PIL import Image

from virtus.media.containers import bare_exif, tiff_entries, tiff_value
from virtus.media.guards import MAX_PARTS

PACKED_EXIF = "Raw profile type exif"  # ImageMagick's, in a text of a PNG
MAX_PACKED_EXIF = 2 * 2**16 + 1024  # hexadecimal digits and line ends; EXIF in JPEG has at most 64 KiB
ORIENTATION = 0x0112  # of EXIF 2.32, section 4.6.5 A; the turns make upright what was stored so
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright_turn(image: Image.Image) -> Image.Transpose | None:
    """By EXIF, or by XMP where that says nothing; None if it is upright."""
    if len(image.info.get(PACKED_EXIF, "")) > MAX_PACKED_EXIF:  # compressed, so that its tags were not looked at
        del image.info[PACKED_EXIF]
    try:
        said = image.getexif().get(ORIENTATION)
    except Exception:  # damaged EXIF says nothing about the pixels, which were decoded already
        said = None
    exif = image.info.get("exif")
    if said is None and isinstance(exif, bytes):
        said = _orientation(exif)
    return TURNS.get(said or 1)


def _orientation(exif: bytes) -> int | None:
    """Pillow reads no tag behind one whose value lies outside: what editors leave that cut out a camera's notes."""
    tiff = bare_exif(exif)
    entry = next((entry for entry in islice(tiff_entries(tiff), MAX_PARTS) if entry.tag == ORIENTATION), None)
    if entry is None or (entry.kind, entry.count) != (3, 1):
        return None
    return int.from_bytes(tiff_value(tiff, entry, 2), "little" if tiff.startswith(b"I") else "big")
