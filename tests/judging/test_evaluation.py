import shutil

import numpy as np
import pytest
from PIL import Image

from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import DataError
from virtus.judging.evaluation import evaluate_folder, find_labelled
from virtus.results import Label


@pytest.fixture
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))


@pytest.fixture
def folder(tmp_path):
    draw = np.random.default_rng(1)
    for name in ("Real/a.png", "Real/b.png", "Fake/c.png", "test/fake/d.png"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(file)
    (tmp_path / "Fake" / "broken.jpg").write_bytes(b"")
    (tmp_path / "elsewhere.png").write_bytes(b"")
    return tmp_path


def test_labels_come_from_the_nearest_folder(folder):
    labelled = [(str(path.relative_to(folder)), label) for path, label in find_labelled(folder)]
    assert labelled == [
        ("Fake/broken.jpg", Label.FAKE),
        ("Fake/c.png", Label.FAKE),
        ("Real/a.png", Label.REAL),
        ("Real/b.png", Label.REAL),
        ("test/fake/d.png", Label.FAKE),
    ]


def test_one_class_folder_alone_is_labelled_too(folder):
    assert {label for _, label in find_labelled(folder / "Real")} == {Label.REAL}


def test_what_is_missing_or_left_out_says_what_to_do(folder):
    (folder / "Real" / "link.png").symlink_to(folder / "elsewhere.png")
    (folder / "clip.mp4").write_bytes(b"")
    notes = []
    assert (folder / "Real" / "link.png", Label.REAL) in find_labelled(folder, notes)
    assert notes[0].startswith(f"of the pictures below {folder} 1 lie where no folder says real or fake")
    assert "in the folder itself" in notes[0]
    assert notes[1].startswith(f"1 clip was left out: {folder}/clip.mp4.")
    find_labelled(folder / "Real", notes := [])
    assert notes == [f"there is no fake picture below {folder}/Real. Put some in a folder named Fake."]


def test_metrics_count_what_was_judged(detector, folder):
    evaluation = evaluate_folder(detector, folder, whole=True)
    metrics = evaluation.to_json()
    assert (metrics["num_images"], metrics["num_judged"]) == (5, 4)
    assert sum(map(sum, metrics["confusion"])) == 4
    assert metrics["outcomes"]["unreadable"] == 1
    assert sum(metrics["outcomes"].values()) == 5
    assert metrics["checkpoint"]["sha256"] == detector.checkpoint.info.sha256
    # A pair is in order where the fake has the higher p; AUC is the share of such pairs.
    p = {label: [r.p_fake for own, r in evaluation.rows if own is label and r.outcome.judged] for label in Label}
    pairs = [fake > real for fake in p[Label.FAKE] for real in p[Label.REAL]]
    assert metrics["auc"] == pytest.approx(sum(pairs) / len(pairs))


def test_without_faces_there_are_no_figures(detector, folder):
    metrics = evaluate_folder(detector, folder).to_json()
    assert (metrics["accuracy"], metrics["auc"], metrics["num_judged"]) == (None, None, 0)


def test_a_folder_without_labels_says_what_to_do(folder, tmp_path):
    shutil.copytree(folder / "Real", tmp_path / "plain" / "holiday")
    with pytest.raises(DataError, match="named Real or Fake"):
        find_labelled(tmp_path / "plain")
    with pytest.raises(DataError, match="There is no folder"):
        find_labelled(tmp_path / "nothing")
