"""The model card of a run: what it was made of, how good it is, and what it must not be used for."""

from __future__ import annotations

from pathlib import Path
from string import Template

from train.publish.card_figures import describe_calibration, describe_figures
from train.publish.card_metadata import metadata
from train.publish.card_origin import (
    CARDS,
    describe_audit,
    describe_base,
    describe_cost,
    describe_data,
    describe_faults,
)
from train.publish.run import Run, read_run
from virtus.errors import DataError


def write_card(file: Path, folder: Path, *, name: str | None = None, where: str | None = None) -> None:
    """Write the card of a run with its report: see `train.publish.run.read_run` and `render_card`.

    Raises:
        DataError: if a part of the run is missing or not understood, or the file cannot be written.
    """
    card = render_card(read_run(folder), name=name, where=where)
    try:
        file.write_text(card, encoding="utf-8")
    except OSError as exc:
        raise DataError(f"The card {file} cannot be written ({exc.strerror}). Give another --out.") from exc


def render_card(run: Run, *, name: str | None = None, where: str | None = None, plots: str | None = None) -> str:
    """The card as Markdown below YAML.

    Args:
        name: its title; the recipe's by default.
        where: what `--model` and transformers take for it; the title by default.
        plots: the folder, beside the card, that the report's pictures lie in; None leaves them out.
    """
    from huggingface_hub import ModelCard

    name = name or run.recipe
    body = Template((CARDS / "card.md").read_text(encoding="utf-8")).substitute(
        name=name,
        where=where or name,
        recipe=run.recipe,
        base=run.base,
        margin=run.own.get("margin", run.config.get("margin", "not said")),
        figures=describe_figures(run, plots),
        calibration=describe_calibration(run.calibration),
        data=describe_data(run),
        audit=describe_audit(run.record),
        faults=describe_faults(run.recipe),
        cost=describe_cost(run.record),
        base_licence=describe_base(run.base),
    )
    return str(ModelCard(f"---\n{metadata(run, name).to_yaml()}\n---\n\n{body}"))
