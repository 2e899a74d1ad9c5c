import threading

import numpy as np
import pytest
import torch
from PIL import Image

from train.config.augmentation import Augmentation
from train.data.samples import Sample
from train.fit.model import Trainable, load_base
from train.fit.tokens import Missing, RowStore, TokenDataset, fill, fill_store
from train.pictures.datasets import CLEAN, CropDataset, TrainDataset
from virtus.errors import DataError
from virtus.models.preprocessing import EvalTransform
from virtus.results import Face, Label

LANDMARKS = ((14.0, 12.0), (22.0, 12.0), (18.0, 16.0), (15.0, 20.0), (21.0, 20.0))
FACE = Face((10.0, 6.0, 26.0, 24.0), LANDMARKS, 1.0)


def test_rows_come_back_and_others_may_read_while_they_are_added(tmp_path):
    store, values = RowStore(tmp_path / "x.float16", (2, 3)), np.arange(12, dtype=np.float16).reshape(2, 2, 3)
    store.add(["a", "b"], values)
    again = RowStore(tmp_path / "x.float16", (2, 3))
    assert "c" not in again
    np.testing.assert_array_equal(again["b"], values[1])


@pytest.mark.parametrize("cut", ["data", "names"])
def test_what_a_killed_run_did_not_finish_is_dropped(tmp_path, cut):
    store = RowStore(tmp_path / "x.float16", (2, 3))
    store.add(["a", "b"], np.ones((2, 2, 3)))
    file = tmp_path / ("x.float16" if cut == "data" else "x.names")
    file.write_bytes(file.read_bytes()[:-1])
    again = RowStore(tmp_path / "x.float16", (2, 3))
    assert "b" not in again
    again.drop_unfinished()
    again.add(["c"], np.full((1, 2, 3), 7))
    last = RowStore(tmp_path / "x.float16", (2, 3))
    assert last["c"].tolist() == [[7] * 3] * 2
    assert last["a"].tolist() == [[1] * 3] * 2


@pytest.fixture
def two_runs(tmp_path):
    """Each with the store as it found it, empty, and what it misses: numbers under their names."""
    stores = [RowStore(tmp_path / "x.float16", (2,)) for _ in range(2)]
    numbers = {"a": (1.0,), "b": (2.0,)}, {"b": (2.0,), "c": (3.0,)}
    return [(store, Missing(store, own, lambda n: np.full(2, n))) for store, own in zip(stores, numbers, strict=True)]


def fill_from(run, compute=lambda _, values: values.cpu().numpy()):
    fill_store(*run, compute, torch.nn.Identity(), bf16=False)


def test_a_run_adds_behind_what_another_added_since(two_runs, tmp_path):
    first, second = two_runs
    fill_from(first)
    fill_from(second)
    assert (tmp_path / "x.names").read_text() == "a\nb\nc\n"  # b is not computed again
    assert [first[0][name].tolist() for name in "ab"] == [[1, 1], [2, 2]]
    assert [second[0][name].tolist() for name in "abc"] == [[1, 1], [2, 2], [3, 3]]


def test_a_run_waits_for_another_that_fills_its_store(two_runs, tmp_path, monkeypatch):
    pytest.importorskip("fcntl")
    first, second = two_runs
    told, other = threading.Event(), threading.Thread(target=fill_from, args=[second], daemon=True)
    monkeypatch.setattr("train.fit.tokens.print", lambda *_, **__: told.set(), raising=False)

    def compute_beside(_, values):
        other.start()
        assert told.wait(60)
        return values.cpu().numpy()

    fill_from(first, compute_beside)
    other.join(60)
    assert (tmp_path / "x.names").read_text() == "a\nb\nc\n"
    assert [second[0][name].tolist() for name in "abc"] == [[1, 1], [2, 2], [3, 3]]


@pytest.fixture
def tiny_classifier(make_checkpoint):
    return load_base(str(make_checkpoint())).classifier


@pytest.fixture
def pictures(tmp_path, tiny_classifier):
    draw = np.random.default_rng(0)
    samples = []
    for index, label in enumerate((Label.REAL, Label.FAKE, Label.REAL)):
        path = tmp_path / f"{index}.png"
        Image.fromarray(draw.integers(0, 256, (32, 36, 3), dtype=np.uint8)).save(path)
        samples.append(Sample(path, label, "one", "train", f"one/{index}"))
    faces = {sample.path: FACE for sample in samples}
    size = tiny_classifier.config.image_size
    return samples, faces, EvalTransform(size, (0.5,) * 3, (0.5,) * 3)


def test_logits_of_kept_tokens_are_those_of_the_pictures(tmp_path, pictures, tiny_classifier):
    crops = CropDataset(*pictures, margin=1.3)
    config = tiny_classifier.config
    shape = (config.num_prefix_tokens + config.grid_size[0] * config.grid_size[1], config.hidden_size)
    tokens = TokenDataset(crops, RowStore(tmp_path / "t.float16", shape))
    fill(tokens, tiny_classifier, 1, bf16=False, num_workers=0)
    model = Trainable(tiny_classifier, tune="last_blocks:1", first_block=1).eval()
    whole = model(torch.stack([crops[row]["pixel_values"] for row in range(3)]))["logits"]
    kept = model(hidden=torch.stack([tokens[row]["hidden"] for row in range(3)]))["logits"]
    torch.testing.assert_close(kept, whole, atol=2e-3, rtol=0)  # float16
    assert [tokens[row]["labels"] for row in range(3)] == [0, 1, 0]


def test_each_draw_is_kept_and_shown_in_its_epoch(tmp_path, pictures, tiny_classifier):
    training = TrainDataset(*pictures, augmentation=Augmentation(), blended_share=1.0)
    config = tiny_classifier.config
    shape = (config.num_prefix_tokens + config.grid_size[0] * config.grid_size[1], config.hidden_size)
    store = RowStore(tmp_path / "t.float16", shape)
    tokens = TokenDataset(training, store, num_draws=2)
    fill(tokens, tiny_classifier, 1, bf16=False, num_workers=0)
    assert len(store.rows) == 2 * len(training) == 14
    fill(tokens, tiny_classifier, 1, bf16=False, num_workers=0)  # nothing is left to do
    assert len(store.rows) == 14
    first, again = tokens[0]["hidden"], tokens[len(tokens)]["hidden"]  # the second time that a row is shown
    assert not torch.equal(first, again)
    tokens.set_epoch(1)
    assert torch.equal(tokens[0]["hidden"], again)


def test_a_draw_is_kept_degraded_and_clean_and_neighbours_are_shown_differently(tmp_path, pictures, tiny_classifier):
    noisy = Augmentation(noise_chance=1.0, noise=(40.0, 50.0))
    only_moved = Augmentation(colour_chance=0.0, scale_chance=0.0, jpeg_chance=0.0)
    training, moved = (TrainDataset(*pictures, augmentation=each) for each in (noisy, only_moved))
    for row in range(len(training)):
        np.testing.assert_array_equal(training.pixel_values(row, f"0{CLEAN}"), moved.pixel_values(row, "0"))
        assert np.abs(training.pixel_values(row, "0") - moved.pixel_values(row, "0")).mean() > 0.1
    config = tiny_classifier.config
    shape = (config.num_prefix_tokens + config.grid_size[0] * config.grid_size[1], config.hidden_size)
    tokens = TokenDataset(training, RowStore(tmp_path / "t.float16", shape), num_draws=1, clean_looks=True)
    fill(tokens, tiny_classifier, 1, bf16=False, num_workers=0)
    shown = [torch.from_numpy(tokens.store[training.name(row, f"0{CLEAN * (row % 2)}")]) for row in range(3)]
    torch.testing.assert_close([tokens[row]["hidden"] for row in range(3)], shown, atol=0, rtol=0)
    tokens.set_epoch(1)
    clean = torch.from_numpy(tokens.store[training.name(0, f"0{CLEAN}")])
    torch.testing.assert_close(tokens[0]["hidden"], clean, atol=0, rtol=0)


def test_what_is_trained_must_lie_above_the_tokens_that_are_kept(tiny_classifier):
    with pytest.raises(DataError, match="tune=last_blocks:2 trains what lies below cached_block=3"):
        Trainable(tiny_classifier, tune="last_blocks:2", first_block=3)
