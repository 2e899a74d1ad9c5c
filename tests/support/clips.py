"""Clips that the tests make themselves."""

from fractions import Fraction

import numpy as np
from PIL import Image

from tests.conftest import EXAMPLES

FACES = {  # of the examples: a square around the face
    "collins": ("eileen-collins.jpg", (100, 0, 400, 300)),
    "hopper": ("grace-hopper.jpg", None),
}


def write_clip(file, pictures, times=None, *, codec="mpeg4", gop=6, **options):
    """A clip of `pictures` (HWC uint8), shown from `times` in seconds on; ten a second by default.

    `options` are the container's, or its `format` where `file` has no name.
    """
    import av

    with av.open(file, "w", format=options.pop("format", None), options=options) as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = gop
        base = stream.codec_context.time_base = stream.time_base = Fraction(1, 100 if times else 10)
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = round(times[index] / base) if times else index, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file


def numbered(count=24, width=64, height=48):
    """Grey pictures, each ten levels lighter than the one before, with some noise so that they take space."""
    noise = np.random.default_rng(0).integers(-4, 5, (count, height, width, 1))
    levels = np.arange(count)[:, None, None, None] * 10 + noise
    return list(np.repeat(levels, 3, axis=3).clip(0, 255).astype(np.uint8))


def scene(*people, size=(480, 240)):
    """A picture with people in it: each a name in `FACES`, the left border and the side of the square."""
    picture = Image.new("RGB", size, (120, 130, 140))
    for name, left, side in people:
        file, box = FACES[name]
        photo = Image.open(EXAMPLES / file).convert("RGB")
        box = box or (0, 0, photo.width, photo.width)
        picture.paste(photo.crop(box).resize((side, side)), (left, 0))
    return np.asarray(picture)
