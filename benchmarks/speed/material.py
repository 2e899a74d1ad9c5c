"""What `python -m benchmarks.speed` and others measure on: models, photos, and products of matrices.

The models have the published sizes and random weights, on which time does not depend. The photos have 1280x960 or more
pixels with one real face each, made from the small pictures of a data set.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter

from train.data import find_samples
from virtus.models import Trunk

# Width, heads, blocks; base is the published checkpoint's shape.
SIZES = {"tiny": (192, 3, 12), "base": (768, 12, 12), "large": (1024, 16, 24)}
PHOTO_SIZE = (1280, 960)
SIDES = (200, 700)  # of the small picture in the large one, least and most
MATRIX_SIDE = 2048
OPERATIONS = 2 * MATRIX_SIDE**3


def write_model(folder: Path, size: str) -> None:
    """A DeiT of that size for pictures of 224x224."""
    from transformers import DeiTConfig, DeiTForImageClassification

    width, heads, blocks = SIZES[size]
    shape = {"hidden_size": width, "num_attention_heads": heads, "intermediate_size": 4 * width}
    shape |= {"num_hidden_layers": blocks}
    names = {"id2label": {0: "Real", 1: "Fake"}, "label2id": {"Real": 0, "Fake": 1}}
    DeiTForImageClassification(DeiTConfig(**shape, **names)).save_pretrained(folder)
    side = {"height": 224, "width": 224}
    processor = {"image_processor_type": "DeiTImageProcessor", "do_resize": True, "size": side, "resample": 3}
    processor |= {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True}
    processor |= {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def val_pictures(data: Path, count: int, *, seed: int = 0) -> list[Path]:
    """So many pictures of the `val` splits, drawn at random; all in turn again if there are fewer."""
    paths = [sample.path for sample in find_samples(data) if sample.split == "val"]
    random.Random(seed).shuffle(paths)
    return [paths[index % len(paths)] for index in range(count)]


def photo_with(
    picture: Image.Image, *, seed: int, size: tuple[int, int] = PHOTO_SIZE, sides: tuple[int, int] = SIDES
) -> Image.Image:
    """The picture at a random size and place, before its own blurred and grained colours."""
    draw = np.random.default_rng(seed)
    ground = picture.convert("RGB").resize(PHOTO_SIZE).filter(ImageFilter.GaussianBlur(60)).resize(size)
    grain = draw.normal(0, 4, (size[1], size[0], 1))
    photo = Image.fromarray(np.clip(np.asarray(ground) + grain, 0, 255).astype(np.uint8))
    side = int(draw.integers(*sides))
    small = picture.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    left, top = (int(draw.integers(0, length - side)) for length in size)
    photo.paste(small, (left, top))
    return photo


def write_photos(folder: Path, data: Path, count: int) -> list[Path]:
    """So many JPEG files in a folder."""
    paths = [folder / f"{index:05}.jpg" for index in range(count)]
    for index, (path, source) in enumerate(zip(paths, val_pictures(data, count), strict=True)):
        with Image.open(source) as picture:
            photo_with(picture, seed=index).save(path, quality=90)
    return paths


def multiply(dtype: torch.dtype):
    """A product of two large matrices, to be timed: `OPERATIONS` floating-point operations."""
    one, other = (torch.randn(MATRIX_SIDE, MATRIX_SIDE).to(dtype) for _ in range(2))
    return lambda: one @ other


def verdict_operations(trunk: Trunk) -> int:
    """Of the matrix products that Virtus computes for one crop: less than the whole model, for its end is cut short."""
    width, num_patches = trunk.model.config.hidden_size, trunk.grid_size[0] * trunk.grid_size[1]
    num_tokens = trunk.num_prefix_tokens + num_patches
    embedding = num_patches * trunk.model.embeddings.patch_embeddings.projection.weight.numel()
    inner = (len(trunk.blocks) - 1) * block_products(width, num_tokens, num_tokens)
    return 2 * (embedding + inner + block_products(width, num_tokens, trunk.num_outputs or num_tokens))


def block_products(width: int, num_tokens: int, num_wanted: int) -> int:
    """Multiplications of one block with an MLP four times as wide, of which so many tokens are wanted."""
    keys_and_values, queries_and_outputs = 2 * num_tokens * width**2, 2 * num_wanted * width**2
    attention, mlp = 2 * num_wanted * num_tokens * width, 8 * num_wanted * width**2
    return keys_and_values + queries_and_outputs + attention + mlp
