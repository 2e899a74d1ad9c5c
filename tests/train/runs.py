"""What `fit` and `evaluate` leave behind, made by hand."""

import json
import shutil

from train.config.settings import TrainConfig
from train.report.wording import TITLES
from virtus.checkpoints.examine import examine_checkpoint

CALIBRATION = {
    "temperature": 1.7,
    "real_below": 0.31,
    "fake_above": 0.64,
    "num_pictures": 400,
    "ece_before": 0.123,
    "ece_after": 0.021,
}
RECORD = {
    "recipe": "virtus-tiny",
    "base": "deit-tiny-patch16-224",
    "device": "1 x x86_64 (2 threads)",
    "hours": 1.5,
    "num_images_seen": 1000,
    "chosen_by": {"mean_auc": 0.9},
    "counts": [
        {"source": "dfdc", "split": "train", "real": 30, "fake": 31},
        {"source": "own|pics", "split": None, "real": 7, "fake": 8},
    ],
    "audit": {
        "broken": 1,
        "without_face": 12,
        "crossing_groups": 0,
        "exact_duplicates_across_splits": 3,
        "shortcuts": [
            {"statistic": "face_size", "auc_before": 0.89, "auc_after": 0.52, "higher_in": "fake", "verdict": "fine"},
            {"statistic": "brightness", "auc_before": 0.51, "auc_after": None, "higher_in": "real", "verdict": "fine"},
        ],
    },
    "versions": {"virtus": "0"},
}
PLOTS = ("roc.png", "reliability.png", "robustness.png", "confusion.png")
FILES = {  # of a run, on the Hub
    "README.md",
    "config.json",
    "metrics.json",
    "model.safetensors",
    "preprocessor_config.json",
    "train_config.json",
    "virtus.json",
    *(f"report/{name}" for name in PLOTS),
}


def write_run(folder, checkpoint, *, config=None, own=None, record=RECORD, metrics=None):
    """A run around a copy of a checkpoint. Replaces parts of the files as told; `record` None leaves it out."""
    shutil.copytree(checkpoint, folder / "checkpoint")
    given = {"margin": 1.3, "calibration": None, "provenance": {"recipe": "virtus-tiny", "base": "x", "seed": 83}}
    (folder / "checkpoint" / "virtus.json").write_text(json.dumps(given | (own or {})))
    TrainConfig("virtus-tiny", base="../models/deit-tiny-patch16-224", data="../shared/data").save(
        folder / "train_config.json"
    )
    saved = json.loads((folder / "train_config.json").read_text())
    (folder / "train_config.json").write_text(json.dumps(saved | (config or {})))
    if record is not None:
        (folder / "run.json").write_text(json.dumps(record))
    (folder / "report").mkdir()
    for name in (*PLOTS, "most_wrong.png", "histogram.png"):
        (folder / "report" / name).write_bytes(b"\x89PNG\r\n\x1a\n\0" + name.encode())
    (folder / "report" / "metrics.json").write_text(json.dumps(_metrics(folder / "checkpoint") | (metrics or {})))
    return folder


def content(folder):
    """The bytes of each file below a folder, by name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _metrics(checkpoint):
    sources = {"dfdc": _figures(accuracy=0.8125, auc=0.875), "own|pics": _figures(accuracy=0.75, auc=None)}
    changed = [
        {"source": source, "change": change, "level": level, "accuracy": auc, "auc": auc}
        for source in (*sources, "all")
        for change, level, auc in [("none", None, 0.9), ("jpeg", 30, 0.7)]
    ]
    return {
        "checkpoint": {"name": str(checkpoint), "revision": "local", "sha256": examine_checkpoint(checkpoint).sha256},
        "data": "data",
        "part": "report",
        "threshold": 0.5,
        "bootstrap": {"over": "groups", "num_draws": 1000, "confidence": 0.95, "seed": 83},
        "all": _figures(accuracy=0.78),
        "sources": sources,
        "robustness": changed,
        "pooled": False,
        "run": None,
        "evaluation": {"seconds": 1.0, "device": "cpu"},
    }


def _figures(**values):
    """Each figure 0.5 if it is not told, with an interval of 0.1 below and above."""
    given = {name: values.get(name, 0.5) for name in TITLES}
    ends = {name: (None, None) if v is None else (v - 0.1, v + 0.1) for name, v in given.items()}
    rows = {name: {"value": given[name], "low": ends[name][0], "high": ends[name][1]} for name in TITLES}
    return {"num_images": 40, "num_groups": 20} | rows
