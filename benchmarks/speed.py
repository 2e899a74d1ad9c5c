"""The speed goal, model only, interleaved in one run: `python -m benchmarks.speed` (`--size tiny` for a quick look).

Random weights serve: time does not depend on them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import virtus
from benchmarks.steps import measure
from virtus.explain import explain
from virtus.explain.rollout import joint_attention
from virtus.faces import whole_image

SIZES = {"tiny": (192, 3), "base": (768, 12)}  # width, heads
NAMES = {
    "verdict": "encode, verdict",
    "ours": "encode, verdict, rollout, Grad-CAM",
    "stack": "the usual stack, float32",
}
GOALS = {("ours", "verdict"): 1.5, ("ours", "stack"): 1 / 8}


def write_model(folder: Path, size: str) -> None:
    """DeiT of that size in the Hub's layout, with random weights."""
    from transformers import DeiTConfig, DeiTForImageClassification

    width, heads = SIZES[size]
    shape = {"hidden_size": width, "num_attention_heads": heads, "intermediate_size": 4 * width}
    names = {"id2label": {0: "Real", 1: "Fake"}, "label2id": {"Real": 0, "Fake": 1}}
    DeiTForImageClassification(DeiTConfig(**shape, **names)).save_pretrained(folder)
    side = {"height": 224, "width": 224}
    processor = {"image_processor_type": "DeiTImageProcessor", "do_resize": True, "size": side, "resample": 3}
    processor |= {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True}
    processor |= {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def stack(folder: Path, picture: Image.Image) -> Callable[[], object]:
    """What a user would put together, float32: pipeline, rollout over eager attentions, stock Grad-CAM."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    from transformers import AutoImageProcessor, AutoModelForImageClassification, pipeline

    classify = pipeline("image-classification", str(folder), dtype=torch.float32, device="cpu")
    model = AutoModelForImageClassification.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    processor = AutoImageProcessor.from_pretrained(folder)

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model.eval()

        def forward(self, pixel_values):
            return self.model(pixel_values).logits

    def on_grid(tokens):
        return tokens[:, 2:].transpose(1, 2).unflatten(2, (14, 14))

    def run() -> None:
        classify(picture)
        pixel_values = processor(picture, return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            joint_attention(model(pixel_values, output_attentions=True).attentions)
        with GradCAM(Logits(), [model.base_model.layers[-1].layernorm_before], on_grid) as cam:
            cam(pixel_values, [ClassifierOutputTarget(1)])

    return run


def steps(folder: Path, precision: str) -> dict[str, Callable[[], object]]:
    detector = virtus.Detector(virtus.load_checkpoint(str(folder), device="cpu", precision=precision))
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8))

    def verdict():
        state = detector.encode([whole_image(picture)])
        detector.predict(state)
        return state

    def ours():
        state = verdict()
        explain(state, method="rollout")
        explain(state, method="gradcam", target="fake")

    return {"verdict": verdict, "ours": ours, "stack": stack(folder, picture)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="base")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--rounds", type=int, default=10)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder), args.size)
        times = measure(steps(Path(folder), args.precision), args.rounds)
    busy = os.getloadavg()[0]
    print(f"DeiT-{args.size}, {torch.get_num_threads()} threads, load of the machine {busy:.1f} of {os.cpu_count()}\n")
    print("| what | median ms | least ms |\n| --- | ---: | ---: |")
    for name, taken in times.items():
        print(f"| {NAMES[name]} | {statistics.median(taken):.1f} | {min(taken):.1f} |")
    for (one, other), goal in GOALS.items():
        median, least = (figure(times[one]) / figure(times[other]) for figure in (statistics.median, min))
        print(f"\n{one} / {other}: {median:.3f} by medians, {least:.3f} by the least; the goal is at most {goal:.3f}")


if __name__ == "__main__":
    main()
