"""Models of the published sizes with random weights, in the Hub's layout: time does not depend on the weights."""

from __future__ import annotations

import json
from pathlib import Path

SIZES = {"tiny": (192, 3), "base": (768, 12)}  # width, heads; base is the published checkpoint's shape


def write_model(folder: Path, size: str) -> None:
    """A DeiT of that size for pictures of 224x224."""
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
