"""What is known of each recipe: the figures that were published for it, and its faults."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from train.config.recipes import RECIPES

POOLED = "copies made before the split lie on both of its sides, groups cross it, and the 40 % both choose and report"
WHOLE = "whole pictures: size and place of the face give the class away"
SLOW = "a learning rate of 1e-6 hardly moves the backbone"


@dataclass(frozen=True)
class Published:
    """Figures as their authors gave them, and what is known to be wrong with how they came about.

    Attributes:
        checkpoint: on the Hub; None for a recipe of our own.
        figures: None where none were published.
        faults: of the recipe; a fault of the published code that the recipe here does not repeat says so.
    """

    checkpoint: str | None
    figures: str | None
    faults: tuple[str, ...]


PUBLISHED = {
    "virtus": Published(
        "agasta/virtus",
        "accuracy 0.9919, loss 0.0248, macro F1 0.9920 on 40 % of 190,402 pictures, after 2.3 h on one GPU",
        (POOLED, WHOLE, "the notebook's class re-initialises the backbone (mended here: it is kept)"),
    ),
    "flask-vit": Published(
        "Sxhni/deepfake-detector-vit",
        "accuracy 0.9924, loss 0.0229",
        (POOLED, WHOLE, "its base was trained on the same pictures, those held out here too"),
    ),
    "prithiv-celebdf": Published(
        "prithivMLmods/Deep-Fake-Detector-Model",
        "accuracy 0.69 on 2,586 pictures",
        (POOLED, "frames of one video lie on both sides of the split", SLOW),
    ),
    "prithiv-hemg": Published(
        "prithivMLmods/Deep-Fake-Detector-Model",
        "accuracy 0.6999 on 76,134 pictures",
        (POOLED, WHOLE, SLOW),
    ),
    "virtus-honest": Published(None, None, (SLOW,)),
    "virtus-tiny": Published(
        None, None, ("sees only the three kinds of fake that it was given, and self-blended ones",)
    ),
    "virtus-base": Published(
        None,
        None,
        (
            "draws each picture once, clean and degraded, so that more than a few epochs repeat what was seen",
            "kinds that it never saw it tells little better than by chance, those of other generators above all: "
            "docs/benchmarks.md",
        ),
    ),
    "virtus-fast": Published(
        None,
        None,
        ("draws each picture once, as virtus-base does", "what its teacher gets wrong it is taught too"),
    ),
    "gend": Published(
        "yermandy/GenD_CLIP_L_14",
        "AUC 0.960 on Celeb-DF v2, trained on FaceForensics++ alone (arXiv 2508.06248)",
        (
            "the published one adds losses of alignment (0.1) and uniformity (0.5), and begins its cosine anew every "
            "10 epochs (here cross entropy, and one cosine)",
            "without groups that hold a fake and its original there are no pairs, which it calls essential",
        ),
    ),
}


SETTINGS = {
    "base": "base",
    "split": "split",
    "balance": "balance",
    "crop": "crop",
    "tune": "tune",
    "head": "head",
    "pairs": "pairs",
    "epochs": "num_epochs",
    "lr": "learning_rate",
    "decay": "weight_decay",
    "warm-up": "warmup",
    "batch": "batch_size",
    "teacher": "teacher",
}


def recipe_table() -> str:
    """The recipes side by side, a line each, then of each the published figures and known faults."""
    configs = {name: make("DATA") for name, make in RECIPES.items()}
    rows = [("recipe", *SETTINGS)]
    for name, config in configs.items():
        values = [getattr(config, key) for key in SETTINGS.values()]
        rows.append((name, *(f"{value:g}" if isinstance(value, float) else str(value) for value in values)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *(_notes(name) for name in configs)])


def _notes(name: str) -> str:
    known = PUBLISHED[name]
    lines = ["", f"{name}: {inspect.getdoc(RECIPES[name])}"]
    lines += [f"  published for {known.checkpoint}: {known.figures}"] if known.figures else []
    return "\n".join([*lines, *(f"  known fault: {fault}" for fault in known.faults)])
