"""What the tests of pictures share."""

import io

import pytest

from virtus.errors import ImageError
from virtus.images import load_image

RED, GREEN, BLUE, YELLOW, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 255, 255)


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
