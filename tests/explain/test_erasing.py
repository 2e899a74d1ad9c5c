"""Parts of a face taken away: tokens mixed against pixels mixed, all gone, nothing gone, and the set that flips."""

import numpy as np
import pytest
import torch

from tests.support.explaining import KINDS, crops, load_detector, pixels, with_learned_query
from virtus.checkpoints.detector import Detector
from virtus.errors import InputError
from virtus.explain.erasing import (
    BLUR,
    NOTHING_LEFT,
    erasing_judge,
    filling_pictures,
    find_flipping_patches,
    smoothing_matrix,
)
from virtus.explain.occlusion import occlusion
from virtus.results import Label

OWN = {"calibration": {"temperature": 1.7, "bias": 0.3, "real_below": 0.2, "fake_above": 0.8}}
NONE, ALL = np.zeros((1, 16), bool), np.ones((1, 16), bool)
FILLS = ["blur", "grey", "drop"]


@pytest.fixture(params=KINDS)
def detector(request, make_checkpoint) -> Detector:
    return load_detector(make_checkpoint(kind=request.param, own=OWN)).at_prior(0.2)


def filled_pixels(pixel_values: np.ndarray, fill: str) -> np.ndarray:
    smoother = smoothing_matrix(32, BLUR * 32)
    return np.einsum("ij,cjk,lk->cil", smoother, pixel_values, smoother) if fill == "blur" else 0 * pixel_values


def p_of_pixels(detector, pixel_values) -> np.ndarray:
    trunk = detector.checkpoint.trunk
    with torch.inference_mode():
        return detector.p_fake_of(trunk.logits(trunk.embed(torch.from_numpy(np.asarray(pixel_values, np.float32)))))


@pytest.mark.parametrize("fill", FILLS)
def test_an_empty_brush_changes_nothing(detector, fill):
    (crop,) = crops(1)
    assert erasing_judge(detector, crop, fill)(NONE)[0] == pytest.approx(detector.predict([crop])[0].p_fake, abs=1e-6)


@pytest.mark.parametrize("fill", ["blur", "grey"])
def test_all_rubbed_out_is_the_verdict_on_the_filling(detector, fill):
    (crop,) = crops(1)
    expected = p_of_pixels(detector, filled_pixels(pixels(detector, [crop])[0].numpy(), fill)[None])
    assert erasing_judge(detector, crop, fill)(ALL)[0] == pytest.approx(expected[0], abs=1e-5)


@pytest.mark.parametrize("fill", ["blur", "grey"])
def test_what_stands_in_is_shown_as_the_model_sees_it(detector, fill):
    (crop,) = crops(1)
    transform = detector.checkpoint.transform
    shown = transform.normalise(filling_pictures(detector, crop)[fill])
    expected = filled_pixels(pixels(detector, [crop])[0].numpy(), fill)
    half_a_level = 0.5 * transform.rescale_factor / np.array(transform.std)
    assert (np.abs(shown - expected).max(axis=(1, 2)) <= half_a_level + 1e-5).all()


@pytest.mark.parametrize("fill", ["blur", "grey"])
@pytest.mark.parametrize(("kind", "precision"), [("vit", "float32"), ("deit", "bfloat16"), ("siglip", "float32")])
def test_mixed_tokens_are_mixed_pixels(make_checkpoint, kind, precision, fill):
    detector, (crop,) = load_detector(make_checkpoint(kind=kind), precision=precision), crops(1)
    masks = np.random.default_rng(0).random((6, 16)) < 0.5
    plain = pixels(detector, [crop])[0].numpy()
    filled = filled_pixels(plain, fill)
    mixed = [np.where(np.kron(mask.reshape(4, 4), np.ones((8, 8))), filled, plain) for mask in masks]
    np.testing.assert_allclose(erasing_judge(detector, crop, fill)(masks), p_of_pixels(detector, mixed), atol=1e-3)


def test_dropping_is_what_occlusion_does(detector):
    (crop,) = crops(1)
    state, masks = detector.encode([crop]), np.eye(16, dtype=bool)
    falls = occlusion(state, [Label.FAKE], window=1).ravel()
    judged = erasing_judge(detector.at_prior(0.5), crop, "drop")(np.concatenate([NONE, masks]))
    margins = (np.log(judged / (1 - judged)) - 0.3) * 1.7
    np.testing.assert_allclose(margins[0] - margins[1:], falls, atol=1e-3)


def test_what_a_learned_query_reads_can_be_erased_but_not_dropped_whole(make_checkpoint):
    detector, (crop,) = with_learned_query(load_detector(make_checkpoint(kind="siglip"))), crops(1)
    expected = p_of_pixels(detector, filled_pixels(pixels(detector, [crop])[0].numpy(), "blur")[None])
    assert erasing_judge(detector, crop)(ALL)[0] == pytest.approx(expected[0], abs=1e-5)
    with pytest.raises(InputError, match=NOTHING_LEFT):
        erasing_judge(detector, crop, "drop")(ALL)


def test_all_dropped_is_refused_unless_the_head_reads_a_token_that_stays(detector):
    judge = erasing_judge(detector, crops(1)[0], "drop")
    if detector.checkpoint.trunk.model.config.pooling == "cls":
        assert 0 < judge(ALL)[0] < 1
    else:
        with pytest.raises(InputError, match=NOTHING_LEFT):
            judge(np.concatenate([NONE, ALL]))


def test_smoothing_keeps_what_is_even_and_spreads_a_point():
    matrix = smoothing_matrix(9, 1.0)
    np.testing.assert_allclose(matrix @ np.ones(9), 1)
    point = matrix @ np.eye(9)[4]
    assert point[3] / point[4] == pytest.approx(np.exp(-0.5), rel=1e-3)  # up to the cut ends
    np.testing.assert_array_equal(smoothing_matrix(4, 0.0), np.eye(4))


# The set that flips the verdict, with judges whose p is known by hand.


def by_weights(weights, start):
    """p of fake is `start` less the weights of the patches that are gone."""
    return lambda masks: start - masks @ np.array(weights)


def search(judge, evidence, thresholds=(0.3, 0.7)):
    steps = list(find_flipping_patches(judge, np.array([evidence], float), thresholds))
    assert [step.progress for step in steps] == sorted(step.progress for step in steps)
    assert steps[-1].progress == 1
    return steps[-1]


def test_patches_go_in_the_order_of_evidence_until_p_is_beyond_the_other_threshold():
    # 0.8 - 0.2 - 0.3 is not below 0.3, less 0.1 more it is: three go, and none of them can be spared.
    step = search(by_weights([0.1, 0.0, 0.3, 0.2], 0.8), [2, 1, 3, 4])
    assert (step.erased.tolist(), step.flipped) == ([True, False, True, True], True)
    assert step.p_fake == pytest.approx(0.2)


def test_what_can_be_spared_is_put_back():
    # By the map's order 0.1, 0.1 and 0.45 go; with the last alone p is below 0.35.
    step = search(by_weights([0.1, 0.1, 0.45, 0.0], 0.8), [4, 3, 2, 1], thresholds=(0.36, 0.7))
    assert (step.erased.tolist(), step.p_fake) == ([False, False, True, False], pytest.approx(0.35))


def test_from_real_to_fake_those_go_that_speak_for_real():
    step = search(by_weights([0.2, -0.3, -0.4, 0.0], 0.1), [1, -3, -4, 0])
    assert (step.erased.tolist(), step.flipped) == ([False, True, True, False], True)
    assert step.p_fake == pytest.approx(0.8)


def test_a_verdict_that_cannot_be_flipped_goes_as_far_as_it_gets():
    step = search(by_weights([0.1, 0.05, -0.1, 0.1], 0.9), [4, 3, 2, 1])
    assert (step.erased.tolist(), step.flipped) == ([True, True, False, False], False)
    assert step.p_fake == pytest.approx(0.75)
    assert search(by_weights([0.5], 0.9), [1]).erased.tolist() == [False]  # one patch: at least one stays


def test_a_face_is_flipped_step_by_step(make_checkpoint):
    detector, (crop,) = load_detector(make_checkpoint()), crops(1)
    judge = erasing_judge(detector, crop)
    whole = judge(NONE)[0]
    evidence = occlusion(detector.encode([crop]), [Label.FAKE])[0]
    half = sorted([float(whole), float(judge(ALL)[0])])
    *_, step = find_flipping_patches(judge, evidence, (0.5, 0.5))
    assert step.p_fake == pytest.approx(judge(step.erased[None])[0], abs=1e-6)
    assert step.flipped == ((step.p_fake >= 0.5) != (whole >= 0.5)), half
