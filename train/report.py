"""Pictures of findings: the only file of `train` that draws with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from train.shortcuts import SHORTCUT, SUSPECT, Shortcut


def draw_shortcuts(shortcuts: Sequence[Shortcut], file: Path) -> None:
    """A bar for each statistic before and after the crop, from 0.5 (chance) on, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.42 * len(shortcuts) + 1.4), layout="constrained")
    axes = figure.add_subplot()
    places = range(len(shortcuts))
    for shift, colour, name in ((-0.2, "#c24a00", "before"), (0.2, "#0072b2", "after")):
        aucs = [getattr(one, f"auc_{name}") or 0.5 for one in shortcuts]
        label = "picture as it is" if name == "before" else "after the one crop"
        axes.barh(
            [place + shift for place in places], [auc - 0.5 for auc in aucs], 0.38, 0.5, color=colour, label=label
        )
    for limit, name in ((SUSPECT, "suspect"), (SHORTCUT, "shortcut")):
        axes.axvline(limit, color="#5f6b7a", linestyle=":", linewidth=1)
        above = axes.get_xaxis_transform()  # x in data, y as a share of the axes
        axes.text(limit, 1.01, name, ha="center", fontsize=8, color="#5f6b7a", transform=above)
    axes.set(xlim=(0.5, 1.0), yticks=list(places), yticklabels=[one.statistic for one in shortcuts])
    axes.set_xlabel("AUC with which this alone tells fake from real")
    axes.invert_yaxis()
    axes.legend(loc="lower right", frameon=False)
    figure.savefig(file, dpi=120)
