"""A checkpoint's model card: what its makers say of it, and what they measured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CARD_FILE = "README.md"
MAX_CHARS = 200_000  # of a card; a checkpoint from the Hub is anybody's word
METRICS = {"roc_auc": "AUC", "accuracy": "Accuracy", "f1": "Macro F1"}
_HEADING = re.compile(r"^## +(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Measured:
    """Figures of one data set.

    Attributes:
        dataset: its name.
        figures: name of the metric, of `METRICS`, to its value in [0, 1].
    """

    dataset: str
    figures: dict[str, float]


@dataclass(frozen=True)
class Card:
    """A model card.

    Attributes:
        sections: Markdown below each heading of the second level, by the heading.
        measured: the figures in its metadata, a data set each.
    """

    sections: dict[str, str]
    measured: tuple[Measured, ...]


def read_card(folder: Path) -> Card | None:
    """The card in a checkpoint's folder (README.md, as on the Hugging Face Hub).

    None where there is none, or it is not to be understood: a checkpoint judges as well without.
    """
    from huggingface_hub import ModelCard

    try:
        text = (folder / CARD_FILE).read_text(encoding="utf-8")[:MAX_CHARS]
        card = ModelCard(text, ignore_metadata_errors=True)
    except Exception:  # no such file, no UTF-8, and what YAML can be is for its reader to say
        return None
    return Card(_sections(card.text), _measured(getattr(card.data, "eval_results", None) or []))


def _sections(text: str) -> dict[str, str]:
    _, *parts = _HEADING.split(text)
    return {heading: body.strip() for heading, body in zip(parts[::2], parts[1::2], strict=True)}


def _measured(results: list) -> tuple[Measured, ...]:
    by_dataset: dict[str, dict[str, float]] = {}
    for result in results:
        name, value = METRICS.get(result.metric_type), result.metric_value
        if name and isinstance(value, (int, float)) and 0 <= value <= 1:
            by_dataset.setdefault(str(result.dataset_name), {})[name] = float(value)
    return tuple(Measured(dataset, figures) for dataset, figures in by_dataset.items())
