"""Any source to one upright RGB picture of 8 bits, or an `ImageError` that says what is wrong and what to do."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import io
import math
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from PIL import Image, PngImagePlugin
from PIL.JpegImagePlugin import JpegImageFile

from virtus.errors import ImageError
from virtus.media.animations import Animation, animation_of, count_frames
from virtus.media.color import CODES, to_srgb
from virtus.media.containers import color_codes
from virtus.media.guards import items_fit, parts_fit, structure_fits, tags_fit
from virtus.media.kinds import NUM_FIRST_BYTES, FileKind, kind_of_bytes, read_first_bytes
from virtus.media.large import LargePhoto, jpeg_parts, most_pixels
from virtus.media.modes import from_array, to_rgb
from virtus.media.orientation import upright_turn
from virtus.media.truncated import READABLE, load_rows

MAX_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 50_000_000  # that are decoded to RGB at once
MAX_JPEG_PIXELS = 120_000_000  # as a `LargePhoto`, which takes no more memory
MIN_SIDE = 32
MAX_CONVERTED = 2_000_000  # pixels that are made sRGB, or turned, at once: of more, only those that are asked for
# Only these decoders are ever tried: Pillow also knows formats that start other programs (EPS).
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "BMP", "DIB", "TIFF", "GIF", "PPM")
SUPPORTED = "JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF"

MAX_UNPACKED = 2**22  # bytes of one packed text or profile of a PNG; Pillow refuses the picture for one of 1 MiB
# Pillow decodes these in Python, at a million pixels a second, while no other thread of the server runs.
SLOW_DECODERS = ("bmp_rle", "ppm")
MAX_SLOW_PIXELS = 4_000_000
STANDARD_LUMINANCE_SUM = 3688  # of the JPEG standard's table K.1, which is what libraries use at quality 50

GREEDY_TAGS = "The file's tags (EXIF) claim far more than it holds: it is damaged. Save it anew."

ImageSource = str | os.PathLike | bytes | BinaryIO | Image.Image | np.ndarray


def load_image(
    source: ImageSource, *, max_pixels: int = MAX_JPEG_PIXELS, max_bytes: int = MAX_BYTES, min_side: int = MIN_SIDE
) -> Image.Image:
    """Read a picture and make it upright RGB.

    Args:
        source: a path, the bytes of a file, a binary file object (read from its start), a PIL image, or an array of
            shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); uint8, uint16, bool, or floating with values in [0, 1].
        max_pixels: larger pictures are refused from their header, before decoding; those of more than `MAX_PIXELS`
            too, unless they are JPEGs that fit as a `LargePhoto`: see `most_pixels`.
        max_bytes: larger files are refused before reading.
        min_side: shorter pictures (in pixels, either side) are refused.

    Returns:
        RGB, a copy. EXIF orientation is applied, transparency lies over white, the first frame of an animation is
        taken, colours are brought to sRGB, 16 bits scaled to 8. Of a JPEG that is cut off, the rows that are whole,
        if two thirds are, with `info["readable_share"]`; and of any, `info["jpeg_quality"]` is what `jpeg_quality`
        says of it. Of an animation, `info["num_frames"]` is how many it has. Nothing else that the file says of
        itself is kept.

    Raises:
        ImageError: for anything that is not a usable picture.
    """
    if isinstance(source, (Image.Image, np.ndarray)):
        image, data = from_array(source) if isinstance(source, np.ndarray) else _first_frame(source), None
    else:
        data = _read(source, max_bytes)
        image = open_image(data)
    large = data if math.prod(image.size) > MAX_PIXELS else None
    readable = MAX_PIXELS if large is None else min(MAX_JPEG_PIXELS, max(MAX_PIXELS, most_pixels(image)))
    _check_size(image.size, min(max_pixels, readable), min_side, mend=max_pixels > readable)
    _check_decoder(image, max_pixels)
    quality = jpeg_quality(image)
    with _decoding():
        loaded = _decode(image, ours=data is not None) if large is None else _decode_large(image, large)
    _check_size(loaded.size, max_pixels, min_side)  # of one that is cut off less is left
    loaded.info |= {} if quality is None else {"jpeg_quality": quality}
    if data is not None and count_frames(image, data) > 1 and (animation := animation_of(open_image(data), data)):
        loaded.info["num_frames"] = animation.num_frames
    return loaded


def open_animation(source: str | os.PathLike | bytes | BinaryIO, *, max_bytes: int = MAX_BYTES) -> Animation | None:
    """The animation in a file, for `animation_frames`; None for a photo, and for what is no picture by its first bytes.

    Raises:
        ImageError: if it is damaged or too large.
    """
    first = read_first_bytes(source) if isinstance(source, (str, os.PathLike)) else _first_bytes(source)
    if kind_of_bytes(first) is not FileKind.PICTURE:
        return None
    data = _read(source, max_bytes)
    image = open_image(data)
    _check_size(image.size, MAX_PIXELS, MIN_SIDE)
    animation = animation_of(image, data)
    return animation and replace(animation, image=open_image(data))


def animation_frames(animation: Animation, indices: Sequence[int]) -> Iterator[tuple[Image.Image, float]]:
    """Frames as `load_image` would have them, one in memory at a time, each with when it is shown, in seconds."""
    for frame, time_s in animation.frames(indices):
        yield _decode(frame, ours=True), time_s


def _first_bytes(source: bytes | BinaryIO) -> bytes:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source[:NUM_FIRST_BYTES])
    return source.read(NUM_FIRST_BYTES) if source.seekable() and source.seek(0) == 0 else b""


def read_file(source: str | os.PathLike, *, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of a file that may be a picture.

    Raises:
        ImageError: if there is none, or it is an address, a folder, or too large.
    """
    if str(source).lower().startswith(("http:/", "https:/", "ftp:/", "data:")):  # one slash: what Path leaves of two
        raise ImageError("Addresses are not fetched. Download the picture and give the file.")
    path = Path(source)
    try:
        if path.is_dir():
            next(path.iterdir(), None)  # raises if it may not be looked into
            raise ImageError("This is a folder, not a picture. Give a picture, or a folder that has some in it.")
        if not path.exists():
            raise ImageError("There is no such file. Check the path.")
        if not path.is_file():
            raise ImageError("This is not a regular file. Give a picture.")
        check_bytes(path.stat().st_size, max_bytes)
        return path.read_bytes()
    except OSError as exc:
        raise ImageError(f"The file cannot be read ({exc.strerror or exc}). Check its path and permissions.") from exc


def open_image(data: bytes) -> Image.Image:
    """The picture in a file's bytes, with what Pillow reads of it before decoding, once the guards let it through.

    Raises:
        ImageError: if it asks for more than a picture needs, or is none.
    """
    register_formats()
    if not parts_fit(data):
        raise ImageError("The file is made of far more parts than a picture needs, or of text. Save it anew, as PNG.")
    if not tags_fit(data):  # which goes through all parts
        raise ImageError(GREEDY_TAGS)
    if not items_fit(data):
        raise ImageError(
            f"The file is laid out of far more pixels than the {MAX_PIXELS // 10**6} million that are read. "
            "Scale the picture down, and save it anew."
        )
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:  # a warning where -W makes it raise
        raise ImageError(
            "The picture claims far too many pixels to be decoded: more than the "
            f"{MAX_JPEG_PIXELS // 10**6} million that are read. Scale it down."
        ) from exc
    except Exception as exc:  # decoders raise whatever their C code meets: all of it means "not a picture"
        raise ImageError(
            f"This is not a picture that can be read, or it is damaged or cut off. Give a {SUPPORTED} file."
        ) from exc
    image.info[CODES] = color_codes(data)  # Pillow does not read them
    return image


def jpeg_quality(image: Image.Image) -> int | None:
    """The quality, 1 to 100, that the standard's own table must be scaled to for steps as coarse as this JPEG's.

    None for what is no JPEG. Exact for most programs; a fair guess for those with tables of their own.
    """
    if isinstance(known := image.info.get("jpeg_quality"), int):  # as `load_image` made it; a file can only hold texts
        return known
    tables = getattr(image, "quantization", None)
    if image.format not in ("JPEG", "MPO") or not tables:
        return None
    coarseness = 100 * sum(tables[min(tables)]) / STANDARD_LUMINANCE_SUM  # percent of the table for quality 50
    quality = (200 - coarseness) / 2 if coarseness <= 100 else 5000 / coarseness
    return round(min(max(quality, 1), 100))


def check_bytes(size: int, max_bytes: int = MAX_BYTES) -> None:
    """Whether a file of `size` bytes may be read.

    Raises:
        ImageError: if not.
    """
    if size > max_bytes:
        limit = max_bytes // 2**20
        raise ImageError(f"The file has more than the {limit} MiB that are read. Save a smaller version of it.")


def _read(source: str | os.PathLike | bytes | BinaryIO, max_bytes: int) -> bytes:
    if isinstance(source, (str, os.PathLike)):
        data = read_file(source, max_bytes=max_bytes)
    elif isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    elif hasattr(source, "read"):
        data = _read_file(source, max_bytes)
    else:
        raise ImageError(f"A picture was expected, not {type(source).__name__}.")
    if not data:
        raise ImageError("The file is empty. Save or download it again.")
    check_bytes(len(data), max_bytes)
    return data


def _read_file(file: BinaryIO, max_bytes: int) -> bytes:
    if isinstance(file, io.TextIOBase):
        raise ImageError("The file is open as text. Open it with mode 'rb'.")
    try:
        if hasattr(file, "seekable") and file.seekable():
            file.seek(0)  # as Pillow does: who has just written to it need not
        data = file.read(max_bytes + 1)
    except (OSError, ValueError) as exc:  # ValueError: it is closed
        raise ImageError(f"The file object cannot be read ({exc}). Give one that is open for reading.") from exc
    if not isinstance(data, bytes):
        raise ImageError(f"The file object gives {type(data).__name__}, not bytes. Open it with mode 'rb'.")
    return data


@functools.cache
def register_formats() -> None:
    """Make Pillow know all of its own formats, and HEIF, and keep silent."""
    import pillow_heif

    Image.init()  # `formats=` knows only what was registered
    PngImagePlugin.MAX_TEXT_CHUNK = MAX_UNPACKED
    pillow_heif.register_heif_opener()
    _silence_decoders()


def _silence_decoders() -> None:
    """For the whole process: Pillow warns and libtiff writes to stderr of what we say in words of our own, with paths
    that no user knows."""
    warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\.")
    with contextlib.suppress(OSError, AttributeError):  # Windows: libtiff lies within Pillow, and its names are hidden
        pillow = ctypes.CDLL(Image.core.__file__)  # also finds the names of what that is linked with
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            set_handler = getattr(pillow, name)
            set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
            set_handler(None)


def _check_size(size: tuple[int, int], max_pixels: int, min_side: int, *, mend: bool = False) -> None:
    """Refuse what is too large or too small.

    Args:
        mend: whether more pixels of another kind of file would be read.
    """
    width, height = size
    if width * height > max_pixels:
        limit = f"{int(max_pixels / 1e6)} million" if max_pixels >= 1_000_000 else f"{max_pixels}"
        most = f", or save it as JPEG, not progressive: of that {MAX_JPEG_PIXELS // 10**6} million are" if mend else ""
        raise ImageError(f"The picture has {width}x{height} pixels; at most {limit} are read. Scale it down{most}.")
    if min(width, height) < min_side:
        raise ImageError(f"The picture has {width}x{height} pixels; each side needs at least {min_side}.")


def _check_decoder(image: Image.Image, max_pixels: int) -> None:
    if any(tile.codec_name in SLOW_DECODERS for tile in getattr(image, "tile", ())):
        _check_size(image.size, min(max_pixels, MAX_SLOW_PIXELS), 0)


def _first_frame(image: Image.Image) -> Image.Image:
    """Of an animation that stands at a later frame, a copy of the first; it stands there again afterwards."""
    at = image.tell()
    if at == 0:
        return image
    image.seek(0)
    first = image.copy()
    image.seek(at)
    return first


@contextlib.contextmanager
def _decoding() -> Iterator[None]:
    try:
        yield
    except (MemoryError, ImageError):
        raise
    except Exception as exc:  # see open_image
        raise ImageError("The picture is cut off or damaged. Save, download or upload it again.") from exc


def _decode(image: Image.Image, *, ours: bool) -> Image.Image:
    """A picture of its own, with nothing of the file beside its pixels: not even EXIF, which may tell a place."""
    whole = load_rows(image) if ours else image
    whole.load()
    _check_tags(image)
    turn, colors = upright_turn(image), to_srgb(image)
    is_plain = whole.mode in ("RGB", "L", "CMYK") and "transparency" not in whole.info
    is_large = ours and math.prod(whole.size) > MAX_CONVERTED
    if is_large and colors is not None and is_plain:
        made = LargePhoto([whole._new(whole.im)], (), colors)
    else:
        made = to_rgb(whole, colors, in_place=ours)
        made = LargePhoto([made._new(made.im)]) if is_large and turn is not None else made
    if turn is not None:
        made = made.transpose(turn)
    elif made is whole:
        # What we opened ourselves hands its pixels on: a copy of 48 million takes 183 MiB.
        made = whole._new(whole.im) if ours else whole.copy()
    share = whole.height / image.height if whole is not image else image.info.get(READABLE)
    made.info = {READABLE: share} if isinstance(share, float) else {}
    return made


def _decode_large(image: Image.Image, data: bytes) -> LargePhoto:
    """The same of a JPEG of too many pixels, of which the header was read."""
    _check_tags(image)
    turn, size, parts = upright_turn(image), image.size, jpeg_parts(cast("JpegImageFile", image), data)
    made = LargePhoto(parts, () if turn is None else (turn,), to_srgb(image))
    made.info = {} if parts[0].size == size else {READABLE: parts[0].height / size[1]}
    return made


def _check_tags(image: Image.Image) -> None:
    """Before Pillow reads them: those of most formats it keeps as they are until then."""
    exif = image.info.get("exif")
    if isinstance(exif, bytes) and not structure_fits(exif):
        raise ImageError(GREEDY_TAGS)
