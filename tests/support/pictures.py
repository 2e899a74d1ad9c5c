"""What the tests of pictures share."""

import io
import struct

import pytest

from virtus.errors import ImageError
from virtus.media.images import load_image

RED, GREEN, BLUE, YELLOW, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 255, 255)
BLOCK, COUNT = 2**20, 200  # bytes of a block, and how many tags claim it


def encode(image, form="PNG", **options):
    """The bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def refusal(source, **limits):
    """What the user is told about a source that is no picture."""
    with pytest.raises(ImageError) as caught:
        load_image(source, **limits)
    return str(caught.value)


def greedy_tags(order="<", *, block=BLOCK, count=COUNT, own=b"", base=0):
    """TIFF or EXIF whose directory, at `base` + 8, has `count` tags of one block, after the entries `own`."""
    total = count + len(own) // 12
    shared = base + 8 + 2 + 12 * total + 4
    entries = (struct.pack(order + "HHII", 0x9C00 + number, 2, block, shared) for number in range(count))
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", base + 8)
    return head + struct.pack(order + "H", total) + own + b"".join(entries) + bytes(4) + b"x" * block
