"""Labelled pictures, and what a checkpoint says of them."""

import pytest
from PIL import Image

from train.report.evaluate import held_out, judge
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.media.images import load_image


@pytest.fixture(scope="module")
def data(tmp_path_factory, astronaut):
    """Two sources for the report; the name of one would break a table or a page that does not escape it."""
    root = tmp_path_factory.mktemp("data")
    photo = load_image(astronaut)
    for source, count in (("one", 4), ("<b>|two", 3)):
        for label in ("Real", "Fake"):
            folder = root / source / "test" / label
            folder.mkdir(parents=True)
            for index in range(count):
                photo.crop((130 - 5 * index, 10, 330, 230)).save(folder / f"{label}_{index}.png")
    Image.new("RGB", (80, 80), "grey").save(root / "one" / "test" / "Real" / "empty.png")
    return root


@pytest.fixture(scope="module")
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))


@pytest.fixture(scope="module")
def judged(detector, data):
    return judge(detector, held_out(data))


@pytest.fixture(scope="module")
def of_pictures(make_checkpoint):
    return str(make_checkpoint(seed=5, own={"judges": "pictures"}))
