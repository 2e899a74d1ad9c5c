"""Crops, tiny detectors and maps for the tests of explanations."""

import dataclasses

import numpy as np
import torch
import transformers
from PIL import Image

from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.explain.registry import explain
from virtus.faces.find import whole_image
from virtus.models.trunk import Trunk
from virtus.models.vit import Classifier

KINDS = ["vit", "deit-with-teacher", "siglip", "clip", "dinov2-with-registers"]  # a class token, two, means, both


def crops(count: int):
    draw = np.random.default_rng(5)
    return [whole_image(Image.fromarray(draw.integers(0, 256, (48, 48, 3), dtype=np.uint8))) for _ in range(count)]


def load_detector(folder, *, precision: str = "float32") -> Detector:
    return Detector(load_checkpoint(str(folder), device="cpu", precision=precision))


def with_learned_query(detector: Detector) -> Detector:
    """One of the same sizes whose head reads what a learned query attends to, its weights random."""
    plain = detector.checkpoint
    model = Classifier(dataclasses.replace(plain.trunk.model.config, pooling="attention"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for tensor in model.parameters():
            torch.nn.init.normal_(tensor, std=0.3)
    return Detector(dataclasses.replace(plain, trunk=Trunk(model, device=plain.trunk.device)))


def heatmaps(detector: Detector, pictures, **options) -> np.ndarray:
    return np.stack([one.heatmap for one in explain(detector.encode(pictures), **options)])


def pixels(detector: Detector, pictures) -> torch.Tensor:
    return torch.from_numpy(np.stack([detector.checkpoint.transform(crop.image) for crop in pictures]))


def stock_model(detector, **options) -> torch.nn.Module:
    """transformers' own model of a detector's folder."""
    stock = getattr(transformers, detector.checkpoint.architecture)
    return stock.from_pretrained(detector.checkpoint.info.name, dtype=torch.float32, **options).eval()


def stock_first_norms(stock: torch.nn.Module) -> list[torch.nn.Module]:
    """Of each block."""
    names = ("layernorm_before", "layer_norm1", "norm1")
    return [module for name, module in stock.named_modules() if name.endswith(names)]


def pooled(detector, rows: torch.Tensor) -> torch.Tensor:
    """Rows of tokens (N, T, W) to those of what the heads read, (N, vectors, W), as papers and transformers say it."""
    config = detector.checkpoint.trunk.model.config
    first, mean = rows[:, : len(config.heads)], rows[:, config.num_prefix_tokens :].mean(1, keepdim=True)
    return {"cls": first, "mean": mean, "cls+mean": torch.cat((first, mean), 1)}[config.pooling]
