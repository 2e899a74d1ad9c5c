"""Names of the two classes."""

from pathlib import Path

import pytest

from virtus.labels import SYNONYMS, ClassOutputs, label_from_folders, label_from_name
from virtus.results import Label


@pytest.mark.parametrize(
    "name", ["Real", "REAL", "real", "Realism", "authentic", "Real Image", "real_images", "Real-Faces", " original "]
)
def test_names_of_real(name):
    assert label_from_name(name) is Label.REAL


@pytest.mark.parametrize(
    "name", ["Fake", "FAKE", "Deepfake", "Deep Fake", "deep-fakes", "AI", "AI-generated", "Artificial", "fake_faces"]
)
def test_names_of_fake(name):
    assert label_from_name(name) is Label.FAKE


@pytest.mark.parametrize(
    "name", ["", "LABEL_0", "0", "1", "not real", "unreal", "fakery or real", "realfake", "cat", "真"]
)
def test_other_names_say_nothing(name):
    assert label_from_name(name) is None


def test_no_name_stands_for_both():
    assert not SYNONYMS[Label.REAL] & SYNONYMS[Label.FAKE]
    assert set(SYNONYMS) == set(Label)


def test_the_class_of_each_output_in_their_order():
    assert ClassOutputs(real=(1,), fake=(2, 0)).by_index == (Label.FAKE, Label.REAL, Label.FAKE)
    assert ClassOutputs(real=(), fake=(0,)).by_index == (Label.FAKE,)


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("Real/a.jpg", Label.REAL),
        ("test/FAKE/celebs/a.jpg", Label.FAKE),
        ("fake/real/a.jpg", Label.REAL),  # the nearest one
        ("other/fake.jpg", None),  # the file's own name does not count
        ("a.jpg", None),
    ],
)
def test_the_nearest_folder_that_is_named_like_a_class(path, label):
    assert label_from_folders(Path(path)) is label
