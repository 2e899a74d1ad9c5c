"""The eval transform: by hand, and against transformers' own image processors."""

import numpy as np
import pytest
import transformers
from PIL import Image
from timm.data import create_transform, resolve_data_config
from timm.data.constants import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD
from transformers import DeiTImageProcessor, ViTImageProcessor
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from virtus.errors import CheckpointError
from virtus.models.preprocessing import EvalTransform, TimmTransform

HALF = [0.5, 0.5, 0.5]
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
PLAIN = {"size": {"height": 32, "width": 32}, "resample": 3, "image_mean": HALF, "image_std": HALF}


def test_two_by_two_pixels_by_hand():
    image = Image.new("RGB", (2, 2))
    image.putdata([(0, 51, 255), (255, 51, 0), (102, 51, 0), (0, 51, 0)])
    config = {"size": 2, "image_mean": [0.0, 0.2, 0.5], "image_std": [1.0, 0.1, 0.5]}
    values = EvalTransform.from_config(config)(image)
    assert (values.dtype, values.shape) == (np.float32, (3, 2, 2))
    # red / 255; (51 / 255 - 0.2) / 0.1; (blue / 255 - 0.5) / 0.5
    expected = [[[0, 1], [0.4, 0]], [[0, 0], [0, 0]], [[1, -1], [-1, -1]]]
    np.testing.assert_allclose(values, expected, atol=1e-6)
    assert EvalTransform.from_config(config).picture_of(values) == image


@pytest.mark.parametrize("size", [(90, 60), (60, 91), (32, 32), (20, 33), (33, 33)])
@pytest.mark.parametrize(
    ("classes", "config"),
    [
        ((ViTImageProcessorPil, ViTImageProcessor), PLAIN),
        ((ViTImageProcessorPil, ViTImageProcessor), PLAIN | IMAGENET | {"resample": 2}),
        ((ViTImageProcessorPil, ViTImageProcessor), PLAIN | {"do_rescale": True, "rescale_factor": 1 / 127.5}),
        ((ViTImageProcessorPil, ViTImageProcessor), PLAIN | {"do_normalize": False}),
        ((ViTImageProcessorPil, ViTImageProcessor), {"size": {"height": 24, "width": 40}, **IMAGENET}),
        (
            (DeiTImageProcessorPil, DeiTImageProcessor),
            {"image_processor_type": "DeiTImageProcessor", "size": {"height": 40, "width": 40}, **IMAGENET}
            | {"do_center_crop": True, "crop_size": {"height": 32, "width": 32}},
        ),
        (
            (DeiTImageProcessorPil, DeiTImageProcessor),
            PLAIN | {"size": {"shortest_edge": 37}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32}},
        ),
    ],
    ids=["0.5", "imagenet", "factor", "not-normalised", "oblong", "deit", "shortest-edge"],
)
def test_numbers_are_those_of_transformers(make_image, classes, config, size):
    image, (pillow, torchvision) = make_image(*size), classes
    ours = EvalTransform.from_config(config)(image)
    assert ours.shape[1:] == EvalTransform.from_config(config).input_size
    np.testing.assert_allclose(ours, pillow(**config)(image)["pixel_values"][0], atol=1e-5)
    # torchvision resizes with its own code: up to one of 255 steps apart.
    step = 1.01 * config.get("rescale_factor", 1 / 255) / min(config["image_std"])
    np.testing.assert_allclose(ours, torchvision(**config)(image)["pixel_values"][0].numpy(), atol=step)


@pytest.mark.parametrize("size", [24, {"height": 24, "width": 24}, {"shortest_edge": 24}])
def test_forms_of_size(size):
    transform = EvalTransform.from_config(PLAIN | {"size": size, "do_center_crop": True, "crop_size": 16})
    assert transform.input_size == (16, 16)
    assert transform.resize(Image.new("RGB", (48, 48))).size == (16, 16)


def test_what_is_left_out_or_null_is_transformers_default():
    sparse = {"image_mean": HALF, "image_std": HALF, "do_center_crop": None, "crop_size": None, "do_rescale": None}
    transform = EvalTransform.from_config(sparse | {"image_processor_type": "ViTImageProcessor"})
    assert transform == EvalTransform((224, 224), (0.5,) * 3, (0.5,) * 3, Image.Resampling.BILINEAR)
    assert transform.resample == ViTImageProcessor.resample
    deit = EvalTransform.from_config(sparse | {"image_processor_type": "DeiTFeatureExtractor"})
    assert deit.resample == DeiTImageProcessor.resample == Image.Resampling.BICUBIC


def test_a_written_config_reads_back_the_same():
    transform = EvalTransform.from_config(PLAIN | IMAGENET | {"resample": 1})
    assert EvalTransform.from_config(transform.to_config()) == transform


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"image_std": [0.5, 0, 0.5]}, "image_std is [0.5, 0.0, 0.5], which cannot be divided by"),
        ({"image_mean": [0.5]}, "image_mean is [0.5], not three numbers (RGB)"),
        ({"image_mean": 0.5}, "image_mean is 0.5, not three numbers"),
        ({"image_mean": ["0.5"] * 3}, "not three numbers"),
        ({"image_std": [float("nan")] * 3}, "not three numbers"),
        ({"image_std": None}, "image_std is None, not three numbers"),
        ({"resample": 9}, "resample is 9, no way of resizing"),
        ({"resample": "bicubic"}, "resample is 'bicubic'"),
        ({"resample": [3]}, "resample is [3]"),
        ({"size": "32"}, "size is '32', neither height and width nor a shortest edge"),
        ({"size": {"height": 32}}, "size is {'height': 32}"),
        ({"size": [32, 32]}, "size is [32, 32]"),
        ({"size": 0}, "size is 0"),
        ({"size": True}, "size is True"),
        ({"do_resize": False}, "it does not resize"),
        ({"do_resize": "yes"}, "do_resize is 'yes', neither true nor false"),
        ({"do_center_crop": True, "crop_size": {"shortest_edge": 9}}, "crop_size is {'shortest_edge': 9}, not height"),
        ({"do_center_crop": True, "crop_size": "9"}, "size is '9'"),
        ({"rescale_factor": 0}, "rescale_factor is 0"),
        ({"rescale_factor": "1/255"}, "rescale_factor is '1/255'"),
        ({"rescale_factor": float("inf")}, "rescale_factor is inf"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_odd_processors_are_refused_with_the_cause(change, cause):
    with pytest.raises(CheckpointError) as caught:
        EvalTransform.from_config(PLAIN | change)
    assert str(caught.value).startswith("Its processor does not fit: ")
    assert cause in str(caught.value)


CLIP = {"mean": OPENAI_CLIP_MEAN, "std": OPENAI_CLIP_STD}


@pytest.mark.parametrize("size", [(90, 60), (61, 90), (40, 43), (32, 32), (20, 33), (201, 64)])
@pytest.mark.parametrize(
    "config",
    [
        {"input_size": [3, 32, 32], "crop_pct": 1.0, "crop_mode": "squash", **CLIP},
        {"input_size": [3, 32, 32], "crop_pct": 0.9, "crop_mode": "squash", "interpolation": "bilinear"},
        {"input_size": [3, 32, 32], "crop_pct": 0.875, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
        {"input_size": [3, 32, 32], "crop_pct": 1.0, "interpolation": "lanczos"},
        {"input_size": [3, 32, 32], "crop_pct": 0.95, "interpolation": "nearest", "crop_mode": "center"},
        {"input_size": [3, 24, 40], "crop_pct": 0.9},
        {"input_size": [3, 24, 40], "crop_pct": 0.9, "crop_mode": "squash", "interpolation": "hamming"},
        {"input_size": [3, 32, 32], "crop_pct": 1.0, "crop_mode": "border", **CLIP},
        {"input_size": [3, 40, 24], "crop_pct": 0.8, "crop_mode": "border", "interpolation": "box"},
        {"input_size": [3, 32, 32], "crop_pct": 0.0, "crop_mode": ""},
        {"architecture": "vit_tiny_patch16_224"},
    ],
    ids=lambda config: " ".join(str(value) for key, value in config.items() if key not in ("mean", "std")),
)
def test_numbers_are_those_of_timm(make_image, config, size):
    theirs = create_transform(**resolve_data_config(pretrained_cfg=config), is_training=False)
    ours, image = TimmTransform.from_config(config), make_image(*size)
    resized = ours.resize(image)
    for step in theirs.transforms[:-2]:  # what follows makes numbers of it
        image = step(image)
    assert resized.size == image.size == ours.input_size[::-1]
    assert resized.tobytes() == image.tobytes()
    np.testing.assert_allclose(ours(make_image(*size)), theirs(make_image(*size)).numpy(), atol=1e-6, rtol=1e-6)
    assert ours.resize(ours.scale(make_image(*size))).tobytes() == resized.tobytes()


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"input_size": [1, 32, 32]}, "input_size is [1, 32, 32], not 3 channels, height and width"),
        ({"input_size": 32}, "input_size is 32, not"),
        ({"input_size": [3, 32]}, "input_size is [3, 32], not"),
        ({"input_size": [3, 0, 32]}, "input_size is [3, 0, 32], not"),
        ({"interpolation": "random"}, "interpolation is 'random', no way of resizing that Pillow knows"),
        ({"interpolation": 3}, "interpolation is 3"),
        ({"crop_mode": "none"}, "crop_mode is 'none', not center, border or squash"),
        ({"crop_pct": 1.5}, "crop_pct is 1.5, not a number above 0 and up to 1"),
        ({"crop_pct": float("nan")}, "crop_pct is nan"),
        ({"mean": [0.5]}, "mean is [0.5], not three numbers"),
        ({"std": [0.5, 0, 0.5]}, "std is [0.5, 0.0, 0.5], which cannot be divided by"),
    ],
    ids=str,
)
def test_odd_transforms_of_timm_are_refused_with_the_cause(change, cause):
    with pytest.raises(CheckpointError) as caught:
        TimmTransform.from_config({"input_size": [3, 32, 32]} | change)
    assert str(caught.value).startswith(f"Its processor does not fit: {cause}")


@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Siglip", "CLIP", "Bit"])
def test_what_a_processor_leaves_out_is_transformers_own(kind, make_image):
    stock = getattr(transformers, f"{kind}ImageProcessorPil")()
    means = {"image_mean": list(stock.image_mean), "image_std": list(stock.image_std)}
    size = {"size": dict(stock.size)} if kind in ("CLIP", "Bit", "DeiT") else {}
    own = EvalTransform.from_config({"image_processor_type": f"{kind}ImageProcessor"} | means | size)
    picture = make_image(300, 280)
    theirs = stock(picture, return_tensors="np")["pixel_values"][0]
    np.testing.assert_allclose(own(picture), theirs, atol=1e-5)
