from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from virtus.checkpoints import load_checkpoint
from virtus.detector import Detector
from virtus.errors import InputError
from virtus.explain import EXPLAINERS, explain
from virtus.explain.gradcam import tail_gradients
from virtus.explain.rollout import joint_attention
from virtus.faces import whole_image
from virtus.results import Label


def crops(count: int):
    draw = np.random.default_rng(5)
    return [whole_image(Image.fromarray(draw.integers(0, 256, (48, 48, 3), dtype=np.uint8))) for _ in range(count)]


@pytest.fixture(params=["vit", "deit", "deit-with-teacher"])
def detector(request, make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint(kind=request.param)), precision="float32"))


def heatmaps(detector, pictures, **options):
    return np.stack([one.heatmap for one in explain(detector.encode(pictures), **options)])


# Rollout, by hand.

HALF = torch.tensor([[[[0.5, 0.5], [0.0, 1.0]]]])  # one picture, one head, two tokens


def test_rollout_of_one_block_by_hand():
    # (A + I) / 2
    torch.testing.assert_close(joint_attention([HALF])[0], torch.tensor([[0.75, 0.25], [0.0, 1.0]]))


def test_rollout_of_two_blocks_is_the_product_last_block_first():
    swap = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])
    first, second = torch.tensor([[0.75, 0.25], [0.0, 1.0]]), torch.tensor([[0.5, 0.5], [0.5, 0.5]])
    torch.testing.assert_close(joint_attention([HALF, swap])[0], second @ first)
    torch.testing.assert_close(joint_attention([swap, HALF])[0], first @ second)


@pytest.mark.parametrize(
    ("fusion", "row"),
    [
        ("mean", [1.6 / 2, 0.4 / 2]),  # (0.2 + 1.0) / 2 = 0.6; (0.8 + 0.0) / 2 = 0.4; plus I, sum 2
        ("max", [2.0 / 2.8, 0.8 / 2.8]),
        ("min", [1.2 / 1.2, 0.0]),
    ],
)
def test_head_fusions_by_hand(fusion, row):
    heads = torch.tensor([[[[0.2, 0.8], [0.5, 0.5]], [[1.0, 0.0], [0.5, 0.5]]]])
    torch.testing.assert_close(joint_attention([heads], head_fusion=fusion)[0, 0], torch.tensor(row))


def test_discarding_by_hand():
    attention = torch.tensor([[[[0.4, 0.6], [0.9, 0.1]]]])
    # The smallest half, 0.1 and 0.4, goes; then I is added and rows are brought back to 1.
    expected = torch.tensor([[1 / 1.6, 0.6 / 1.6], [0.9 / 1.9, 1 / 1.9]])
    torch.testing.assert_close(joint_attention([attention], discard_ratio=0.5)[0], expected)


def test_discarding_treats_each_picture_by_itself():
    one, other = torch.tensor([[[0.4, 0.6], [0.9, 0.1]]]), torch.tensor([[[0.1, 0.9], [0.2, 0.8]]])
    both = joint_attention([torch.stack([one, other])], discard_ratio=0.5)
    alone = joint_attention([other[None]], discard_ratio=0.5)
    torch.testing.assert_close(both[1], alone[0])


def test_rollout_rows_sum_to_one_for_a_real_model(detector):
    state = detector.encode(crops(2))
    attentions = [state.trunk.attention(index, hidden) for index, hidden in enumerate(state.block_inputs)]
    joint = joint_attention(attentions)
    torch.testing.assert_close(joint.sum(dim=-1), torch.ones(joint.shape[:2]))


# Grad-CAM.


def reference_gradcam(detector, pictures, index: int) -> np.ndarray:
    """pytorch-grad-cam's own full pass, with its hooks."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    trunk = detector.checkpoint.trunk
    pixel_values = torch.from_numpy(np.stack([detector.checkpoint.transform(crop.image) for crop in pictures]))

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = trunk.model

        def forward(self, pixel_values):
            return self.model(pixel_values).logits

    def on_grid(tokens):
        patches = tokens[:, trunk.num_prefix_tokens :].transpose(1, 2)
        return patches.reshape(*patches.shape[:2], *trunk.grid_size)

    trunk.model.requires_grad_(True)
    with GradCAM(Logits(), [trunk.blocks[-1].layernorm_before], reshape_transform=on_grid) as cam:
        cam(pixel_values, [ClassifierOutputTarget(index)] * len(pictures))
        layer = cam.activations_and_grads
        weights = layer.gradients[0].numpy().mean(axis=(2, 3))
        activations = layer.activations[0].numpy()
    trunk.model.requires_grad_(False)
    return np.maximum((weights[:, :, None, None] * activations).sum(axis=1), 0)


@pytest.mark.parametrize("target", list(Label))
def test_gradcam_is_that_of_the_full_pass(detector, target):
    pictures = crops(2)
    ours = heatmaps(detector, pictures, method="gradcam", target=target)
    stock = reference_gradcam(detector, pictures, detector.checkpoint.labels[target])
    assert ours.max() > 0
    np.testing.assert_allclose(ours, stock, rtol=1e-3, atol=1e-3 * stock.max())


def test_gradcam_of_the_gradient_by_hand(detector):
    state = detector.encode(crops(1))
    activations, gradients = (tokens[0].numpy() for tokens in tail_gradients(state, [1]))
    first = state.trunk.num_prefix_tokens
    weights = gradients[first:].mean(axis=0)
    expected = np.maximum(activations[first:] @ weights, 0).reshape(state.trunk.grid_size)
    (found,) = explain(state, method="gradcam", target=_label_at(detector, 1))
    np.testing.assert_allclose(found.heatmap, expected, rtol=1e-4, atol=1e-7)


def _label_at(detector, index: int) -> Label:
    return next(label for label, own in detector.checkpoint.labels.items() if own == index)


# What holds for every method.


@pytest.mark.parametrize("method", EXPLAINERS)
def test_maps_are_raw_float32_on_the_patch_grid(detector, method):
    state = detector.encode(crops(3))
    found = explain(state, method=method)
    assert {(one.heatmap.shape, one.heatmap.dtype.name) for one in found} == {(state.trunk.grid_size, "float32")}
    assert len(found) == 3
    assert np.isfinite([one.heatmap for one in found]).all()


@pytest.mark.parametrize("method", EXPLAINERS)
def test_a_batch_gives_the_maps_of_single_crops(detector, method):
    pictures = crops(3)
    together = heatmaps(detector, pictures, method=method, target="fake")
    alone = [heatmaps(detector, [picture], method=method, target="fake")[0] for picture in pictures]
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("method", EXPLAINERS)
def test_other_weights_give_another_map(make_checkpoint, method):
    maps = [
        heatmaps(
            Detector(load_checkpoint(str(make_checkpoint(seed=seed)), precision="float32")), crops(1), method=method
        )
        for seed in (1, 2)
    ]
    assert not np.allclose(*maps, rtol=0.01)


@pytest.mark.parametrize("method", [name for name, one in EXPLAINERS.items() if one.class_specific])
def test_another_target_changes_a_class_specific_map(detector, method):
    real, fake = (heatmaps(detector, crops(1), method=method, target=label) for label in Label)
    assert not np.allclose(real, fake, rtol=0.01)


def test_rollout_knows_no_class(detector):
    (found,) = explain(detector.encode(crops(1)), method="rollout", target="fake")
    assert found.target is None


def test_the_predicted_class_is_explained_by_default(detector):
    state = detector.encode(crops(4))
    outcomes = [str(p.outcome) for p in detector.predict(state)]
    assert [str(one.target) for one in explain(state, method="gradcam")] == outcomes


@pytest.mark.parametrize("method", EXPLAINERS)
def test_threads_may_explain_on_one_model(detector, method):
    pictures = crops(2)
    expected = heatmaps(detector, pictures, method=method, target="real")
    with ThreadPoolExecutor(6) as pool:
        found = pool.map(lambda _: heatmaps(detector, pictures, method=method, target="real"), range(18))
        for maps in found:
            np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("method", EXPLAINERS)
def test_explaining_leaves_the_model_as_it_was(detector, method):
    model = detector.checkpoint.trunk.model
    heatmaps(detector, crops(1), method=method)
    hooks = [module for module in model.modules() if module._forward_hooks or module._backward_hooks]
    assert hooks == []
    assert not model.training
    assert all(p.grad is None and not p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("method", EXPLAINERS)
def test_bfloat16_trunks_explain_too(make_checkpoint, method):
    detector = Detector(load_checkpoint(str(make_checkpoint(kind="deit")), precision="bfloat16"))
    assert heatmaps(detector, crops(2), method=method).dtype == np.float32


@pytest.mark.parametrize("method", EXPLAINERS)
def test_no_crops_give_no_maps(detector, method):
    assert explain(detector.encode([]), method=method, target="fake") == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "magic"}, "There is no method 'magic'"),
        ({"method": "gradcam", "target": "cat"}, "There is no class 'cat'"),
        ({"method": "rollout", "head_fusion": "sum"}, "There is no head_fusion 'sum'"),
        ({"method": "rollout", "discard_ratio": 1.0}, "discard_ratio"),
        ({"method": "gradcam", "head_fusion": "max"}, "gradcam has no option 'head_fusion'"),
    ],
)
def test_wrong_wishes_are_named(detector, options, message):
    with pytest.raises(InputError, match=message):
        explain(detector.encode(crops(1)), **options)
