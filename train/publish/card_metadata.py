"""The YAML block at the head of a model card, from which the Hub takes what it lists and filters by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from train.publish.run import Run
from virtus.checkpoints import is_repo_id

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

WATTS_PER_CORE, WATTS_PER_GPU = 12.5, 350.0  # while busy, memory and cooling not counted
KG_CO2_PER_KWH = 0.48  # world's average of 2023 (Ember, Global Electricity Review 2024)
DEVICE = re.compile(r"(\d+) x .*\((?:(\d+) threads|cuda)\)")  # as `train.fit.record` writes it
INDEXED = {  # figures of metrics.json, with the Hub's name of their kind and a title
    "accuracy": ("accuracy", "Accuracy"),
    "macro_f1": ("f1", "Macro F1"),
    "auc": ("roc_auc", "AUC"),
}


def metadata(run: Run, name: str) -> ModelCardData:
    """The content of the block.

    Args:
        name: of the model, above its results.
    """
    from huggingface_hub import ModelCardData

    return ModelCardData(
        license="other",
        license_name="research-only-data",
        library_name="transformers",
        pipeline_tag="image-classification",
        base_model=run.base if is_repo_id(run.base) else None,
        tags=["deepfake-detection", "virtus", *([run.model["model_type"]] if "model_type" in run.model else [])],
        metrics=[kind for kind, _ in INDEXED.values()],
        model_name=name,
        eval_results=_eval_results(run.metrics["sources"]) or None,
        **_emissions(run.record or {}),
    )


def _eval_results(sources: dict[str, dict]) -> list[EvalResult]:
    """Those that are defined."""
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type="image-classification",
            task_name="Real or fake face",
            dataset_type=re.sub(r"[^\w.-]+", "-", source),
            dataset_name=f"{source} (held out)",
            dataset_split="report",
            metric_type=kind,
            metric_name=title,
            metric_value=round(own[figure]["value"], 4),
        )
        for source, own in sources.items()
        for figure, (kind, title) in INDEXED.items()
        if own[figure]["value"] is not None
    ]


def _emissions(record: dict) -> dict:
    """Grams, estimated: hours times the power that such a device draws, times the world's average for each kWh."""
    device, hours = DEVICE.fullmatch(str(record.get("device"))), record.get("hours")
    if device is None or hours is None:
        return {}
    count, threads = device.groups()
    watts = int(count) * (int(threads) * WATTS_PER_CORE if threads else WATTS_PER_GPU)
    return {"co2_eq_emissions": {"emissions": round(hours * watts * KG_CO2_PER_KWH, 2), "source": "estimated"}}
