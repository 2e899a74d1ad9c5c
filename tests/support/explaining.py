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

KINDS = ["vit", "deit", "deit-with-teacher"]


def crops(count: int):
    draw = np.random.default_rng(5)
    return [whole_image(Image.fromarray(draw.integers(0, 256, (48, 48, 3), dtype=np.uint8))) for _ in range(count)]


def load_detector(folder, *, precision: str = "float32") -> Detector:
    return Detector(load_checkpoint(str(folder), device="cpu", precision=precision))


def heatmaps(detector: Detector, pictures, **options) -> np.ndarray:
    return np.stack([one.heatmap for one in explain(detector.encode(pictures), **options)])


def pixels(detector: Detector, pictures) -> torch.Tensor:
    return torch.from_numpy(np.stack([detector.checkpoint.transform(crop.image) for crop in pictures]))


def stock_model(detector) -> torch.nn.Module:
    """transformers' own model with a detector's weights."""
    model = detector.checkpoint.trunk.model
    config = transformers.AutoConfig.for_model(model.config.model_type, **dataclasses.asdict(model.config))
    stock = getattr(transformers, detector.checkpoint.architecture)(config)
    stock.load_state_dict(model.state_dict())
    return stock.eval()
