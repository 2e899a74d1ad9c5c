"""Short clips, damaged: heads and tails cut off, bits turned, lengths overwritten, foreign contents."""

from __future__ import annotations

import functools
import io
import random
from collections.abc import Iterator

import numpy as np

from tests.corpus.boundaries import boundaries
from tests.corpus.broken import change_length, turn_bits
from tests.corpus.disguises import NO_PICTURES
from tests.corpus.inputs import BadInput, Expected
from tests.corpus.whole import photo
from tests.support.clips import numbered, write_clip

CONTAINERS = {"mp4": ("mp4", "mpeg4"), "mov": ("mov", "mpeg4"), "mkv": ("matroska", "mpeg4"), "avi": ("avi", "mpeg4")}
CONTAINERS |= {"webm": ("webm", "libvpx"), "ts.mts": ("mpegts", "mpeg4"), "flv": ("flv", "flv")}
CUTS, FLIPS, CHANGES = 18, 8, 8  # of each container, at most


@functools.cache
def whole_clips() -> dict[str, bytes]:
    """Suffix to content: nine frames, of which three show a face."""
    face = np.asarray(photo().crop((0, 0, 120, 144)))
    pictures = [*numbered(6, 120, 144), face, face, face]
    return {suffix: _clip(pictures, form, codec) for suffix, (form, codec) in CONTAINERS.items()}


def clips(rng: random.Random) -> Iterator[BadInput]:
    for suffix, data in whole_clips().items():
        places = boundaries(data)
        ends = [len(data) - by for by in (1, 2, 8, 100)] + [len(data) * part // 8 for part in range(1, 8)]
        for place in sorted({*rng.sample(places, min(CUTS, len(places))), *ends}):
            expected = Expected.REFUSED if place < 100 else Expected.EITHER
            yield BadInput(f"cut-{place}.{suffix}", data[:place], expected)
        for number in range(FLIPS):
            yield BadInput(f"flipped-{number}.{suffix}", turn_bits(data, rng))
        for number in range(CHANGES):
            at = rng.choice(places or list(range(0, len(data) - 4, 188)))
            yield BadInput(f"length-{number}.{suffix}", change_length(data, at, rng))
        half = len(data) // 2
        yield BadInput(f"tail-of-zeros.{suffix}", data[:half] + bytes(len(data) - half))
        yield BadInput(f"tail-of-noise.{suffix}", data[:half] + rng.randbytes(len(data) - half))
        yield BadInput(f"tail-of-another.{suffix}", data + rng.choice(list(whole_clips().values())))
    for name, data in NO_PICTURES.items():
        yield BadInput(f"{name}.mp4", data, Expected.REFUSED)


def _clip(pictures: list, form: str, codec: str) -> bytes:
    stream = io.BytesIO()
    write_clip(stream, pictures, format=form, codec=codec)
    return stream.getvalue()
