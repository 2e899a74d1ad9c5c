"""`python -m benchmarks.speed DATA --part families`: each family at base size, and the memory of CLIP ViT-L/14.

Weights are random: time and memory do not depend on them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import torch
from PIL import Image

import virtus
from benchmarks.speed.material import val_pictures
from benchmarks.speed.model import own, pipeline_of
from benchmarks.steps import measure

BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
FAMILIES = {  # name: what its classes' names begin with, and the sizes of what sees
    "ViT-B/16": ("ViT", BASE | {"patch_size": 16}),
    "DeiT-B/16": ("DeiT", BASE | {"patch_size": 16}),
    "SigLIP-B/16": ("Siglip", BASE | {"patch_size": 16}),
    "CLIP-B/16": ("CLIP", BASE | {"patch_size": 16}),
    "DINOv2-B/14": ("Dinov2", BASE | {"patch_size": 14}),
    "DINOv2-B/14, 4 registers": ("Dinov2WithRegisters", BASE | {"patch_size": 14}),
}
TIMM = {  # those that only timm describes, by its own names
    "ViT-B/16 of timm": "vit_base_patch16_224",
    "CLIP-B/16 of timm, class token": "vit_base_patch16_clip_quickgelu_224",
}
LARGE_CLIP = ("CLIP", LARGE | {"patch_size": 14})
PEAK = """
import resource, sys
import virtus
from PIL import Image
from virtus.explain import explain
from virtus.faces import whole_image
detector = virtus.Detector(virtus.load_checkpoint(sys.argv[1], device="cpu", precision=sys.argv[2]))
crops = [whole_image(Image.new("RGB", (224, 224)))]
detector.predict(crops)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
state = detector.encode(crops)
explain(state, method="rollout"), explain(state, method="gradcam")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def report_families(scratch: Path, args: argparse.Namespace) -> None:
    """Print milliseconds of a verdict, of one with maps, and of transformers' pipeline; and megabytes."""
    picture = Image.open(val_pictures(args.data, 1)[0]).convert("RGB").resize((224, 224))
    print("| family | a verdict, ms | with rollout and Grad-CAM, ms | pipeline, ms | of the pipeline |")
    print("| --- | ---: | ---: | ---: | ---: |")
    writers = {name: partial(write_family, kind=kind, sizes=sizes) for name, (kind, sizes) in FAMILIES.items()}
    writers |= {name: partial(write_timm, architecture=architecture) for name, architecture in TIMM.items()}
    for name, write in writers.items():
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            write(Path(folder))
            detector = virtus.Detector(virtus.load_checkpoint(folder, device="cpu", precision=args.precision))
            classify = pipeline_of(Path(folder))
            work = own(detector, [picture]) | {"pipeline": lambda classify=classify: classify(picture)}
            del work["bulk"]
            verdict, maps, usual = (statistics.median(times) for times in measure(work, args.rounds).values())
        print(f"| {name} | {verdict:.1f} | {maps:.1f} | {usual:.1f} | {verdict / usual:.0%} |", flush=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        write_family(Path(folder), *LARGE_CLIP)
        size = (Path(folder) / "model.safetensors").stat().st_size / 2**20
        asked = [sys.executable, "-c", PEAK, folder, args.precision]
        alone, with_maps = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    print(f"\nCLIP ViT-L/14, a file of {size:.0f} MB: {alone} MB at most for a verdict, {with_maps} MB with maps")


def write_family(folder: Path, kind: str, sizes: dict) -> None:
    """A classifier of transformers for pictures of 224x224 with random weights."""
    import transformers

    sizes = sizes | {"image_size": 224}
    names = {"id2label": {0: "Real", 1: "Fake"}, "label2id": {"Real": 0, "Fake": 1}}
    config = getattr(transformers, f"{kind}Config")
    config = config(vision_config=sizes, **names) if hasattr(config(), "vision_config") else config(**sizes, **names)
    with torch.no_grad():
        getattr(transformers, f"{kind}ForImageClassification")(config).save_pretrained(folder)
    processor = {"image_processor_type": "ViTImageProcessor", "size": {"height": 224, "width": 224}}
    processor |= {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def write_timm(folder: Path, architecture: str) -> None:
    """The same of an architecture of timm, as transformers saves it."""
    import timm
    import transformers

    config = transformers.TimmWrapperConfig.from_dict(
        {
            "architecture": architecture,
            "pretrained_cfg": {
                key: timm.models.get_pretrained_cfg_value(architecture, key) for key in ("input_size", "mean", "std")
            },
            "num_classes": 2,
            "label_names": ["Real", "Fake"],
        }
    )
    with torch.no_grad():
        transformers.TimmWrapperForImageClassification(config).save_pretrained(folder)
