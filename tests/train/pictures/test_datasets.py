import itertools
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from train.config.augmentation import Augmentation
from train.data.samples import Sample
from train.pictures.datasets import CropDataset, DegradedPhoto, PairSampler, TrainDataset
from virtus.faces.find import crop_face
from virtus.media.images import load_image
from virtus.models.preprocessing import EvalTransform
from virtus.results import Face, Label

LANDMARKS = ((40.0, 35.0), (60.0, 35.0), (50.0, 43.0), (42.0, 52.0), (58.0, 52.0))
FACE = Face((30.0, 20.0, 70.0, 60.0), LANDMARKS, 1.0)
TRANSFORM = EvalTransform((16, 16), (0.5,) * 3, (0.5,) * 3)
NEVER = Augmentation(mirror_chance=0, jpeg_chance=0, scale_chance=0, colour_chance=0)


@pytest.fixture
def sample(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    return Sample(tmp_path / "a.png", Label.FAKE, "one", "train", "one/a")


def test_without_augmentation_it_is_what_the_engine_sees(sample):
    (row,) = CropDataset([sample], {sample.path: FACE}, TRANSFORM, margin=1.3)
    expected = TRANSFORM(crop_face(Image.open(sample.path), FACE, margin=1.3).image)
    np.testing.assert_array_equal(row["pixel_values"].numpy(), expected)
    assert row["labels"] == 1


def test_a_picture_without_a_face_is_left_out(sample):
    other = Sample(Path("b.png"), Label.REAL, "one", "train", "one/b")
    dataset = CropDataset([sample, other], {sample.path: FACE, other.path: None}, TRANSFORM, margin=1.3)
    assert dataset.samples == [sample]


def test_augmentation_is_drawn_by_seed_epoch_and_how_often_a_row_was_shown(sample):
    """By nothing else, so that a run that goes on in the middle of an epoch sees what it would have seen."""
    make = partial(TrainDataset, [sample], {sample.path: FACE}, TRANSFORM, augmentation=Augmentation())
    dataset = make(seed=1)
    first, again, other = dataset[0]["pixel_values"], dataset[1]["pixel_values"], make(seed=2)[0]["pixel_values"]
    torch.manual_seed(3)
    assert torch.equal(first, make(seed=1)[0]["pixel_values"])
    dataset.set_epoch(1)
    assert not any(torch.equal(first, seen) for seen in (again, other, dataset[0]["pixel_values"]))


def test_self_blended_fakes_come_with_their_originals(sample):
    still = Augmentation(**{**vars(NEVER), "margin": (1.3, 1.3), "shift": 0.0})
    reals = [replace(sample, label=Label.REAL)] * 4
    dataset = TrainDataset(reals, {sample.path: FACE}, TRANSFORM, augmentation=still, blended_share=0.5)
    rows = [dataset[index] for index in range(len(dataset))]
    assert [row["labels"] for row in rows] == [0, 0, 0, 0, 1, 0, 1, 0]
    original = CropDataset(reals, {sample.path: FACE}, TRANSFORM, margin=1.3)[0]["pixel_values"]
    assert torch.equal(rows[5]["pixel_values"], original)
    assert not torch.equal(rows[4]["pixel_values"], original)


def test_only_real_pictures_are_blended(sample):
    dataset = TrainDataset([sample], {sample.path: FACE}, TRANSFORM, augmentation=NEVER, blended_share=1.0)
    assert len(dataset) == 1


def test_whole_pictures_are_shown_without_a_face(sample):
    (row,) = CropDataset([sample], None, TRANSFORM, margin=1.3)
    np.testing.assert_array_equal(row["pixel_values"].numpy(), TRANSFORM(Image.open(sample.path)))
    dataset = TrainDataset([sample], None, TRANSFORM, augmentation=NEVER, blended_share=1.0)
    assert len(dataset) == 1
    assert torch.equal(dataset[0]["pixel_values"], row["pixel_values"])


REAL, FAKE = Label.REAL, Label.FAKE
KINDS = [(REAL, "a"), (FAKE, "a"), (FAKE, "a"), (REAL, "b"), (FAKE, "c"), (REAL, "d"), (REAL, "d"), (FAKE, "d")]


def couples_of(kinds, *, seed=0, epoch=0):
    sampler = PairSampler(kinds, seed=seed)
    sampler.set_epoch(epoch)
    numbers = list(sampler)
    assert len(numbers) == len(set(numbers)) == len(sampler)  # what is shown again is drawn again
    rows = [number % len(kinds) for number in numbers]
    return list(zip(rows[::2], rows[1::2], strict=True))


def test_each_fake_stands_beside_its_own_original():
    """By hand: group a has one real for two fakes, d two reals for one fake; b and c are left for each other."""
    assert sorted(couples_of(KINDS)) == [(0, 1), (0, 2), (3, 4), (5, 7), (6, 7)]


def test_of_several_originals_another_is_drawn_in_each_epoch_and_the_same_by_the_same_seed():
    kinds = [(REAL, "a")] * 3 + [(FAKE, "a")] * 3
    assert {frozenset(couples_of(kinds, epoch=epoch)) for epoch in range(20)} == {
        frozenset(zip(order, (3, 4, 5), strict=True)) for order in itertools.permutations(range(3))
    }
    assert couples_of(KINDS, epoch=3) == couples_of(KINDS, epoch=3)
    assert couples_of(KINDS, seed=1) != couples_of(KINDS, seed=2)


def test_pairs_lie_evenly_among_couples_across_groups():
    """Three pairs, six reals and two fakes without a group: of each three couples one is a pair."""
    kinds = [(label, group) for group in "abc" for label in (REAL, FAKE)]
    kinds += [(REAL, str(index)) for index in range(6)] + [(FAKE, "x"), (FAKE, "y")]
    couples = couples_of(kinds)
    assert len(couples) == 9
    assert [sum(kinds[real][1] == kinds[fake][1] for real, fake in couples[at : at + 3]) for at in (0, 3, 6)] == [1] * 3
    assert sorted(fake for _, fake in couples) == [1, 3, 5, 12, 12, 12, 13, 13, 13]


def test_where_all_of_a_class_are_in_pairs_they_serve_the_rest_too():
    couples = couples_of([(REAL, "a"), (FAKE, "a"), (FAKE, "b")])
    assert sorted(couples) == [(0, 1), (0, 2)]


def test_a_fake_made_here_and_its_original_are_a_pair(sample):
    reals = [replace(sample, label=REAL)] * 2
    dataset = TrainDataset(reals, {sample.path: FACE}, TRANSFORM, augmentation=NEVER, blended_share=1.0)
    assert {(3, 2), (5, 4)} <= set(couples_of(dataset.kinds))


def test_a_degraded_photo_is_another_one_and_always_the_same(make_image, tmp_path):
    file = tmp_path / "photo.png"
    make_image(64, 64).save(file)
    sample = Sample(file, Label.REAL, "all", "val", "all/photo.png")
    first, again = (np.asarray(load_image(DegradedPhoto(sample).read())) for _ in range(2))
    assert (first == again).all()
    assert first.shape == (64, 64, 3)
    assert (first != np.asarray(load_image(file))).any()
    plain = CropDataset([sample], None, TRANSFORM, margin=1.3)
    shown = plain.of([sample], degraded=True)[0]["pixel_values"]
    assert torch.equal(shown, torch.from_numpy(TRANSFORM(DegradedPhoto(sample).load())))
    assert not torch.equal(shown, plain[0]["pixel_values"])
