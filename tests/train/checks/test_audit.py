"""The audit on small data sets whose findings are known beforehand."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.__main__ import main
from train.checks.audit import (
    Fingerprint,
    audit_data,
    count_oversampling_leak,
    count_pairs,
    find_pairs,
    perceptual_hash,
)
from train.checks.shortcuts import Shortcut, find_shortcuts, measure_file, measure_pixels, measure_place
from train.data.samples import Sample
from train.pictures.face_cache import FaceCache
from virtus.media.images import load_image
from virtus.results import Label


def sample(label=Label.REAL, split="train", group="g", name="x"):
    return Sample(Path(f"{label}/{name}.jpg"), label, "one", split, group)


# Shortcuts.


def test_place_of_a_face_by_hand():
    assert measure_place((10, 20, 50, 40), (100, 80)) == {"face_size": 0.5, "face_x": 0.3, "face_y": 0.375}


def test_pixels_by_hand():
    flat = measure_pixels(Image.new("RGB", (32, 32), (100, 100, 150)))
    assert flat["contrast"] == pytest.approx(0, abs=1e-3)
    assert (flat["colour"], flat["sharpness"]) == (50.0, 0.0)
    assert flat["brightness"] == pytest.approx(0.299 * 100 + 0.587 * 100 + 0.114 * 150, abs=0.1)


def test_fine_detail_is_high_frequency_and_a_slope_is_not():
    board = np.indices((32, 32)).sum(axis=0) % 2 * 255
    slope = np.tile(np.linspace(0, 255, 32), (32, 1))
    fine, coarse = (
        measure_pixels(Image.fromarray(np.dstack([one] * 3).astype(np.uint8)))["high_frequency"]
        for one in (board, slope)
    )
    assert fine == pytest.approx(1.0)
    assert coarse < 0.1


def test_a_file_tells_its_size_and_its_jpeg_table(tmp_path):
    image = Image.effect_noise((40, 50), 30).convert("RGB")
    for quality in (50, 90):
        image.save(tmp_path / f"{quality}.jpg", quality=quality)
    image.save(tmp_path / "a.png")
    coarse, fine, png = (measure_file(tmp_path / name, image) for name in ("50.jpg", "90.jpg", "a.png"))
    assert (coarse["width"], coarse["height"]) == (40, 50)
    assert coarse["jpeg_table_mean"] > fine["jpeg_table_mean"]
    assert np.isnan(png["jpeg_table_mean"])
    assert fine["bytes_per_pixel"] == (tmp_path / "90.jpg").stat().st_size / 2000


def test_aucs_are_at_least_one_half_and_say_the_direction():
    before = [{"a": 1.0, "b": 5.0}, {"a": 2.0, "b": 5.0}, {"a": 3.0, "b": 5.0}]
    after = [{"a": 1.0}, {}, {"a": 1.0}]
    a, b = find_shortcuts([True, False, False], before, after)
    assert a == Shortcut("a", 1.0, 0.5, "real")
    assert (b.auc_before, b.auc_after) == (0.5, None)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (0.9, 0.55, "fine"),
        (0.9, 0.65, "suspect"),
        (0.5, 0.7, "shortcut"),
        (0.9, None, "shortcut"),
        (None, None, "unknown"),
    ],
)
def test_the_verdict_is_on_what_the_crop_leaves(before, after, verdict):
    assert Shortcut("a", before, after, "fake").verdict == verdict


# Duplicates and leaks.


def test_copies_are_found_and_other_pictures_are_not(astronaut, make_image):
    photo = load_image(astronaut)
    hashes = [perceptual_hash(one) for one in (photo, photo.resize((200, 200)), make_image(300, 300))]
    prints = [Fingerprint(str(index), value) for index, value in enumerate(hashes)]
    assert [(pair.first, pair.second, pair.exact) for pair in find_pairs(prints)] == [(0, 1, False)]


def test_pairs_are_found_across_blocks():
    prints = [Fingerprint(str(index), index << 40) for index in range(0, 1400 * 31, 31)]
    prints[1300] = prints[3]
    found = [(pair.first, pair.second) for pair in find_pairs(prints, max_distance=0)]
    assert found == [(3, 1300)]


def test_pairs_are_counted_by_what_they_join():
    samples = [sample(), sample(Label.FAKE), sample(split="val")]
    same = Fingerprint("s", 0)
    assert count_pairs(find_pairs([same, same, Fingerprint("t", 1)]), samples) == {
        "exact": 1,
        "exact_across_classes": 1,
        "exact_across_splits": 0,
        "near": 2,
        "near_across_classes": 1,
        "near_across_splits": 2,
    }


def test_balanced_classes_leak_nothing_and_copies_leak():
    reals, fakes = ([sample(label, name=index) for index in range(60)] for label in Label)
    assert count_oversampling_leak(reals + fakes) == 0
    assert 0 < count_oversampling_leak(reals + fakes[:20]) < 40
    assert count_oversampling_leak(reals) == 0


# The whole.


@pytest.fixture(scope="module")
def data(tmp_path_factory, astronaut):
    """Fakes are cropped tighter; one real is there twice; one group crosses splits; one file is broken."""
    root = tmp_path_factory.mktemp("data")
    photo = load_image(astronaut)
    for label, edge in (("Real", 90), ("Fake", 20)):
        (root / "train" / label).mkdir(parents=True)
        for index in range(6):
            box = (180 - edge - index, 60 - min(edge, 55), 268 + edge + index, 172 + edge)
            photo.crop(box).save(root / "train" / label / f"{index}.png")
    (root / "val" / "Real").mkdir(parents=True)
    shutil.copy(root / "train" / "Real" / "0.png", root / "val" / "Real" / "again.png")
    (root / "val" / "Real" / "broken.jpg").write_bytes(b"")
    (root / "train" / "groups.csv").write_text("file_name,label,group\nReal/0.png,Real,7\n")
    (root / "val" / "groups.csv").write_text("file_name,label,group\nReal/again.png,Real,7\n")
    return root


def test_the_command_finds_what_was_put_there(data, train_command, tmp_path):
    done = train_command(tmp_path, "audit", data, "--out", tmp_path / "out")
    found = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert found["counts"] == {"real": 8, "fake": 6}
    assert [Path(file).name for file in found["broken"]] == ["broken.jpg"]
    assert found["crossing_groups"] == [f"{data.name}/7"]
    assert (found["duplicates"]["exact"], found["duplicates"]["exact_across_splits"]) == (1, 1)
    face_size = next(row for row in found["shortcuts"] if row["statistic"] == "face_size")
    assert (face_size["auc_before"], face_size["higher_in"]) == (1.0, "fake")
    assert "face_size" in done.stdout
    assert Image.open(tmp_path / "out" / "audit.png").width > 500


def test_a_part_is_a_number(data, capsys):
    with pytest.raises(SystemExit):
        main(["audit", str(data), "--limit", "-1"])
    assert "must be a whole number from 0 on, not '-1'" in capsys.readouterr().err


def test_a_part_can_be_looked_at(data, tmp_path):
    found = audit_data(data, cache=FaceCache(tmp_path / "faces.jsonl"), limit=3)
    assert found.counts == {"real": 3, "fake": 3}
