"""Changed pictures: what is changed, where the crop is taken, and what is said of it."""

from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from train.data.samples import Sample
from train.report.evaluate import JudgedSample, judge
from train.report.robustness import CHANGES, STEPS, PictureChange, measure_robustness
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.media.images import load_image
from virtus.results import Label


@pytest.fixture(scope="module")
def samples(tmp_path_factory, astronaut):
    """Two faces of each class and a picture without one."""
    root = tmp_path_factory.mktemp("data")
    photo = load_image(astronaut)
    found = []
    for label in Label:
        for index in range(2):
            file = root / f"{label}{index}.png"
            photo.crop((130 - 9 * index, 10, 330, 230)).save(file)
            found.append(Sample(file, label, "one", "val", file.name))
    Image.new("RGB", (64, 64)).save(root / "empty.png")
    return [*found, Sample(root / "empty.png", Label.REAL, "one", "val", "empty")]


@pytest.fixture(scope="module")
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))


@pytest.fixture(scope="module")
def judged(detector, samples):
    return judge(detector, samples)


@pytest.mark.parametrize(("change", "level"), STEPS, ids=[f"{c.name}-{level}" for c, level in STEPS])
def test_every_change_changes_the_pixels_and_not_the_size(change, level, astronaut):
    photo = load_image(astronaut).crop((140, 20, 310, 210))
    changed = change.apply(photo, level, 0)
    assert (changed.size, changed.mode) == (photo.size, "RGB")
    assert np.abs(np.asarray(changed, float) - np.asarray(photo, float)).mean() > 0.2


def test_the_levels_are_those_that_were_asked_for():
    assert {change.name: change.levels for change in CHANGES} == {
        "jpeg": (90, 70, 50, 30),
        "scale": (0.5, 0.35, 0.25),
        "blur": (1, 2),
        "noise": (5, 10),
        "brightness": (0.6, 1.4),
    }


def test_noise_is_the_same_in_every_run():
    noise = next(change for change in CHANGES if change.name == "noise")
    grey = Image.new("RGB", (20, 20), (128,) * 3)
    first, again, other = (np.asarray(noise.apply(grey, 10, seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert first.astype(float).std() == pytest.approx(10, rel=0.1)


def test_rows_of_a_picture_that_is_not_changed_are_as_clean(detector, judged, monkeypatch):
    """Changes that change nothing give the clean figures: crop, order of pictures and levels are right."""
    steps = tuple((PictureChange(f"c{n}", "", "", (n,), 0, lambda image, *_: image), n) for n in (1, 2))
    monkeypatch.setattr("train.report.robustness.STEPS", steps)
    monkeypatch.setattr("train.report.robustness.READ_AHEAD", 3)
    rows = measure_robustness(detector, judged, sets={"one": [0, 1, 2, 3, 4], "fakes": [2, 3]})
    assert [(row.source, row.change, row.level) for row in rows] == [
        (source, *place) for source in ("one", "fakes") for place in (("none", None), ("c1", 1), ("c2", 2))
    ]
    for source in ("one", "fakes"):
        own = [row for row in rows if row.source == source]
        assert len({(row.accuracy, row.auc) for row in own}) == 1
    assert next(row for row in rows if row.source == "fakes").auc is None


def test_each_change_is_judged_by_its_own_crops(detector, judged, monkeypatch):
    """Black pictures have one p, whatever they were: AUC 0.5, also where the classes were told apart before."""
    black = PictureChange("black", "", "", (1,), 0, lambda image, *_: Image.new("RGB", image.size))
    monkeypatch.setattr("train.report.robustness.STEPS", ((black, 1),))
    _, dark = measure_robustness(detector, judged, sets={"all": list(range(5))})
    assert (dark.auc, dark.accuracy) == (0.5, 0.5)
    assert asdict(dark).keys() == {"source", "change", "level", "accuracy", "auc"}


def test_no_face_is_looked_for_and_pictures_without_one_are_left_out(detector, judged, monkeypatch):
    monkeypatch.setattr("virtus.faces.find.find_faces", None)
    monkeypatch.setattr("virtus.judging.photo.find_faces", None)
    rows = measure_robustness(detector, judged, sets={"all": list(range(5)), "none": [4]})
    assert len(rows) == 2 * (1 + len(STEPS))
    assert {(row.accuracy, row.auc) for row in rows if row.source == "none"} == {(None, None)}


def test_nothing_judged_is_no_error(detector, judged):
    empty = [JudgedSample(one.sample, one.report) for one in judged if not one.report.outcome.judged]
    rows = measure_robustness(detector, empty, sets={"all": [0]})
    assert {row.auc for row in rows} == {None}
