"""The model card of a run: what it was made of, how good it is, and what it must not be used for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from train.checks import SUSPECT
from train.config import DEIT_BASE, DEIT_TINY, PUBLISHED, VIT_BASE
from train.publish.run import PLOTS, Run, read_run
from train.report import MEANINGS, POOLED, TITLES, Figure, Table, figure_cell, or_dash, to_markdown
from virtus.bundled import ASSETS
from virtus.checkpoints import is_repo_id
from virtus.errors import DataError

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

CHANGES = {  # of train.report.robustness, which a card need not load
    "jpeg": "JPEG quality",
    "scale": "scaled down and up by",
    "blur": "blur, px",
    "noise": "noise, of 255",
    "brightness": "brightness times",
}
WATTS_PER_CORE, WATTS_PER_GPU = 12.5, 350.0  # while busy, memory and cooling not counted
KG_CO2_PER_KWH = 0.48  # world's average of 2023 (Ember, Global Electricity Review 2024)
DEVICE = re.compile(r"(\d+) x .*\((?:(\d+) threads|cuda)\)")  # as `train.fit.record` writes it
INDEXED = {  # figures of metrics.json, with the Hub's name of their kind and a title
    "accuracy": ("accuracy", "Accuracy"),
    "macro_f1": ("f1", "Macro F1"),
    "auc": ("roc_auc", "AUC"),
}


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
    """The card as Markdown below YAML: `assets/cards/card.md`, filled, and in it what `cards/<recipe>.md` says.

    Args:
        name: its title; the recipe's by default.
        where: what `--model` and transformers take for it; the title by default.
        plots: the folder, beside the card, that the report's pictures lie in; None leaves them out.
    """
    from huggingface_hub import ModelCard
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    name, record = name or run.recipe, run.record or {}
    audit, counts = record.get("audit") or {}, record.get("counts") or []
    shortcuts = [
        row for row in audit.get("shortcuts") or [] if max(row["auc_before"] or 0, row["auc_after"] or 0) >= SUSPECT
    ]
    cards = Environment(  # Markdown, in which nothing is escaped but the cells of tables
        loader=FileSystemLoader(ASSETS / "cards"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = cards.get_template("card.md").render(
        run=run,
        name=name,
        where=where or name,
        margin=run.sidecar.get("margin", run.config.get("margin", "not said")),
        record=record,
        audit=audit,
        calibration=run.calibration,
        pooled=POOLED,
        figures=_figures(run.shown_sets),
        robustness=_robustness(run.metrics["robustness"], list(run.shown_sets)),
        plots=plots,
        captions=PLOTS,
        counts=counts,
        count_table=_counts(counts),
        sources=dict.fromkeys([row["source"] for row in counts] or run.metrics["sources"]),
        shortcuts=shortcuts,
        shortcut_table=_shortcuts(shortcuts),
        suspect=SUSPECT,
        faults=PUBLISHED[run.recipe].faults if run.recipe in PUBLISHED else (),
        apache_bases=(DEIT_TINY, DEIT_BASE, VIT_BASE),
    )
    text = re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"
    return str(ModelCard(f"---\n{metadata(run, name).to_yaml()}\n---\n\n{text}"))


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
            metric_value=round(figures[figure]["value"], 4),
        )
        for source, figures in sources.items()
        for figure, (kind, title) in INDEXED.items()
        if figures[figure]["value"] is not None
    ]


def _emissions(record: dict) -> dict:
    """Grams, estimated: hours times the power that such a device draws, times the world's average for each kWh."""
    device, hours = DEVICE.fullmatch(str(record.get("device"))), record.get("hours")
    if device is None or hours is None:
        return {}
    count, threads = device.groups()
    watts = int(count) * (int(threads) * WATTS_PER_CORE if threads else WATTS_PER_GPU)
    return {"co2_eq_emissions": {"emissions": round(hours * watts * KG_CO2_PER_KWH, 2), "source": "estimated"}}


def _figures(sets: dict[str, dict]) -> str:
    rows = [
        [name, str(row["num_images"]), *(figure_cell(figure, Figure(**row[figure])) for figure in TITLES)]
        for name, row in sets.items()
    ]
    return to_markdown(Table(["source", "pictures", *TITLES.values()], rows, MEANINGS))


def _robustness(rows: list[dict], names: list[str]) -> str:
    """AUC of each set under each change."""
    aucs = {(row["source"], row["change"], row["level"]): row["auc"] for row in rows}
    cells = []
    for change, level in dict.fromkeys((row["change"], row["level"]) for row in rows):
        label = "as it is" if level is None else f"{CHANGES.get(change, change)} {level:g}"
        cells.append([label, *(or_dash(aucs[name, change, level]) for name in names)])
    caption = "AUC when the picture is changed, its face where it was found before the change:"
    return to_markdown(Table(["change", *names], cells, caption))


def _counts(rows: list[dict]) -> str:
    cells = [[row["source"], row["split"] or "-", str(row["real"]), str(row["fake"])] for row in rows]
    return to_markdown(Table(["source", "split", "real", "fake"], cells, "Pictures of each source:"))


def _shortcuts(rows: list[dict]) -> str:
    cells = [[row["statistic"], or_dash(row["auc_before"]), or_dash(row["auc_after"]), row["verdict"]] for row in rows]
    caption = (
        f"Shortcuts: the AUC with which a trivial statistic alone tells fake from real, where it reaches {SUSPECT}."
    )
    return to_markdown(Table(["statistic", "in the picture", "after the crop", "left"], cells, caption))
