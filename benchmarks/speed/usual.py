"""What a user would put together today, in float32: what the speed of Virtus is held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from PIL import Image

from virtus.explain import joint_attention
from virtus.faces import crop_face
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


class OneByOne:
    """A loop over photos: decode, facenet-pytorch's MTCNN at 1024 px, the same crop, the pipeline.

    Args:
        folder: of the checkpoint.
        margin: of the crop.
    """

    def __init__(self, folder: Path, *, margin: float):
        from facenet_pytorch import MTCNN

        self._classify, self._margin = pipeline_of(folder), margin
        self._finder = MTCNN(keep_all=True, device="cpu").eval()

    def __call__(self, paths: Sequence[Path]) -> int:
        """How many faces were judged."""
        return sum(self._judge(path) for path in paths)

    def _judge(self, path: Path) -> int:
        photo = Image.open(path).convert("RGB")
        scale = min(1.0, 1024 / max(photo.size))
        boxes, confidences = self._finder.detect(photo.resize([round(side * scale) for side in photo.size]))
        found = [] if boxes is None else zip(boxes, confidences, strict=True)
        faces = [Face(tuple(box / scale), ((0.0, 0.0),) * 5, float(sure)) for box, sure in found if sure >= 0.90]
        for face in faces:
            self._classify(crop_face(photo, face, margin=self._margin).image)
        return len(faces)
