"""What holds for every method."""

import inspect
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.support.explaining import KINDS, crops, heatmaps, load_detector
from virtus.errors import InputError
from virtus.explain.registry import EXPLAINERS, explain
from virtus.results import Label

CLASS_SPECIFIC = [name for name, one in EXPLAINERS.items() if one.class_specific]
LAYERED = [name for name, one in EXPLAINERS.items() if "layer" in one.options]
HEADED = [name for name, one in EXPLAINERS.items() if "head" in one.options]


@pytest.fixture(params=KINDS)
def detector(request, make_checkpoint):
    return load_detector(make_checkpoint(kind=request.param))


@pytest.mark.parametrize("method", EXPLAINERS)
def test_maps_are_raw_float32_on_the_patch_grid(detector, method):
    state = detector.encode(crops(3))
    found = explain(state, method=method)
    assert {(one.heatmap.shape, one.heatmap.dtype.name) for one in found} == {(state.trunk.grid_size, "float32")}
    assert len(found) == 3
    assert np.isfinite([one.heatmap for one in found]).all()
    assert all(one.heatmap.max() > one.heatmap.min() for one in found)


@pytest.mark.parametrize("method", EXPLAINERS)
def test_a_batch_gives_the_maps_of_single_crops(detector, method):
    pictures = crops(3)
    together = heatmaps(detector, pictures, method=method, target="fake")
    alone = [heatmaps(detector, [picture], method=method, target="fake")[0] for picture in pictures]
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-5 * np.abs(together).max())


@pytest.mark.parametrize("method", EXPLAINERS)
def test_several_batches_give_the_maps_of_one(detector, method):
    pictures = crops(3)
    together = heatmaps(detector, pictures, method=method, target="fake")
    detector.batch_size = 2
    apart = heatmaps(detector, pictures, method=method, target="fake")
    np.testing.assert_allclose(together, apart, rtol=1e-3, atol=1e-5 * np.abs(together).max())


@pytest.mark.parametrize("method", EXPLAINERS)
def test_other_weights_give_another_map(make_checkpoint, method):
    one, other = (heatmaps(load_detector(make_checkpoint(seed=s)), crops(1), method=method) for s in (1, 2))
    assert not np.allclose(one / np.abs(one).max(), other / np.abs(other).max(), atol=0.05)


@pytest.mark.parametrize("method", CLASS_SPECIFIC)
def test_another_target_changes_a_class_specific_map(detector, method):
    real, fake = (heatmaps(detector, crops(1), method=method, target=label) for label in Label)
    assert not np.allclose(real, fake, rtol=0.01)


@pytest.mark.parametrize("method", sorted(set(EXPLAINERS) - set(CLASS_SPECIFIC)))
def test_other_methods_name_no_target_and_take_no_notice_of_it(detector, method):
    state = detector.encode(crops(1))
    (real,), (fake,) = (explain(state, method=method, target=label) for label in Label)
    assert real.target is fake.target is None
    np.testing.assert_array_equal(real.heatmap, fake.heatmap)


@pytest.mark.parametrize("method", CLASS_SPECIFIC)
def test_the_predicted_class_is_explained_by_default(detector, method):
    state = detector.encode(crops(4))
    outcomes = [str(p.outcome) for p in detector.predict_state(state)]
    assert [str(one.target) for one in explain(state, method=method)] == outcomes


@pytest.mark.parametrize("method", EXPLAINERS)
def test_only_evidence_is_signed(make_checkpoint, method):
    (found,) = explain(load_detector(make_checkpoint()).encode(crops(1)), method=method)
    assert found.signed == EXPLAINERS[method].signed == (method == "evidence")


@pytest.mark.parametrize("method", EXPLAINERS)
def test_threads_may_explain_on_one_model(detector, method):
    pictures = crops(2)
    expected = heatmaps(detector, pictures, method=method, target="real")
    with ThreadPoolExecutor(6) as pool:
        found = pool.map(lambda _: heatmaps(detector, pictures, method=method, target="real"), range(18))
        for maps in found:
            np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("method", EXPLAINERS)
def test_explaining_leaves_the_model_as_it_was(detector, method):
    model = detector.checkpoint.trunk.model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    heatmaps(detector, crops(1), method=method)
    hooks = [
        module
        for module in model.modules()
        if module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
    ]
    assert hooks == []
    assert not model.training
    assert all(p.grad is None and not p.requires_grad for p in model.parameters())
    assert all(before[name].equal(value) for name, value in model.state_dict().items())


# Grad-CAM++ divides by what may be near 0, and is, where gradients are as small as those of a mean of patches.
STEADY = [(kind, method) for kind in KINDS for method in EXPLAINERS if method != "gradcam++" or "vit" in kind]


@pytest.mark.parametrize(("kind", "method"), STEADY)
def test_bfloat16_trunks_give_nearly_the_same_maps(make_checkpoint, kind, method):
    exact, coarse = (
        heatmaps(load_detector(make_checkpoint(kind=kind), precision=precision), crops(2), method=method, target="fake")
        for precision in ("float32", "bfloat16")
    )
    assert coarse.dtype == np.float32
    assert np.corrcoef(exact.ravel(), coarse.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("method", LAYERED)
def test_bfloat16_blocks_are_differentiated_too(make_checkpoint, method):
    detector = load_detector(make_checkpoint(), precision="bfloat16")
    assert np.isfinite(heatmaps(detector, crops(2), method=method, layer=1)).all()


@pytest.mark.parametrize("method", EXPLAINERS)
def test_no_crops_give_no_maps(detector, method):
    assert explain(detector.encode([]), method=method, target="fake") == []


@pytest.mark.parametrize("method", LAYERED)
def test_each_layer_has_a_map_of_its_own_and_counts_from_both_ends(detector, method):
    maps = [heatmaps(detector, crops(1), method=method, target="fake", layer=layer) for layer in range(3)]
    assert not np.allclose(maps[0], maps[1], rtol=0.01)
    assert not np.allclose(maps[1], maps[2], rtol=0.01)
    np.testing.assert_array_equal(maps[2], heatmaps(detector, crops(1), method=method, target="fake"))
    np.testing.assert_array_equal(maps[0], heatmaps(detector, crops(1), method=method, target="fake", layer=-3))


@pytest.mark.parametrize("method", LAYERED)
@pytest.mark.parametrize("layer", [3, -4, 1.5, "last", True])
def test_a_layer_that_there_is_not_is_named(make_checkpoint, method, layer):
    state = load_detector(make_checkpoint()).encode(crops(1))
    with pytest.raises(InputError, match=r"There is no layer .*: the model has 3, 0 to 2"):
        explain(state, method=method, layer=layer)


@pytest.mark.parametrize("method", HEADED)
@pytest.mark.parametrize("head", [2, -1, 0.0, "first", True])
def test_a_head_that_there_is_not_is_named(make_checkpoint, method, head):
    state = load_detector(make_checkpoint()).encode(crops(1))
    with pytest.raises(InputError, match=r"There is no head .*: the model has 2, 0 to 1"):
        explain(state, method=method, head=head)


@pytest.mark.parametrize("explainer", EXPLAINERS.values(), ids=EXPLAINERS)
def test_the_options_are_those_that_the_method_takes(explainer):
    taken = inspect.signature(explainer.compute).parameters.values()
    assert explainer.options == tuple(one.name for one in taken if one.kind is inspect.Parameter.KEYWORD_ONLY)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "magic"}, "There is no method 'magic'"),
        ({"method": "gradcam", "target": "cat"}, "There is no class 'cat'"),
        ({"method": "rollout", "head_fusion": "sum"}, "There is no head_fusion 'sum'"),
        ({"method": "rollout", "head": 0, "head_fusion": "sum"}, "There is no head_fusion 'sum'"),
        ({"method": "rollout", "discard_ratio": 1.0}, "discard_ratio"),
        ({"method": "gradcam", "head_fusion": "max"}, "gradcam has no option 'head_fusion'. It has: layer."),
        ({"method": "occlusion", "window": 0}, "window is a whole number of patches from 1 to 3, not 0"),
        ({"method": "occlusion", "window": 4}, "window is a whole number of patches from 1 to 3, not 4"),
    ],
)
def test_wrong_wishes_are_named(detector, options, message):
    with pytest.raises(InputError, match=message):
        explain(detector.encode(crops(1)), **options)


def test_importing_the_registry_does_not_load_pytorch_grad_cam():
    code = "import sys, virtus.explain; print(sorted({'pytorch_grad_cam', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_page_of_explanations_says_what_each_method_shows():
    page = Path(__file__).parents[2].joinpath("docs", "explanations.md").read_text(encoding="utf-8")
    assert [method for method in EXPLAINERS if f"`{method}`" not in page] == []
