"""Several checkpoints side by side on the same pictures, and how sure their differences are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from string import ascii_uppercase

import numpy as np

from train.data import Sample
from train.report import plots
from train.report.assessment import Assessment, assess, timed
from train.report.document import Document, Picture, Section, Table, Text, to_markdown
from train.report.evaluate import judge, judge_again
from train.report.folder import cost_table, subtitle
from train.report.intervals import Figure, Judgements, with_intervals
from train.report.wording import DIFFERENCE, INTERVALS, MEANINGS, PAIRED, POOLED, TITLES, figure_cell
from virtus.checkpoints import Detector

SHOWN = [name for name in TITLES if name != "judged"]  # the faces are the same, and so is the share judged


@dataclass(frozen=True)
class Disagreement:
    """Two checkpoints on the same judged pictures.

    Attributes:
        first, second: their labels.
        outcomes: the share of pictures that came out otherwise.
        only_first_right, only_second_right: how many only one of them called right at p = 0.5.
    """

    first: str
    second: str
    outcomes: Figure
    only_first_right: int
    only_second_right: int

    def to_json(self) -> dict:
        return {**vars(self), "outcomes": self.outcomes.to_json()}


@dataclass(frozen=True)
class Comparison:
    """Checkpoints on the same pictures.

    Attributes:
        assessments: by label, "A" first.
        differences: for each set and label, its AUC minus that of A.
        disagreements: of each pair, over all pictures.
    """

    assessments: dict[str, Assessment]
    differences: dict[str, dict[str, Figure]]
    disagreements: list[Disagreement]

    @property
    def first(self) -> Assessment:
        return next(iter(self.assessments.values()))

    def to_json(self) -> dict:
        """The content of compare.json; `checkpoints` are as in a metrics.json of their own, without robustness."""
        differences = {
            name: {label: figure.to_json() for label, figure in own.items()} for name, own in self.differences.items()
        }
        return {
            "checkpoints": {label: one.to_json() for label, one in self.assessments.items()},
            "auc_minus_first": differences,
            "disagreements": [one.to_json() for one in self.disagreements],
        }

    def table(self) -> str:
        """Markdown, for a terminal."""
        tables = [_who(self), *(_table(self, name) for name in self.first.shown_sets), _disagreement_table(self)]
        return "\n\n".join(to_markdown(table) for table in tables)


def compare(detectors: Sequence[Detector], samples: Sequence[Sample], *, data: str, part: str) -> Comparison:
    """Judge the same pictures with several checkpoints; faces are found once, by the way.

    Raises:
        ValueError: for fewer than two checkpoints.
    """
    if len(detectors) < 2:
        raise ValueError("a comparison needs at least two checkpoints")
    assessments, judged = [], None
    for detector in detectors:
        judged, seconds = timed(judge, detector, samples) if judged is None else timed(judge_again, detector, judged)
        assessments.append(assess(detector, judged, data=data, part=part, seconds=seconds, robustness=False))
    return compare_assessments(assessments)


def compare_assessments(assessments: Sequence[Assessment]) -> Comparison:
    """Set assessments of the same pictures side by side."""
    labelled = dict(zip(_labels(len(assessments)), assessments, strict=True))
    return Comparison(
        labelled,
        {name: _differences(labelled, name) for name in assessments[0].sets},
        [_disagreement(pair, labelled) for pair in combinations(labelled, 2)],
    )


def write_comparison(folder: Path, comparison: Comparison) -> None:
    """Write compare.json, compare.md, compare.html and compare_roc.png."""
    text = json.dumps(comparison.to_json(), indent=1, allow_nan=False)
    (folder / "compare.json").write_text(text + "\n", encoding="utf-8")
    panels = _roc_panels(comparison)
    if panels:
        plots.draw_roc(panels, folder / "compare_roc.png")
    title = f"{len(comparison.assessments)} checkpoints on the same pictures"
    Document(title, subtitle(comparison.first), _sections(comparison)).save(folder, "compare")


def _labels(count: int) -> list[str]:
    """A, B, C ...: names of checkpoints are paths, too long for a table, and can be the same twice."""
    return [ascii_uppercase[index] if index < 26 else f"#{index + 1}" for index in range(count)]


def _sources(assessment: Assessment, name: str) -> list[str]:
    return [assessment.judged[index].sample.source for index in assessment.sets[name]]


def _differences(labelled: dict[str, Assessment], name: str) -> dict[str, Figure]:
    first, *others = labelled
    own = {label: one.judgements[name] for label, one in labelled.items()}

    def differences(weights: np.ndarray) -> dict[str, float]:
        auc = own[first].auc(weights)
        return {label: own[label].auc(weights) - auc for label in others}

    return with_intervals(differences, own[first].groups, _sources(labelled[first], name))


def _disagreement(pair: tuple[str, str], labelled: dict[str, Assessment]) -> Disagreement:
    first, second = (labelled[label].judgements["all"] for label in pair)
    judged = first.judged & second.judged
    differ = judged & (first.outcome != second.outcome)

    def share(weights: np.ndarray) -> dict[str, float]:
        whole = weights[judged].sum()
        return {"outcomes": weights[differ].sum() / whole if whole else np.nan}

    found = with_intervals(share, first.groups, _sources(labelled[pair[0]], "all"))
    right = [_right(one) & judged for one in (first, second)]
    only = [int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())]
    return Disagreement(*pair, found["outcomes"], *only)


def _right(judgements: Judgements) -> np.ndarray:
    return judgements.called_fake == judgements.is_fake


def _roc_panels(comparison: Comparison) -> dict[str, dict]:
    panels = {
        name: {
            label: (one.judgements[name], one.figures[name]["auc"])
            for label, one in comparison.assessments.items()
            if one.figures[name]["auc"].value is not None
        }
        for name in comparison.first.shown_sets
    }
    return {name: curves for name, curves in panels.items() if curves}


def _sections(comparison: Comparison) -> list[Section]:
    tables = [_table(comparison, name) for name in comparison.first.shown_sets]
    sections = [
        Section("Checkpoints", [_who(comparison), cost_table(list(comparison.assessments.items()))]),
        Section("Figures", [*tables, Text(PAIRED), Text(MEANINGS), Text(INTERVALS)]),
    ]
    if _roc_panels(comparison):
        caption = "A panel for each source, a curve for each checkpoint. The mark on a curve is p = 0.5."
        sections.append(Section("ROC", [Picture("compare_roc.png", "ROC curves of the checkpoints", caption)]))
    return [*sections, Section("Disagreement", [_disagreement_table(comparison)])]


def _who(comparison: Comparison) -> Table:
    rows = [
        [label, one.checkpoint.name, one.checkpoint.revision, one.checkpoint.sha256[:12]]
        for label, one in comparison.assessments.items()
    ]
    caption = "Who is who. Each crops and judges in its own way."
    flattered = [label for label, one in comparison.assessments.items() if one.pooled]
    note = f" {', '.join(flattered)}: {POOLED}" if flattered else ""
    return Table(["", "checkpoint", "revision", "sha256"], rows, caption + note)


def _table(comparison: Comparison, name: str) -> Table:
    differences = comparison.differences[name]
    rows = []
    for label, one in comparison.assessments.items():
        figures = one.figures[name]
        cells = {figure: figure_cell(figure, figures[figure]) for figure in SHOWN}
        difference = figure_cell(DIFFERENCE, differences[label]) if label in differences else "-"
        rows.append([label, cells.pop("auc"), difference, *cells.values()])
    others = [TITLES[figure] for figure in SHOWN if figure != "auc"]
    own = comparison.first.judgements[name]
    caption = f"{name}: {len(own)} pictures, {own.judged.sum()} of them judged."
    return Table(["", "AUC", "AUC - A", *others], rows, caption)


def _disagreement_table(comparison: Comparison) -> Table:
    rows = []
    for one in comparison.disagreements:
        only = (str(one.only_first_right), str(one.only_second_right))
        rows.append([f"{one.first} and {one.second}", figure_cell("judged", one.outcomes), *only])
    caption = "Of all judged pictures, how many came out otherwise; and which of the two alone was right, at p = 0.5."
    return Table(["pair", "other outcome", "only the first is right", "only the second is right"], rows, caption)
