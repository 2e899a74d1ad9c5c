"""Photos of too many pixels to be turned, made sRGB, or held as RGB: as their files store them, and upright sRGB only
where asked for."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from virtus.errors import ImageError
from virtus.media.color import ToSrgb
from virtus.media.modes import is_rgb, strips, to_rgb
from virtus.media.truncated import load_rows

Box = tuple[float, float, float, float]
Transpose = Image.Transpose

LAYOUTS = ("gray", "yuvj420p", "yuvj422p", "yuvj440p", "yuvj444p", "yuvj411p")  # FFmpeg's names: 8 bits, full range
# Bytes at once: with what is made of them 512 MiB, which is what 50 million pixels take that are held as plain RGB.
MAX_HELD = 490_000_000
AS_RGB = 4.4  # bytes a pixel of Pillow's, with that
QUARTERS = (Transpose.TRANSPOSE, Transpose.TRANSVERSE, Transpose.ROTATE_90, Transpose.ROTATE_270)


class LargePhoto(Image.Image):
    """An RGB photo that holds what its file does: of a JPEG mostly 1.5 bytes a pixel, where Pillow takes 4; or RGB
    that is not turned, or whose colours are not converted, yet.

    `crop` and `resize` make RGB of what they are asked for, `transpose` moves nothing, `copy` is plain RGB. All else
    that Pillow can do works too, and makes RGB of the whole photo first, which then counts: it may be drawn on.

    Args:
        planes: mode L: Y, then Cb and Cr (ITU-T T.871), whole times smaller, rounded up; of a grey photo Y alone.
            Or one of mode RGB or CMYK.
        transposes: that make it upright, in their order.
        colors: how its colours become sRGB; None if they are, or nobody knows.
    """

    def __init__(
        self,
        planes: Sequence[Image.Image],
        transposes: tuple[Transpose, ...] = (),
        colors: ToSrgb | None = None,
    ):
        super().__init__()
        self._planes, self._transposes, self._colors = tuple(planes), transposes, colors
        self._size = self._swapped(planes[0].size)
        self._mode = "RGB"

    @property
    def num_bytes(self) -> int:
        """That its pixels take."""
        return sum(plane.width * plane.height * len(plane.getbands()) for plane in self._planes)

    @property
    def is_rgb(self) -> bool:
        """Whether it holds pixels as they are shown: a part of it costs no more than of any picture."""
        return self._colors is None and is_rgb(self._planes[0])

    def load(self) -> Image.core.PixelAccess | None:
        if self._im is None:
            self.im = self.copy().im
        return super().load()

    def copy(self) -> Image.Image:
        """RGB of the whole photo, which is not kept here."""
        if self._im is not None:
            return super().copy()
        whole = Image.new("RGB", self.size)
        for strip in strips(self.size):
            whole.paste(self.crop(strip), strip)
        whole.info = self.info.copy()
        return whole

    def __reduce__(self) -> tuple:
        return Image.Image.copy, (self.copy(),)  # to other processes as RGB

    def transpose(self, method: Transpose) -> Image.Image:
        """The same pixels in another order, of which none is moved yet."""
        if self._im is not None:
            return super().transpose(method)
        turned = LargePhoto(self._planes, (*self._transposes, method), self._colors)
        turned.info = self.info.copy()
        return turned

    def crop(self, box: Box | None = None) -> Image.Image:
        """As of any picture, at full size."""
        x0, y0, x1, y1 = map(round, box or (0, 0, *self.size))
        if self._im is not None or not (0 <= x0 < x1 <= self.width and 0 <= y0 < y1 <= self.height):
            self.load()
            return super().crop((x0, y0, x1, y1))
        left, top, right, bottom = map(int, self._stored((x0, y0, x1, y1)))
        stored = (left, top, right, bottom)
        y, *colour = self._planes
        return self._upright([y.crop(stored), *(_upsampled(plane, stored, self._factors(plane)) for plane in colour)])

    def resize(
        self,
        size: tuple[int, int],
        resample: int | None = None,
        box: Box | None = None,
        reducing_gap: float | None = None,
    ) -> Image.Image:
        """As of any picture: each plane is resized by itself; of what is only to be turned all, to the last bit."""
        if self._im is not None:
            return super().resize(size, resample, box, reducing_gap)
        if box is None and reducing_gap and self.is_rgb:
            across, down = (int(now / side / reducing_gap) or 1 for now, side in zip(self.size, size, strict=True))
            return self._reduced(across, down).resize(size, resample, (0, 0, self.width / across, self.height / down))
        stored, (width, height) = self._stored(box or (0, 0, *self.size)), self._swapped(size)
        parts = []
        for plane in self._planes:
            across, down = self._factors(plane)
            part = (stored[0] / across, stored[1] / down, stored[2] / across, stored[3] / down)
            parts.append(plane.resize((width, height), resample, part, reducing_gap))
        return self._upright(parts)

    def _reduced(self, across: int, down: int) -> Image.Image:
        """Upright means of blocks, cut off to the right and at the bottom, as Pillow's `reduce` has them: turned when
        they are few. Where faces are found and how they are cut hangs on the last bit."""
        width, height = self.width // across * across, self.height // down * down
        made = Image.new("RGB", (-(-self.width // across), -(-self.height // down)))
        for left, right in ((0, width), (width, self.width)):
            for top, bottom in ((0, height), (height, self.height)):
                if left < right and top < bottom:
                    x0, y0, x1, y1 = map(int, self._stored((left, top, right, bottom)))
                    part = self._planes[0].reduce(self._swapped((across, down)), box=(x0, y0, x1, y1))
                    made.paste(self._upright([part]), (left // across, top // down))
        return made

    def _swapped(self, size: tuple[int, int]) -> tuple[int, int]:
        """A size in the file's own picture as it is upright, and the other way round."""
        width, height = size
        is_turned = sum(transpose in QUARTERS for transpose in self._transposes) % 2
        return (height, width) if is_turned else size

    def _stored(self, box: Box) -> Box:
        """Where a box lies in the file's own picture."""
        shown = self.size
        for transpose in reversed(self._transposes):
            box = box_before(transpose, box, shown)
            shown = (shown[1], shown[0]) if transpose in QUARTERS else shown
        return box

    def _upright(self, parts: Sequence[Image.Image]) -> Image.Image:
        """RGB of parts of the planes that are all of one size."""
        made = to_rgb(_merged(*parts) if len(parts) == 3 else parts[0], self._colors, in_place=True)
        for transpose in self._transposes:
            made = made.transpose(transpose)
        return made

    def _factors(self, plane: Image.Image) -> tuple[int, int]:
        """By how much a plane is smaller, across and down."""
        across, down = (round(most / side) for most, side in zip(self._planes[0].size, plane.size, strict=True))
        return across, down


def _upsampled(plane: Image.Image, box: tuple[int, int, int, int], factors: tuple[int, int]) -> Image.Image:
    """Colour of a box in the photo at the photo's size, to the last bit as libjpeg does it (its "fancy upsampling",
    jdsample.c: weights 3 and 1, rounded up and down in turns), where it is stored at half the width or size."""
    (x0, y0, x1, y1), (across, down) = box, factors
    if factors not in ((1, 1), (2, 1), (2, 2)):
        part = (x0 / across, y0 / down, x1 / across, y1 / down)
        return plane.resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR, part)
    left, top, right, bottom = x0 // across - 1, y0 // down - 1, -(-x1 // across) + 1, -(-y1 // down) + 1
    inside = (max(left, 0), max(top, 0), min(right, plane.width), min(bottom, plane.height))
    beyond = ((inside[1] - top, bottom - inside[3]), (inside[0] - left, right - inside[2]))
    values = np.pad(np.asarray(plane.crop(inside), np.int32), beyond, "edge")
    rows = _doubled(values, (0, 0), 0) if down == 2 else values[1:-1]
    rounding, shift = ((8, 7), 4) if down == 2 else ((1, 2), 2)
    rows = _doubled(rows.T, rounding, shift).T if across == 2 else rows[:, 1:-1]
    cut = rows[y0 - down * (top + 1) :, x0 - across * (left + 1) :][: y1 - y0, : x1 - x0]
    return Image.fromarray(cut.astype(np.uint8))


def _doubled(values: np.ndarray, rounding: tuple[int, int], shift: int) -> np.ndarray:
    """Twice the rows, without the first and last: three times the nearest and once the next nearest of each."""
    near = 3 * values[1:-1]
    pairs = (near + values[:-2] + rounding[0], near + values[2:] + rounding[1])
    return np.stack(pairs, axis=1).reshape(-1, values.shape[1]) >> shift


def _merged(*parts: Image.Image) -> Image.Image:
    made = Image.new("RGB", parts[0].size)
    for strip in strips(made.size):
        made.paste(_merged_strip(*(part.crop(strip) for part in parts)), strip)
    return made


def _merged_strip(*parts: Image.Image) -> Image.Image:
    """Y, Cb and Cr to RGB, to the last bit as libjpeg does it (jdcolor.c). Pillow's own conversion rounds down: half a
    level darker moved p by 0.02; OpenCV's moved blue by a tenth of one, and p by as much."""
    y, cb, cr = (np.asarray(part, np.int32) - offset for part, offset in zip(parts, (0, 128, 128), strict=True))
    half = 1 << 15
    red, blue = y + (91881 * cr + half >> 16), y + (116130 * cb + half >> 16)
    green = y + (-22554 * cb - 46802 * cr + half >> 16)
    return Image.fromarray(np.stack((red, green, blue), axis=-1).clip(0, 255).astype(np.uint8))


def box_before(transpose: Transpose, box: Box, size: tuple[int, int]) -> Box:
    """Where a box in a transposed picture of this width and height lay before."""
    (x0, y0, x1, y1), (width, height) = box, size
    return {
        Transpose.FLIP_LEFT_RIGHT: (width - x1, y0, width - x0, y1),
        Transpose.FLIP_TOP_BOTTOM: (x0, height - y1, x1, height - y0),
        Transpose.ROTATE_180: (width - x1, height - y1, width - x0, height - y0),
        Transpose.TRANSPOSE: (y0, x0, y1, x1),
        Transpose.TRANSVERSE: (height - y1, width - x1, height - y0, width - x0),
        Transpose.ROTATE_90: (height - y1, x0, height - y0, x1),
        Transpose.ROTATE_270: (y0, width - x1, y1, width - x0),
    }[transpose]


def most_pixels(image: Image.Image) -> int:
    """Of an opened JPEG, how many can be read as a `LargePhoto` in `MAX_HELD`; 0 for other formats."""
    return int(MAX_HELD / min(_bytes_per_pixel(image))) if isinstance(image, JpegImageFile) else 0


def _bytes_per_pixel(image: JpegImageFile) -> tuple[float, float]:
    """What it takes to read it as Pillow does, and by its planes.

    Of a progressive one the decoder holds all coefficients until its end, two bytes each.
    """
    sizes = [(across, down) for _, across, down, _ in image.layer]
    most = max(across for across, _ in sizes) * max(down for _, down in sizes)
    values = sum(across * down for across, down in sizes) / most
    coefficients = 2 * values if image.info.get("progressive") else 0
    return AS_RGB + coefficients, values + coefficients if has_planes(image) else math.inf


def has_planes(image: JpegImageFile) -> bool:
    """Whether `jpeg_planes` can take it apart: it is grey or of Y, Cb and Cr, not of inks nor of RGB.

    Libjpeg's rule: JFIF says so; else Adobe's marker; else the components' names.
    """
    named_rgb = [component[0] for component in image.layer] == [*b"RGB"]
    stored_rgb = image.info.get("adobe_transform", 0 if named_rgb else 1) == 0 and "jfif" not in image.info
    return image.mode == "L" or (image.mode == "RGB" and not stored_rgb)


def jpeg_parts(image: JpegImageFile, data: bytes) -> list[Image.Image]:
    """What a `LargePhoto` holds of an opened JPEG that is not larger than `most_pixels`: the picture as Pillow has it,
    so that p is that of a smaller one's decoder to the last bit; where that takes too much, or it is cut off, planes.

    Raises:
        OSError: if it is damaged, or cut off too early.
        ImageError: if it is laid out in a rare way.
    """
    if _bytes_per_pixel(image)[0] * math.prod(image.size) > MAX_HELD:
        return jpeg_planes(data)
    try:
        image.load()
    except OSError:
        if not has_planes(image):
            raise
        image._im = None  # before there is more
        return jpeg_planes(data)
    return [image._new(image.im)]


def jpeg_planes(data: bytes) -> list[Image.Image]:
    """The planes of a JPEG's first picture, as they are stored, for `LargePhoto`; of one that is cut off, the rows that
    are whole: see `load_rows`.

    Pillow has no way to them, FFmpeg has. It also gives what it makes of a damaged picture, without a word: how far it
    is whole Pillow says, to which an eighth of the size costs no memory.

    Raises:
        OSError: if it is damaged, or cut off too early.
        ImageError: if it is laid out in a rare way.
    """
    import av

    with Image.open(io.BytesIO(data), formats=("JPEG",)) as small:
        small.draft(None, (small.width // 8, small.height // 8))
        num_rows, all_rows = load_rows(small).height, small.height
    context = av.CodecContext.create("mjpeg", "r")
    context.options = {"idct": "faani"}  # by floats: the usual one is a thirtieth of a level darker in the mean
    frame = next(iter(context.decode(av.Packet(data))))
    if not isinstance(frame, av.VideoFrame) or frame.format.name not in LAYOUTS:
        raise ImageError("The colours of this large JPEG are laid out in a way that is not read. Save it anew.")
    planes = [
        Image.frombuffer("L", (plane.width, plane.height), cast("Any", plane), "raw", "L", plane.line_size, 1)
        for plane in frame.planes
    ]
    if num_rows == all_rows:
        return planes
    downs = (round(planes[0].height / plane.height) for plane in planes)
    return [plane.crop((0, 0, plane.width, 8 * num_rows // down)) for plane, down in zip(planes, downs, strict=True)]
