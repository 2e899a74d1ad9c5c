"""`python -m benchmarks.speed --part model`: a verdict, many, one with maps, on ready-made crops; the matrix rate.

Beside it what a user would put together today, in float32: what the speed of Virtus is held against.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import virtus
from benchmarks.speed.material import OPERATIONS, multiply, val_pictures, verdict_operations
from benchmarks.steps import measure
from virtus.explain import explain, joint_attention
from virtus.faces import MIN_CONFIDENCE, crop_face, whole_image
from virtus.models import Trunk
from virtus.results import Face

GOALS = {  # one, other: the first at least so many times as fast
    ("pipeline, a verdict", "a verdict"): 2.2,
    ("pipeline, bulk", "bulk"): 4,
    ("usual stack, verdict and maps", "verdict and maps"): 8,
    ("a verdict", "verdict and maps"): 1 / 1.5,
}


def report_model(folder: Path, args: argparse.Namespace) -> None:
    """Print milliseconds of each, ratios, and the share of the matrix rate."""
    pictures = [Image.open(path).convert("RGB").resize((224, 224)) for path in val_pictures(args.data, args.crops)]
    detector = virtus.Detector(virtus.load_checkpoint(str(folder), device="cpu", precision=args.precision))
    clock = time.process_time if args.cpu_time else time.perf_counter
    times = measure(own(detector, pictures) | usual(folder, pictures) | rates(), args.rounds, clock=clock)
    print(f"{detector.checkpoint.trunk.precision}\n\n| what | median ms | least ms |\n| --- | ---: | ---: |")
    for name, taken in times.items():
        print(f"| {name} | {statistics.median(taken):.1f} | {min(taken):.1f} |")
    times["pipeline, bulk"] = min(
        (times.pop("pipeline, bulk"), times.pop("pipeline, bulk, by 8")), key=statistics.median
    )
    print("\n| how many times as fast | by medians | by the least | goal |\n| --- | ---: | ---: | ---: |")
    for (other, one), goal in GOALS.items():
        ratios = [figure(times[other]) / figure(times[one]) for figure in (statistics.median, min)]
        print(f"| {one} than {other} | {ratios[0]:.2f} | {ratios[1]:.2f} | {goal:.2f} |")
    _print_share(times, detector.checkpoint.trunk, args.crops)


def own(detector: virtus.Detector, pictures: list[Image.Image]) -> dict[str, Callable[[], object]]:
    crops = [whole_image(picture) for picture in pictures]

    def with_maps() -> None:
        state = detector.encode(crops[:1])
        detector.predict_state(state)
        explain(state, method="rollout")
        explain(state, method="gradcam", target="fake")

    one, many = (lambda: detector.predict(crops[:1])), (lambda: detector.predict(crops))
    return {"a verdict": one, "bulk": many, "verdict and maps": with_maps}


def usual(folder: Path, pictures: list[Image.Image]) -> dict[str, Callable[[], object]]:
    """The pipeline with and without batches, for it is not the same machine that each is faster on."""
    classify, maps = pipeline_of(folder), maps_of(folder)
    return {
        "pipeline, a verdict": lambda: classify(pictures[0]),
        "pipeline, bulk": lambda: classify(pictures),
        "pipeline, bulk, by 8": lambda: classify(pictures, batch_size=8),
        "usual stack, verdict and maps": lambda: (classify(pictures[0]), maps(pictures[0])),
    }


def rates() -> dict[str, Callable[[], object]]:
    return {f"matrix product, {name}": multiply(getattr(torch, name)) for name in ("bfloat16", "float32")}


def _print_share(times: dict[str, list[float]], trunk: Trunk, num_crops: int) -> None:
    """Both by the least time: what machine and model do undisturbed. Of int8: the share of float32's rate."""
    rate = OPERATIONS / min(times[f"matrix product, {str(trunk.dtype).removeprefix('torch.')}"]) / 1e6
    reached = num_crops * verdict_operations(trunk) / min(times["bulk"]) / 1e6
    print(f"\nBulk reaches {reached:.0f} of {rate:.0f} GFLOP/s: {reached / rate:.0%} of the matrix rate (goal: 75%)")


def pipeline_of(folder: Path) -> Callable:
    """transformers' pipeline on the CPU."""
    from transformers import pipeline

    return pipeline("image-classification", str(folder), dtype=torch.float32, device="cpu")


def maps_of(folder: Path) -> Callable[[Image.Image], None]:
    """Rollout over eager attentions, and stock Grad-CAM, of one crop."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    from transformers import AutoImageProcessor

    processor = AutoImageProcessor.from_pretrained(folder)
    model, attend, norm = stock_model(folder)

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, pixel_values):
            return self.model(pixel_values).logits

    def on_grid(tokens):
        side = math.isqrt(tokens.shape[1])
        return tokens[:, -side * side :].transpose(1, 2).unflatten(2, (side, side))

    def run(picture: Image.Image) -> None:
        pixel_values = processor(picture, return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            joint_attention(attend(pixel_values))
        with GradCAM(Logits(), [norm], on_grid) as cam:
            targets = [ClassifierOutputTarget(1)]
            cam(pixel_values, targets)  # pyright: ignore[reportArgumentType]  # its hint asks for modules, its code calls

    return run


def stock_model(
    folder: Path,
) -> tuple[torch.nn.Module, Callable[[torch.Tensor], Sequence[torch.Tensor]], torch.nn.Module]:
    """transformers' model; from pixel values its attentions, (N, heads, T, T) a block; the last block's first norm."""
    from timm.utils.attention_extract import AttentionExtract
    from transformers import AutoModelForImageClassification

    model = AutoModelForImageClassification.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    model = model.eval()
    if not hasattr(model, "timm_model"):
        norm = model.base_model.layers[-1].layernorm_before
        return model, lambda pixel_values: model(pixel_values, output_attentions=True).attentions, norm
    blocks = model.timm_model.blocks
    for block in blocks:
        block.attn.fused_attn = False  # transformers' eager does not reach timm
    extract = AttentionExtract(model.timm_model, method="hook")
    return model, lambda pixel_values: list(extract(pixel_values).values()), blocks[-1].norm1


def stock_finder(side: int) -> Callable[[Image.Image], list[tuple[np.ndarray, float]]]:
    """facenet-pytorch's own, on the upright photo with its longer side scaled down to `side`: boxes and confidences."""
    from facenet_pytorch import MTCNN

    finder = MTCNN(keep_all=True, device="cpu").eval()

    def find(photo: Image.Image) -> list[tuple[np.ndarray, float]]:
        scale = min(1.0, side / max(photo.size))
        width, height = (round(length * scale) for length in photo.size)
        boxes, confidences = finder.detect(photo.resize((width, height)))[:2]
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
