"""What a finished checkpoint knows of its training pictures."""

import numpy as np
import pytest
from PIL import Image

from train.__main__ import main
from train.data.samples import Sample
from train.fit.novelty import NUM_OF_KIND, add_novelty, thin
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import DataError
from virtus.faces.find import whole_image
from virtus.results import Label


def save_flat(folder, num):
    """Pictures of one colour each, below Real/ and Fake/ in turn."""
    draw = np.random.default_rng(num)
    for index in range(num):
        file = folder / ("Real", "Fake")[index % 2] / f"{index}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), tuple(int(v) for v in draw.integers(0, 256, 3))).save(file)


@pytest.fixture
def data(tmp_path):
    save_flat(tmp_path / "data" / "train", 110)
    save_flat(tmp_path / "data" / "val", 640)  # a fifth of which calibrates
    return tmp_path / "data"


def test_the_command_writes_what_loading_reads_and_may_be_given_again(copy_checkpoint, data, make_image, capsys):
    folder = copy_checkpoint()
    for _ in range(2):
        assert main(["novelty", str(folder), "--data", str(data), "--whole"]) == 0
    assert "block 1, threshold" in capsys.readouterr().out
    checkpoint = load_checkpoint(str(folder), precision="float32")
    seen = [whole_image(Image.open(file)) for file in sorted((data / "train" / "Real").iterdir())[:20]]
    *known, noise = [one.novelty for one in Detector(checkpoint).predict([*seen, whole_image(make_image(40, 40))])]
    assert np.mean(np.array(known) > 1) <= 0.1
    assert noise > max(known)


def test_too_few_pictures_leave_the_checkpoint_as_it_was(copy_checkpoint, tmp_path, capsys):
    folder = copy_checkpoint()
    save_flat(tmp_path / "few" / "train", 20)
    assert main(["novelty", str(folder), "--data", str(tmp_path / "few"), "--whole"]) == 2
    assert "Novelty needs 100 faces" in capsys.readouterr().err
    assert load_checkpoint(str(folder)).novelty is None
    with pytest.raises(DataError):
        add_novelty(folder, [], [], None)


def test_too_few_pictures_leave_what_was_fitted_before(copy_checkpoint, data, tmp_path):
    """It was thrown away first."""
    folder = copy_checkpoint()
    assert main(["novelty", str(folder), "--data", str(data), "--whole"]) == 0
    before = load_checkpoint(str(folder)).novelty.digest()
    save_flat(tmp_path / "few" / "train", 20)
    assert main(["novelty", str(folder), "--data", str(tmp_path / "few"), "--whole"]) == 2
    assert load_checkpoint(str(folder)).novelty.digest() == before


def test_a_folder_that_is_no_checkpoint_is_said_to_be_none(tmp_path, capsys):
    assert main(["novelty", str(tmp_path), "--data", str(tmp_path)]) == 2
    assert "config.json is missing" in capsys.readouterr().err


def test_one_of_whole_pictures_needs_no_word_for_it(copy_checkpoint, data, capsys):
    folder = copy_checkpoint(own={"judges": "pictures"})
    assert main(["novelty", str(folder), "--data", str(data)]) == 0
    assert "block 1, threshold" in capsys.readouterr().out


def test_each_source_and_class_gives_at_most_so_many_and_each_picture_once(tmp_path):
    large = [Sample(tmp_path / f"{i}.png", Label.REAL, "large", "train", str(i)) for i in range(NUM_OF_KIND * 2)]
    small = [Sample(tmp_path / f"s{i}.png", Label.FAKE, "small", "train", str(i)) for i in range(7)]
    taken = thin([*large, *small, *small])  # the rarer class filled up with copies
    assert [sample.source for sample in taken].count("small") == 7
    assert taken[:NUM_OF_KIND] == large[::2]
