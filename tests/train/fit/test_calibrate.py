"""`python -m train calibrate`: a finished checkpoint gets the thresholds that its own run would give it."""

import json

import numpy as np
import pytest
from PIL import Image

from train.__main__ import main
from virtus.checkpoints.sidecar import read_calibration


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Fakes are darker than reals; a third of the pictures calibrates."""
    root, draw = tmp_path_factory.mktemp("data"), np.random.default_rng(4)
    for label, light in (("Real", 256), ("Fake", 200)):
        folder = root / "val" / label
        folder.mkdir(parents=True)
        for index in range(90):
            pixels = draw.integers(0, light, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((40, 40), Image.Resampling.NEAREST).save(folder / f"{index}.png")
    return root


@pytest.fixture
def calibrated(copy_checkpoint, data, tmp_path):
    """What the command stores in a checkpoint whose run had such settings."""

    def run(name: str, **settings):
        folder = copy_checkpoint(own={"judges": "pictures"}).rename(tmp_path / name)
        (tmp_path / "train_config.json").write_text(json.dumps(settings))
        assert main(["calibrate", str(folder), "--data", str(data)]) == 0
        return read_calibration(json.loads((folder / "virtus.json").read_text()))

    return run


def test_the_thresholds_promise_what_the_settings_of_the_run_say(calibrated):
    by_kind, together = calibrated("kinds"), calibrated("together", bound_kinds=False)
    assert by_kind.num_pictures == together.num_pictures > 40
    assert (by_kind.temperature, by_kind.fake_above) == (together.temperature, together.fake_above)
    assert by_kind.real_below < together.real_below
