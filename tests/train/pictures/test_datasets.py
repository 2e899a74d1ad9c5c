import shutil
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from train.config.augmentation import Augmentation
from train.data.kinds import BLENDED, SWAPPED
from train.data.samples import Sample
from train.data.splits import fraction
from train.pictures.datasets import CropDataset, DegradedPhoto, MadeDataset, TrainDataset
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


def test_of_a_copy_something_else_is_drawn(sample):
    """Sources that are shown more often are lists of copies."""
    dataset = TrainDataset([sample] * 2, {sample.path: FACE}, TRANSFORM, augmentation=Augmentation())
    assert not torch.equal(dataset[0]["pixel_values"], dataset[1]["pixel_values"])


def test_what_is_drawn_of_a_picture_does_not_depend_on_the_others(sample, tmp_path):
    """So that a run with a part of the pictures finds the tokens of a run with all."""
    other = replace(sample, path=sample.path.rename(tmp_path / "b.png"), label=Label.REAL)
    alone = TrainDataset([other], {other.path: FACE}, TRANSFORM, augmentation=Augmentation(), blended_share=1.0)
    first = replace(other, group="one/other", source="two")
    both = TrainDataset([first, other], {other.path: FACE}, TRANSFORM, augmentation=Augmentation(), blended_share=1.0)
    rows = {row.name: index for index, row in enumerate(both.rows)}
    assert len(rows) == 6
    for index, row in enumerate(alone.rows):
        assert alone.name(index, "0") == both.name(rows[row.name], "0")
        assert torch.equal(alone[index]["pixel_values"], both[rows[row.name]]["pixel_values"])


@pytest.fixture
def of_clips(sample, tmp_path):
    """Real faces of eight clips, three of each, in files of the same names; and the face in each."""
    names = [(f"{clip}_3x2", f"{index:03}.jpg") for clip in range(8) for index in range(3)]
    samples = []
    for clip, name in names:
        (tmp_path / clip).mkdir(exist_ok=True)
        path = Path(shutil.copy(sample.path, tmp_path / clip / name))
        samples.append(Sample(path, Label.REAL, "one", "train", f"one/{clip}", clip=clip))
    return samples, dict.fromkeys((sample.path for sample in samples), FACE)


def test_each_fake_of_a_clip_s_face_is_a_pair_with_its_own_original(of_clips):
    dataset = TrainDataset(*of_clips, TRANSFORM, augmentation=NEVER, blended_share=1.0)
    pairs = Counter((row.sample.path, kind.group) for row, kind in zip(dataset.rows, dataset.kinds, strict=True))
    made = [group for (_, group), count in pairs.items() if count == 2]
    assert len(made) == len(set(made)) == 24


def test_fakes_are_made_of_any_face_of_a_clip(of_clips):
    dataset = TrainDataset(*of_clips, TRANSFORM, augmentation=NEVER, blended_share=1 / 3)
    assert {row.sample.path.name for row in dataset.rows if row.is_made} == {"000.jpg", "001.jpg", "002.jpg"}


def test_what_is_drawn_of_a_clip_s_face_does_not_depend_on_the_others(of_clips):
    samples, faces = of_clips
    every, last = (
        TrainDataset(some, faces, TRANSFORM, augmentation=Augmentation()) for some in (samples, samples[-1:])
    )
    assert last.name(0, "0") == every.name(23, "0")


def test_one_fake_is_made_of_each_face_of_a_clip_to_be_judged(of_clips):
    dataset = MadeDataset(*of_clips, TRANSFORM, hows=(BLENDED, SWAPPED), margin=1.3)
    assert [row.sample for row in dataset.rows] == of_clips[0]
    assert {row.made for row in dataset.rows} == {BLENDED, SWAPPED}


def test_the_names_of_pictures_stay_what_they_were(sample):
    """Kept tokens are found by them, and what is drawn for a bundled checkpoint is drawn by them."""
    real = replace(sample, label=Label.REAL)
    dataset = TrainDataset([real], {real.path: FACE}, TRANSFORM, augmentation=NEVER, blended_share=1.0, seed=5)
    assert [row.name for row in dataset.rows] == [
        "one/train/real/a.png", "one/train/real/a.png made/blended fake", "one/train/real/a.png made/blended",
    ]  # fmt: skip
    content = f"one/train/real/a.png {real.path.stat().st_size} [30.0, 20.0, 70.0, 60.0]"
    assert dataset.name(1, "0 0") == f"seed 5 0 0 one/train/real/a.png made/blended fake {content}"
    reals = [replace(real, path=real.path.with_name(f"{index}.png")) for index in range(8)]
    faces = dict.fromkeys((one.path for one in reals), FACE)
    half = TrainDataset(reals, faces, TRANSFORM, augmentation=NEVER, blended_share=0.5)
    by_hash = sorted(reals, key=lambda one: fraction(f"made/blended one/train/real/{one.path.name}"))
    assert [row.sample for row in half.rows if row.is_made] == by_hash[:4]
    made = MadeDataset(reals, faces, TRANSFORM, hows=(BLENDED, SWAPPED), margin=1.3)
    assert [row.made == SWAPPED for row in made.rows] == [
        fraction(f"way one/train/real/{one.path.name}") >= 0.5 for one in reals
    ]


def test_parts_of_other_faces_of_the_source_are_swapped_in(tmp_path):
    """Never those of another source: what is left out with that source must not be seen."""
    light = np.random.default_rng(2).integers(200, 256, (100, 120, 3), dtype=np.uint8)
    dark = np.random.default_rng(3).integers(0, 20, (100, 120, 3), dtype=np.uint8)
    for name, pixels in (("light", light), ("light2", light[::-1]), ("dark", dark), ("dark2", dark[::-1])):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    names = {"light": "one", "light2": "one", "dark": "two", "dark2": "two"}
    reals = [Sample(tmp_path / f"{name}.png", Label.REAL, source, "train", name) for name, source in names.items()]
    still = Augmentation(**{**vars(NEVER), "margin": (1.3, 1.3), "shift": 0.0})
    dataset = TrainDataset(reals, {real.path: FACE for real in reals}, TRANSFORM, augmentation=still, swapped_share=1.0)
    assert [dataset.label(index) for index in range(4, 12)] == [1, 0] * 4
    for index in range(4, 12, 2):
        made, original = dataset[index]["pixel_values"], dataset[index + 1]["pixel_values"]
        assert (made.mean() > 0) == (original.mean() > 0)
    assert any(not torch.equal(dataset[index]["pixel_values"], dataset[index + 1]["pixel_values"]) for index in (4, 8))


def test_a_source_of_one_face_has_none_to_swap(sample):
    dataset = TrainDataset(
        [replace(sample, label=Label.REAL)], {sample.path: FACE}, TRANSFORM, augmentation=NEVER, swapped_share=1.0
    )
    assert len(dataset) == 1


def test_rows_know_their_group_and_what_takes_turns(sample):
    """A fake the pattern of its kind, one made here how, a real picture its source."""
    real = replace(sample, label=Label.REAL)
    dataset = TrainDataset(
        [sample, real], {sample.path: FACE}, TRANSFORM,
        augmentation=NEVER, blended_share=1.0, kinds={"round trips": ("*/b*",), "a": ("one/a*",)},
    )  # fmt: skip
    assert [(kind.label, kind.stratum) for kind in dataset.kinds] == [
        (Label.FAKE, "one/a*"), (Label.REAL, "one"), (Label.FAKE, "made/blended"), (Label.REAL, "one"),
    ]  # fmt: skip
    assert dataset.kinds[2].group == dataset.kinds[3].group != dataset.kinds[1].group


def test_a_degraded_photo_is_another_one_and_always_the_same(make_image, tmp_path):
    file = tmp_path / "photo.png"
    make_image(64, 64).save(file)
    sample = Sample(file, Label.REAL, "all", "val", "all/photo.png")
    first, again = (np.asarray(load_image(DegradedPhoto(sample).read())) for _ in range(2))
    assert (first == again).all()
    assert first.shape == (64, 64, 3)
    assert (first != np.asarray(load_image(file))).any()
    plain, degraded = (CropDataset([sample], None, TRANSFORM, margin=1.3, degraded=way) for way in (False, True))
    shown = degraded[0]["pixel_values"]
    assert torch.equal(shown, torch.from_numpy(TRANSFORM(DegradedPhoto(sample).load())))
    assert not torch.equal(shown, plain[0]["pixel_values"])
