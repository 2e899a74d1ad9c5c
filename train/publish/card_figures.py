"""How good a run is and what its p is worth, as its model card says it."""

from __future__ import annotations

from train.publish.run import PLOTS, Run
from train.report import MEANINGS, POOLED, TITLES, Figure, Table, figure_cell, or_dash, to_markdown
from virtus.results import Calibration

HELD_OUT = "On held-out pictures that neither trained, chose nor calibrated it{groups}."
SHARING_NONE = ", and share no group with those that did"
CROSSING = ". **{} groups lie in several splits**, which flatters it"
INTERVALS = (
    "In brackets: {level:.0%} intervals, from {draws} draws of whole groups (pictures of one person, video or "
    "photo). They say how far the choice of pictures moves a figure, not how it does on pictures of another kind."
)
ROBUSTNESS = "AUC when the picture is changed, its face where it was found before the change:"
CHANGES = {  # of train.report.robustness, which a card need not load
    "jpeg": "JPEG quality",
    "scale": "scaled down and up by",
    "blur": "blur, px",
    "noise": "noise, of 255",
    "brightness": "brightness times",
}
UNCALIBRATED = (
    "p is **not calibrated**: 0.9 does not mean that nine of ten are fakes. A face is called fake from p = 0.5 on."
)
CALIBRATED = (
    "p is calibrated with temperature {temperature:.3f} and bias {bias:.3f}, fitted on {pictures} that neither "
    "trained, chose nor reported.{errors} A face is {verdicts}. This holds for pictures like those, and for Virtus: "
    "plain transformers does not apply it."
)


def describe_figures(run: Run, plots: str | None) -> str:
    """The figures of each source, with their intervals, and how they change with the picture.

    Args:
        plots: the folder that the report's pictures lie in; None leaves them out.
    """
    sets, bootstrap = _shown_sets(run.metrics), run.metrics["bootstrap"]
    parts = [_held_out(run), _figures(sets)]
    parts.append(INTERVALS.format(level=bootstrap["confidence"], draws=bootstrap["num_draws"]))
    parts += [_robustness(run.metrics["robustness"], list(sets))] if run.metrics["robustness"] else []
    parts += [f"![{PLOTS[name]}]({plots}/{name})" for name in run.plots] if plots else []
    return "\n\n".join(parts)


def describe_calibration(one: Calibration | None) -> str:
    """What p means, and from where on a face is called real or fake."""
    if one is None:
        return UNCALIBRATED
    errors, between = "", ", `inconclusive` between" if one.real_below < one.fake_above else ""
    if one.ece_before is not None and one.ece_after is not None:
        errors = f" Its expected error on them went from {one.ece_before:.3f} to {one.ece_after:.3f}."
    return CALIBRATED.format(
        temperature=one.temperature,
        bias=one.bias,
        pictures=f"{one.num_pictures} held-out pictures" if one.num_pictures else "held-out pictures",
        errors=errors,
        verdicts=f"`real` below {one.real_below:.3f}, `fake` from {one.fake_above:.3f} on{between}",
    )


def _shown_sets(metrics: dict) -> dict[str, dict]:
    """The sets that differ: "all" says nothing new of one source."""
    return metrics["sources"] | ({"all": metrics["all"]} if len(metrics["sources"]) > 1 else {})


def _held_out(run: Run) -> str:
    if run.pooled:
        return f"**{POOLED}**"
    crossing = ((run.record or {}).get("audit") or {}).get("crossing_groups", 0)
    return HELD_OUT.format(groups=CROSSING.format(crossing) if crossing else SHARING_NONE)


def _figures(sets: dict[str, dict]) -> str:
    rows = [
        [name, str(own["num_images"]), *(figure_cell(figure, Figure(**own[figure])) for figure in TITLES)]
        for name, own in sets.items()
    ]
    return to_markdown(Table(["source", "pictures", *TITLES.values()], rows, MEANINGS))


def _robustness(rows: list[dict], names: list[str]) -> str:
    """AUC of each set under each change."""
    aucs = {(row["source"], row["change"], row["level"]): row["auc"] for row in rows}
    steps = dict.fromkeys((row["change"], row["level"]) for row in rows)
    cells = [[_step(*step), *(or_dash(aucs[name, *step]) for name in names)] for step in steps]
    return to_markdown(Table(["change", *names], cells, ROBUSTNESS))


def _step(change: str, level: float | None) -> str:
    return "as it is" if level is None else f"{CHANGES.get(change, change)} {level:g}"
