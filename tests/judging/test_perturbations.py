import numpy as np
from PIL import Image

from virtus.judging.perturbations import jpeg, mirror, rescale


def noise(side: int = 32) -> Image.Image:
    return Image.fromarray(np.random.default_rng(4).integers(0, 256, (side, side, 3), dtype=np.uint8))


def test_jpeg_loses_more_at_lower_quality():
    image = noise()
    losses = [np.abs(np.asarray(jpeg(image, q), int) - np.asarray(image, int)).mean() for q in (95, 50, 10)]
    assert losses == sorted(losses)
    assert losses[0] < losses[2]


def test_rescaling_keeps_the_size_and_loses_detail():
    image = noise()
    assert rescale(image, 0.5).size == image.size
    assert np.asarray(rescale(image, 0.25)).std() < np.asarray(rescale(image, 0.5)).std() < np.asarray(image).std()


def test_mirroring_twice_gives_the_picture_back():
    image = noise()
    assert mirror(image).getpixel((0, 0)) == image.getpixel((31, 0))
    assert mirror(mirror(image)).tobytes() == image.tobytes()
