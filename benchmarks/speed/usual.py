"""What a user would put together today, in float32: `python -m benchmarks.speed` holds Virtus against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from virtus.explain.rollout import joint_attention
from virtus.faces import MIN_CONFIDENCE, crop_face
from virtus.results import Face


def pipeline_of(folder: Path) -> Callable:
    """transformers' pipeline on the CPU."""
    from transformers import pipeline

    return pipeline("image-classification", str(folder), dtype=torch.float32, device="cpu")


def maps_of(folder: Path) -> Callable[[Image.Image], None]:
    """Rollout over eager attentions, and stock Grad-CAM, of one crop."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    model = AutoModelForImageClassification.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    processor = AutoImageProcessor.from_pretrained(folder)

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model.eval()

        def forward(self, pixel_values):
            return self.model(pixel_values).logits

    def on_grid(tokens):
        return tokens[:, -14 * 14 :].transpose(1, 2).unflatten(2, (14, 14))

    def run(picture: Image.Image) -> None:
        pixel_values = processor(picture, return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            joint_attention(model(pixel_values, output_attentions=True).attentions)
        with GradCAM(Logits(), [model.base_model.layers[-1].layernorm_before], on_grid) as cam:
            cam(pixel_values, [ClassifierOutputTarget(1)])

    return run


def stock_finder(side: int) -> Callable[[Image.Image], list[tuple[np.ndarray, float]]]:
    """facenet-pytorch's own, on the upright photo with its longer side scaled down to `side`: boxes and confidences."""
    from facenet_pytorch import MTCNN

    finder = MTCNN(keep_all=True, device="cpu").eval()

    def find(photo: Image.Image) -> list[tuple[np.ndarray, float]]:
        scale = min(1.0, side / max(photo.size))
        boxes, confidences = finder.detect(photo.resize([round(length * scale) for length in photo.size]))
        found = [] if boxes is None else zip(boxes, confidences, strict=True)
        return [(box / scale, float(sure)) for box, sure in found if sure >= MIN_CONFIDENCE]

    return find


def one_by_one(folder: Path, *, margin: float) -> Callable[[Sequence[Path]], int]:
    """A loop over photos: decode, MTCNN at 1024 px, the same crop, the pipeline; gives how many faces were judged.

    Args:
        folder: of the checkpoint.
        margin: of the crop.
    """
    classify, find = pipeline_of(folder), stock_finder(1024)

    def judge(paths: Sequence[Path]) -> int:
        count = 0
        for path in paths:
            photo = Image.open(path).convert("RGB")
            for box, sure in find(photo):
                face = Face(tuple(box), ((0.0, 0.0),) * 5, sure)
                classify(crop_face(photo, face, margin=margin).image)
                count += 1
        return count

    return judge
