"""Findings as PNGs: the only file of `train` that draws with matplotlib.

Real and fake are told apart by colour and by line or hatching, so that no one needs to see colours.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from train.checks import SHORTCUT, SUSPECT, Audit, Shortcut
from train.report.intervals import Figure, Judgements
from train.report.robustness import CHANGES, PictureChange, Robustness
from virtus.checkpoints import NUM_BINS, reliability
from virtus.drawing import TONES
from virtus.results import Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

REAL, FAKE, QUIET = TONES[Outcome.REAL].colour, TONES[Outcome.FAKE].colour, TONES[Outcome.NO_FACE].colour
DPI = 120
# Lines: Okabe & Ito (2008) without yellow, which white paper swallows; each with a dash and a mark of its own.
COLOURS = ("#0072b2", "#c24a00", "#007a5a", "#8b4a8b", "#5f6b7a", "#a06a00")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKS = "osD^vP"


def write_audit(folder: Path, audit: Audit) -> None:
    """Write `audit.json` and `audit.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "audit.json").write_text(json.dumps(audit.to_json(), indent=1) + "\n", encoding="utf-8")
    draw_shortcuts(audit.shortcuts, folder / "audit.png")


def draw_shortcuts(shortcuts: Sequence[Shortcut], file: Path) -> None:
    """A bar for each statistic before and after the crop, from 0.5 (chance) on, as PNG."""
    canvas, ((axes,),) = _panels(1, 1, size=(8, 0.42 * len(shortcuts) + 1.4))
    places = np.arange(len(shortcuts))
    before, after = ([getattr(shortcut, name) or 0.5 for shortcut in shortcuts] for name in ("auc_before", "auc_after"))
    axes.barh(places - 0.2, np.subtract(before, 0.5), 0.38, 0.5, color=FAKE, label="picture as it is")
    axes.barh(places + 0.2, np.subtract(after, 0.5), 0.38, 0.5, color=REAL, label="after the one crop")
    for limit, name in ((SUSPECT, "suspect"), (SHORTCUT, "shortcut")):
        axes.axvline(limit, color=QUIET, linestyle=":", linewidth=1)
        above = axes.get_xaxis_transform()  # x in data, y as a share of the axes
        axes.text(limit, 1.01, name, ha="center", fontsize=8, color=QUIET, transform=above)
    axes.set(xlim=(0.5, 1.0), yticks=places, yticklabels=[shortcut.statistic for shortcut in shortcuts])
    axes.set_xlabel("AUC with which this alone tells fake from real")
    axes.invert_yaxis()
    axes.legend(loc="lower right", frameon=False)
    _save(canvas, file)


def draw_confusion(sets: Mapping[str, Judgements], file: Path) -> None:
    """Truth against answer at THRESHOLD, for each set: counts, and the share of the truth's row."""
    canvas, panels = _grid(len(sets), width=3.4, height=3.2)
    for axes, (name, judgements) in zip(panels, sets.items(), strict=False):
        counts = np.array(judgements.confusion())
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        texts = [f"{count}\n{share:.1%}" for count, share in zip(counts.flat, shares.flat, strict=True)]
        _draw_cells(axes, shares, texts, fontsize=13)
        axes.set(title=name, xticks=(0, 1), xticklabels=("called real", "called fake"))
        axes.set(yticks=(0, 1), yticklabels=("is real", "is fake"))
        axes.spines[:].set_visible(True)
    _save(canvas, file)


def draw_classification_report(reports: Mapping[str, dict], file: Path) -> None:
    """Precision, recall and F1 of each class and their means, for each set; shades from 0 to 1.

    Args:
        reports: rows of scikit-learn's `classification_report(output_dict=True)` for each set.
    """
    columns = ("precision", "recall", "f1-score")
    canvas, panels = _grid(len(reports), width=4.4, height=2.8)
    for axes, (name, rows) in zip(panels, reports.items(), strict=False):
        values = np.array([[row[column] for column in columns] for row in rows.values()], dtype=float)  # None is NaN
        _draw_cells(axes, values, ["-" if np.isnan(value) else f"{value:.3f}" for value in values.flat], fontsize=11)
        axes.set_aspect("auto")
        labels = [f"{label} ({row['support']:.0f})" for label, row in rows.items()]
        axes.set(title=name, xticks=range(3), xticklabels=columns, yticks=range(len(rows)), yticklabels=labels)
    _save(canvas, file)


def _draw_cells(axes: Axes, values: np.ndarray, texts: Sequence[str], *, fontsize: int) -> None:
    """A matrix of shares as shades, a text in each cell."""
    axes.imshow(values, cmap="Blues", vmin=0, vmax=1)
    for (row, column), text in zip(np.ndindex(values.shape), texts, strict=True):
        ink = "white" if values[row, column] > 0.55 else "black"
        axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=fontsize)


def draw_roc(panels: Mapping[str, Mapping[str, tuple[Judgements, Figure]]], file: Path) -> None:
    """ROC curves; the mark on a curve is where p is THRESHOLD.

    Args:
        panels: for each, by title, the curves by name: what was judged, and its AUC. One without an AUC is left out.
    """
    side = 6.4 if len(panels) == 1 else 5
    canvas, grid = _grid(len(panels), width=side, height=side)
    for axes, (title, curves) in zip(grid, panels.items(), strict=False):
        axes.plot((0, 1), (0, 1), color=QUIET, linewidth=1, linestyle=":", label="chance")
        for index, (name, (judgements, auc)) in enumerate(curves.items()):
            if auc.value is not None:
                _draw_curve(axes, index, f"{name}: AUC {auc.value:.3f}{_interval(auc)}", judgements)
        axes.set(title=title, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        axes.set(xlabel="share of real pictures called fake", ylabel="share of fake pictures called fake")
        axes.legend(loc="lower right")
    _save(canvas, file)


def _draw_curve(axes: Axes, index: int, label: str, judgements: Judgements) -> None:
    from sklearn.metrics import roc_curve

    truth, called = judgements.is_fake[judgements.judged], judgements.called_fake[judgements.judged]
    false_alarms, caught, _ = roc_curve(truth, judgements.p_fake[judgements.judged])
    mark = {"marker": MARKS[index % len(MARKS)], "markersize": 8}
    axes.plot(false_alarms, caught, **_line(index))
    axes.plot(called[~truth].mean(), called[truth].mean(), **_line(index), **mark, label=label)


def draw_reliability(sets: Mapping[str, Judgements], errors: Mapping[str, Figure], file: Path) -> None:
    """Share of fakes against mean p in each bin, for each set; below, how much of the pictures lies in it."""
    columns, rows = _shape(len(sets))
    canvas, panels = _panels(2 * rows, columns, size=(3.7 * columns, 4.4 * rows), heights=(3, 1) * rows)
    for index, (name, judgements) in enumerate(sets.items()):
        row, column = divmod(index, columns)
        _draw_bins(panels[2 * row, column], panels[2 * row + 1, column], name, judgements, errors[name])
    _save(canvas, file)


def _draw_bins(upper: Axes, lower: Axes, name: str, judgements: Judgements, error: Figure) -> None:
    upper.plot((0, 1), (0, 1), color=QUIET, linewidth=1, linestyle=":")
    bins = reliability(judgements.is_fake[judgements.judged], judgements.p_fake[judgements.judged])
    upper.set(title=f"{name}: ECE {'-' if error.value is None else f'{error.value:.3f}'}")
    if bins is None:
        upper.text(0.5, 0.5, "needs both classes", ha="center", color=QUIET)
    else:
        share, mean_p, share_fake = bins
        full = share > 0
        upper.vlines(mean_p[full], mean_p[full], share_fake[full], color=FAKE, linewidth=1.5)
        upper.scatter(mean_p[full], share_fake[full], 12 + 400 * share[full], color=REAL, zorder=2, clip_on=False)
        lower.bar((np.arange(NUM_BINS) + 0.5) / NUM_BINS, share, 0.9 / NUM_BINS, color=QUIET)
    upper.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel="share of fakes")
    lower.set(xlim=(-0.02, 1.02), xlabel="p of fake", ylabel="share")


def draw_histogram(sets: Mapping[str, Judgements], thresholds: Sequence[float], file: Path) -> None:
    """How p is spread in each class, for each set; dotted, the thresholds."""
    edges = np.linspace(0, 1, 21)
    styles = ({"alpha": 0.55, "color": REAL}, {"fill": False, "hatch": "////", "edgecolor": FAKE})
    canvas, panels = _grid(len(sets), width=4.4, height=2.9)
    for axes, (name, judgements) in zip(panels, sets.items(), strict=False):
        for is_fake, label in enumerate(("real", "fake")):
            p = judgements.p_fake[judgements.judged & (judgements.is_fake == is_fake)]
            if len(p):
                each = np.full(len(p), 1 / len(p))
                axes.hist(p, edges.tolist(), weights=each, label=f"{label} ({len(p)})", **styles[is_fake])
        for threshold in set(thresholds):
            axes.axvline(threshold, color=QUIET, linewidth=1, linestyle=":")
        axes.set(title=name, xlim=(0, 1), xlabel="p of fake", ylabel="share of the class")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper center", framealpha=0.9, edgecolor="none")
    _save(canvas, file)


def draw_robustness(rows: Sequence[Robustness], file: Path) -> None:
    """Accuracy and AUC under each change, a line for each source and all."""
    canvas, panels = _panels(2, len(CHANGES), size=(13, 6.2), sharey="row")
    by_place = {(row.source, row.change, row.level): row for row in rows}
    names = list(dict.fromkeys(row.source for row in rows))
    for column, change in enumerate(CHANGES):
        steps = _steps(change)
        places = [(change.name, level) if level is not None else ("none", None) for level, _ in steps]
        for index, name in enumerate(names):
            style = {"marker": MARKS[index % len(MARKS)], "markersize": 5, "label": name, **_line(index)}
            for row, figure in enumerate(("accuracy", "auc")):
                values = [getattr(by_place[name, *place], figure) for place in places]
                panels[row][column].plot(range(len(steps)), np.array(values, dtype=float), **style)  # None is NaN
        for axes in panels[:, column]:
            axes.set_xticks(range(len(steps)), [label for _, label in steps])
            axes.margins(x=0.12)
        panels[0][column].set_title(change.title)
        panels[1][column].set_xlabel(change.unit)
    panels[0][0].set_ylabel("accuracy (p at 0.5)")
    panels[1][0].set_ylabel("AUC")
    lines = panels[0][0].get_legend_handles_labels()
    canvas.legend(*lines, loc="outside lower center", ncols=min(len(names), 6), frameon=False)
    _save(canvas, file)


def _steps(change: PictureChange) -> list[tuple[float | None, str]]:
    """Levels with their labels, the unchanged picture (None) in its place among them."""
    levels = sorted((*change.levels, change.clean), reverse=max(change.levels) < change.clean)
    return [(None, "as is") if level == change.clean else (level, f"{level:g}") for level in levels]


def _line(index: int) -> dict:
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": DASHES[index % len(DASHES)], "linewidth": 1.8}


def _interval(figure: Figure) -> str:
    return "" if figure.low is None else f" ({figure.low:.3f} to {figure.high:.3f})"


def _shape(count: int) -> tuple[int, int]:
    """Columns and rows for so many panels."""
    columns = count if count <= 3 else 2 if count == 4 else 3
    return columns, math.ceil(count / columns)


def _grid(count: int, *, width: float, height: float) -> tuple[Canvas, list[Axes]]:
    """At least `count` panels of a size in inches."""
    columns, rows = _shape(count)
    canvas, panels = _panels(rows, columns, size=(width * columns, height * rows))
    return canvas, panels.ravel().tolist()


def _panels(
    rows: int,
    columns: int,
    *,
    size: tuple[float, float],
    heights: Sequence[float] | None = None,
    sharey: bool | Literal["row"] = False,
) -> tuple[Canvas, np.ndarray]:
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=size, layout="constrained")
    panels = canvas.subplots(rows, columns, squeeze=False, height_ratios=heights, sharey=sharey)
    for axes in panels.ravel():
        axes.spines[["top", "right"]].set_visible(False)
    return canvas, panels


def _save(canvas: Canvas, file: Path) -> None:
    """Write the PNG; panels that hold nothing, the last row's, are not seen."""
    for axes in canvas.axes:
        axes.set_visible(axes.has_data())
    canvas.savefig(file, dpi=DPI)
