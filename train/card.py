"""The model card of a run: what it was made of, how good it is, and what it must not be used for."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template

from train.data import count_table, find_samples
from train.evaluate import source_table
from virtus.errors import DataError
from virtus.evaluation import Evaluation

TEMPLATES = Path(__file__).parent / "cards"


def write_card(file: Path, checkpoint: Path, results: dict[str, Evaluation], data: Path) -> None:
    """Fill the recipe's card (`train/cards/`) with the figures of a run that `fit` made.

    Raises:
        DataError: if the checkpoint's `train_config.json` is not beside its folder.
    """
    try:
        config = json.loads((checkpoint.parent / "train_config.json").read_text(encoding="utf-8"))
    except OSError as exc:
        raise DataError(f"{checkpoint.parent} holds no train_config.json: a card is written for a run of fit.") from exc
    template = Template((TEMPLATES / f"{config['recipe']}.md").read_text(encoding="utf-8"))
    text = template.substitute(
        name=config["recipe"],
        recipe=config["recipe"],
        base=Path(config["base"]).name,
        table=source_table(results),
        counts=count_table(find_samples(data)),
        margin="{} to {}".format(*config["augmentation"]["margin"]),
    )
    file.write_text(text, encoding="utf-8")
