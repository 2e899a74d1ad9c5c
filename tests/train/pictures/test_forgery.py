import numpy as np
import pytest

from train.__main__ import main
from train.pictures.forgery import face_region, swap_part
from virtus.faces.find import find_faces
from virtus.media.images import load_image


@pytest.fixture
def hopper(astronaut):
    return astronaut.with_name("grace-hopper.jpg")


def test_a_swap_alters_the_region_and_nothing_else(astronaut, hopper):
    source, target = load_image(hopper), load_image(astronaut)
    (source_face, *_), (target_face, *_) = find_faces(source), find_faces(target)
    forgery = swap_part(source, source_face, target, target_face)
    changed = np.abs(np.asarray(forgery.image, int) - np.asarray(target, int)).max(axis=2) > 8
    assert changed[forgery.region].mean() > 0.5
    assert not changed[~forgery.region].any()
    assert len(find_faces(forgery.image)) == 1


def test_the_region_lies_around_the_landmarks(astronaut):
    photo = load_image(astronaut)
    (face, *_) = find_faces(photo)
    region = face_region(face, photo.size)
    assert region.shape == (photo.height, photo.width)
    assert all(region[round(y), round(x)] == 255 for x, y in face.landmarks)
    assert region[0, 0] == 0


def test_the_command_writes_the_fake(astronaut, hopper, tmp_path):
    assert main(["swap", str(hopper), str(astronaut), str(tmp_path / "fake.jpg")]) == 0
    assert load_image(tmp_path / "fake.jpg").size == load_image(astronaut).size


def test_a_fake_that_cannot_be_written_ends_in_a_sentence(astronaut, hopper, tmp_path, capsys):
    (tmp_path / "fake.jpg").mkdir()
    assert main(["swap", str(hopper), str(astronaut), str(tmp_path / "fake.jpg")]) == 2
    assert "fake.jpg cannot be written (Is a directory). Name another file." in capsys.readouterr().err
