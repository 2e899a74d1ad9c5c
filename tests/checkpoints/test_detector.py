import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from virtus.checkpoints.detector import Detector, margins_of
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import InputError
from virtus.faces.find import whole_image
from virtus.labels import ClassOutputs
from virtus.models.hardware import resolve_device, resolve_precision
from virtus.results import Outcome


def crops(count: int, side: int = 40):
    draw = np.random.default_rng(3)
    pictures = [draw.integers(0, 256, (side + index, side, 3), dtype=np.uint8) for index in range(count)]
    return [whole_image(Image.fromarray(picture)) for picture in pictures]


@pytest.fixture(params=["vit", "deit", "deit-with-teacher"])
def checkpoint(request, make_checkpoint):
    return load_checkpoint(str(make_checkpoint(kind=request.param)), precision="float32")


def test_a_crop_alone_and_in_a_batch_get_the_same_answer(checkpoint):
    pictures = crops(5)
    together = [p.p_fake for p in Detector(checkpoint, batch_size=3).predict(pictures)]
    alone = [Detector(checkpoint).predict([picture])[0].p_fake for picture in pictures]
    assert together == pytest.approx(alone, abs=1e-4)
    assert len({round(p_fake, 6) for p_fake in together}) == 5


def test_many_crops_are_judged_by_several_threads_in_their_order(checkpoint):
    before, pictures = torch.get_num_threads(), crops(9)
    alone = [Detector(checkpoint).predict([picture])[0].p_fake for picture in pictures]
    try:
        torch.set_num_threads(3)
        together = [p.p_fake for p in Detector(checkpoint, batch_size=2).predict(pictures)]
        with ThreadPoolExecutor(1) as pool:  # begun later, it is not to be left with the share of one of those threads
            assert pool.submit(torch.get_num_threads).result() == torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert together == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (4, [4]), (5, [3, 2]), (9, [3, 3, 3])])
def test_batches_are_few_and_of_about_one_size(checkpoint, count, sizes):
    assert [len(batch) for batch in Detector(checkpoint, batch_size=4)._batches(crops(count))] == sizes


def test_a_state_gives_the_same_verdict_as_the_crops(checkpoint):
    detector, pictures = Detector(checkpoint, batch_size=2), crops(3)
    from_state = [p.p_fake for p in detector.predict_state(detector.encode(pictures))]
    assert from_state == pytest.approx([p.p_fake for p in detector.predict(pictures)], abs=1e-6)


def test_no_crops_give_no_predictions(checkpoint):
    detector = Detector(checkpoint)
    assert detector.predict([]) == []
    assert detector.predict_state(detector.encode([])) == []


def test_p_fake_follows_the_label_names_not_their_order(make_checkpoint):
    usual, reverse = (
        Detector(load_checkpoint(str(make_checkpoint(labels=labels)), precision="float32"))
        for labels in (("Real", "Fake"), ("Fake", "Real"))
    )
    (p,), (q,) = usual.predict(crops(1)), reverse.predict(crops(1))
    assert reverse.checkpoint.outputs == ClassOutputs(real=(1,), fake=(0,))
    assert p.p_fake == pytest.approx(1 - q.p_fake, abs=1e-6)


@pytest.mark.parametrize(
    ("logits", "outputs", "p_fake"),
    [
        ([math.log(3), 0.0], ClassOutputs(real=(1,), fake=(0,)), 3 / 4),
        # AI, Deepfake, Real: the softmax is (2, 3, 5) / 10.
        ([math.log(2), math.log(3), math.log(5)], ClassOutputs(real=(2,), fake=(0, 1)), 5 / 10),
        ([math.log(2), math.log(3), math.log(5)], ClassOutputs(real=(0, 2), fake=(1,)), 3 / 10),
        # One logit: the sigmoid of log 4 is 4 / 5.
        ([math.log(4)], ClassOutputs(real=(), fake=(0,)), 4 / 5),
        ([math.log(4)], ClassOutputs(real=(0,), fake=()), 1 / 5),
    ],
)
def test_p_fake_is_the_share_of_the_fake_outputs_in_the_softmax(logits, outputs, p_fake):
    margins = margins_of(torch.tensor([logits, [900.0] * len(logits)]), outputs)
    assert torch.sigmoid(margins[0]).item() == pytest.approx(p_fake)
    assert margins.isfinite().all()


def test_the_outcome_is_fake_from_one_half_on(checkpoint):
    for prediction in Detector(checkpoint).predict(crops(6)):
        assert prediction.outcome is (Outcome.FAKE if prediction.p_fake >= 0.5 else Outcome.REAL)


def test_bfloat16_differs_little(make_checkpoint):
    folder = str(make_checkpoint())
    exact, coarse = (Detector(load_checkpoint(folder, precision=p)).predict(crops(8)) for p in ("float32", "bfloat16"))
    assert [p.p_fake for p in coarse] == pytest.approx([p.p_fake for p in exact], abs=0.02)


def test_automatic_choices_fit_the_machine():
    device = resolve_device("auto")
    assert device.type == ("cuda" if torch.cuda.is_available() else "mps" if torch.mps.is_available() else "cpu")
    assert resolve_precision("auto", device, width=192) in ("float32", "bfloat16")


@pytest.mark.parametrize("name", ["cuda:99", "nonsense", ""])
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(InputError, match="There is no device"):
        resolve_device(name)


def test_a_precision_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="float32, bfloat16, int8"):
        resolve_precision("int4", torch.device("cpu"), width=768)


def test_predictions_from_several_threads_are_those_of_one(checkpoint):
    from concurrent.futures import ThreadPoolExecutor

    detector, pictures = Detector(checkpoint), crops(4)
    expected = [p.p_fake for p in detector.predict(pictures)]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: [p.p_fake for p in detector.predict(pictures)], range(12)):
            assert found == pytest.approx(expected, abs=1e-6)
