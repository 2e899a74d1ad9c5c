"""The CAM family against pytorch-grad-cam's own full pass, and evidence against its parts."""

import numpy as np
import pytest
import torch

from tests.support.explaining import KINDS, crops, heatmaps, load_detector, pixels, stock_first_norms, stock_model
from virtus.checkpoints.detector import margins_of
from virtus.explain.gradients import norm_gradients
from virtus.explain.registry import explain
from virtus.results import Label

BY_GRADIENT = {"gradcam": "GradCAM", "gradcam++": "GradCAMPlusPlus", "layercam": "LayerCAM", "hirescam": "HiResCAM"}


@pytest.fixture(params=KINDS)
def detector(request, make_checkpoint):
    return load_detector(make_checkpoint(kind=request.param))


def full_pass(detector, pictures, name: str, *, layer: int, target: Label) -> np.ndarray:
    """Through the whole stock model, with hooks, as a user of pytorch-grad-cam does; only the scaling is left out."""
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    trunk, model = detector.checkpoint.trunk, stock_model(detector)

    class Margins(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, pixel_values):
            margins = margins_of(self.model(pixel_values).logits, detector.checkpoint.outputs)
            return torch.stack([-margins, margins], dim=1)

    def on_grid(tokens):
        patches = tokens[:, trunk.num_prefix_tokens :].transpose(1, 2)
        return patches.reshape(*patches.shape[:2], *trunk.grid_size)

    raw = []

    class Unscaled(getattr(pytorch_grad_cam, name)):
        def get_cam_image(self, *args):
            raw.append(super().get_cam_image(*args))
            return raw[-1]

    with Unscaled(Margins(), [stock_first_norms(model)[layer]], reshape_transform=on_grid) as cam:
        cam(pixels(detector, pictures), [ClassifierOutputTarget(list(Label).index(target))] * len(pictures))
    return raw[0]


@pytest.mark.parametrize("layer", [-1, 1, 0])
@pytest.mark.parametrize("target", list(Label))
@pytest.mark.parametrize("method", BY_GRADIENT)
def test_cams_are_those_of_the_full_pass(detector, method, target, layer):
    ours = heatmaps(detector, crops(2), method=method, target=target, layer=layer)
    stock = full_pass(detector, crops(2), BY_GRADIENT[method], layer=layer, target=target)
    np.testing.assert_allclose(ours, np.maximum(stock, 0), rtol=2e-3, atol=2e-3 * np.abs(stock).max())
    assert np.abs(stock).max() > 0


@pytest.mark.parametrize("layer", [-1, 0])
def test_eigencam_is_that_of_the_full_pass_but_for_the_sign(detector, layer):
    ours = heatmaps(detector, crops(2), method="eigencam", layer=layer)
    stock = full_pass(detector, crops(2), "EigenCAM", layer=layer, target=Label.REAL)
    for one, other in zip(ours, stock, strict=True):
        further = other if other.max() > -other.min() else -other
        np.testing.assert_allclose(one, np.maximum(further, 0), rtol=2e-3, atol=2e-3 * one.max())


def test_eigencams_peak_is_the_patch_that_differs_most(detector):
    # Whatever sign the SVD gives: of the two ends of the component the farther one is kept.
    for one in explain(detector.encode(crops(8)), method="eigencam"):
        assert one.heatmap.max() > 0
        assert one.heatmap.min() == 0


def test_gradcam_of_the_gradient_by_hand(detector):
    state = detector.encode(crops(1))
    activations, gradients = (tokens[0].numpy() for tokens in norm_gradients(state, [Label.REAL]))
    first = state.trunk.num_prefix_tokens
    expected = np.maximum(activations[first:] @ gradients[first:].mean(axis=0), 0).reshape(state.trunk.grid_size)
    (found,) = explain(state, method="gradcam", target=Label.REAL)
    np.testing.assert_allclose(found.heatmap, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("layer", [-1, 0])
def test_evidence_is_what_hirescam_says_for_fake_with_both_signs(detector, layer):
    fake = full_pass(detector, crops(2), "HiResCAM", layer=layer, target=Label.FAKE)
    ours = heatmaps(detector, crops(2), method="evidence", layer=layer)
    np.testing.assert_allclose(ours, fake, rtol=2e-3, atol=2e-3 * np.abs(ours).max())


def test_evidence_for_fake_is_evidence_against_real(make_checkpoint):
    one, turned = (
        heatmaps(load_detector(make_checkpoint(labels=labels)), crops(2), method="evidence")
        for labels in (("Real", "Fake"), ("Fake", "Real"))
    )
    np.testing.assert_allclose(one, -turned, atol=1e-6)


def test_evidence_is_in_logits(detector):
    # Moving the activations of one patch by a small share moves the margin by that share of the patch's evidence.
    state, share, place = detector.encode(crops(1)), 1e-2, 5
    trunk = state.trunk
    normed = trunk.first_norm(2, state.tail_input).clone()
    margins = []
    for sign in (1, -1):
        moved = normed.clone()
        moved[:, trunk.num_prefix_tokens + place] *= 1 + sign * share
        margins.append(float(margins_of(trunk.tail(state.tail_input, moved), state.outputs)))
    (found,) = explain(state, method="evidence")
    assert found.heatmap.ravel()[place] == pytest.approx((margins[0] - margins[1]) / (2 * share), rel=0.02, abs=1e-5)
