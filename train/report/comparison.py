"""Several checkpoints side by side on the same pictures, and how sure their differences are."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from string import ascii_uppercase

import numpy as np

from train.data import Sample
from train.report import plots
from train.report.assessment import Assessment, assess
from train.report.document import Paragraph, Picture, ReportDocument, Section, Table, to_markdown
from train.report.evaluate import judge, judge_again
from train.report.folder import cost_table, subtitle
from train.report.intervals import Figure, with_intervals
from train.report.wording import DIFFERENCE, INTERVALS, MEANINGS, PAIRED, POOLED, TITLES, figure_cell
from virtus.checkpoints import Detector


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


@dataclass(frozen=True)
class CheckpointComparison:
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
        return {
            "checkpoints": {label: assessment.to_json() for label, assessment in self.assessments.items()},
            "auc_minus_first": {
                name: {label: asdict(figure) for label, figure in by_label.items()}
                for name, by_label in self.differences.items()
            },
            "disagreements": [asdict(disagreement) for disagreement in self.disagreements],
        }

    def table(self) -> str:
        """Markdown, for a terminal."""
        tables = [_who(self), *(_table(self, name) for name in self.first.shown_sets), _disagreement_table(self)]
        return "\n\n".join(to_markdown(table) for table in tables)


def compare(detectors: Sequence[Detector], samples: Sequence[Sample], *, data: str, part: str) -> CheckpointComparison:
    """Judge the same pictures with several checkpoints, of faces, which are found once, or of whole pictures.

    Raises:
        ValueError: for fewer than two checkpoints.
    """
    if len(detectors) < 2:
        raise ValueError("a comparison needs at least two checkpoints")
    assessments, with_faces = list[Assessment](), None
    for detector in detectors:
        start, of_pictures = time.perf_counter(), detector.checkpoint.judges_pictures
        judged = judge(detector, samples) if of_pictures or with_faces is None else judge_again(detector, with_faces)
        with_faces = with_faces if of_pictures else judged
        elapsed_s = time.perf_counter() - start
        assessments.append(assess(detector, judged, data=data, part=part, elapsed_s=elapsed_s, robustness=False))
    return compare_assessments(assessments)


def compare_assessments(assessments: Sequence[Assessment]) -> CheckpointComparison:
    """Set assessments of the same pictures side by side."""
    # Names of checkpoints are paths, too long for a table, and can be the same twice: A, B, C ... stand for them.
    labels = [*ascii_uppercase, *(f"#{number}" for number in range(27, len(assessments) + 1))]
    labelled = dict(zip(labels, assessments, strict=False))
    return CheckpointComparison(
        labelled,
        {name: _differences(labelled, name) for name in assessments[0].sets},
        [_disagreement(pair, labelled) for pair in combinations(labelled, 2)],
    )


def write_comparison(folder: Path, comparison: CheckpointComparison) -> None:
    """Write compare.json, compare.md, compare.html and compare_roc.png."""
    text = json.dumps(comparison.to_json(), indent=1, allow_nan=False)
    (folder / "compare.json").write_text(text + "\n", encoding="utf-8")
    panels = _roc_panels(comparison)
    if panels:
        plots.draw_roc(panels, folder / "compare_roc.png")
    title = f"{len(comparison.assessments)} checkpoints on the same pictures"
    ReportDocument(title, subtitle(comparison.first), _sections(comparison)).save(folder, "compare")


def _differences(labelled: dict[str, Assessment], name: str) -> dict[str, Figure]:
    """Each AUC minus that of the first, on the pictures that both judged."""
    first, *others = (assessment.judgements[name] for assessment in labelled.values())
    labels = list(labelled)

    def differences(weights: np.ndarray) -> dict[str, float]:
        shared = [weights * (first.judged & other.judged) for other in others]
        found = (other.auc(both) - first.auc(both) for other, both in zip(others, shared, strict=True))
        return dict(zip(labels[1:], found, strict=True))

    return with_intervals(differences, first.groups, labelled[labels[0]].sources_of(name))


def _disagreement(pair: tuple[str, str], labelled: dict[str, Assessment]) -> Disagreement:
    first, second = (labelled[label].judgements["all"] for label in pair)
    judged = first.judged & second.judged
    differ = judged & (first.outcome != second.outcome)

    def share(weights: np.ndarray) -> dict[str, float]:
        whole = weights[judged].sum()
        return {"outcomes": weights[differ].sum() / whole if whole else np.nan}

    figures = with_intervals(share, first.groups, labelled[pair[0]].sources_of("all"))
    right = [judged & (judgements.called_fake == judgements.is_fake) for judgements in (first, second)]
    only_first, only_second = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    return Disagreement(*pair, figures["outcomes"], only_first, only_second)


def _roc_panels(comparison: CheckpointComparison) -> dict[str, dict]:
    panels = {name: dict[str, tuple]() for name in comparison.first.shown_sets}
    for label, assessment in comparison.assessments.items():
        for name, curves in panels.items():
            if (auc := assessment.figures[name]["auc"]).value is not None:
                curves[label] = assessment.judgements[name], auc
    return {name: curves for name, curves in panels.items() if curves}


def _sections(comparison: CheckpointComparison) -> list[Section]:
    tables = [_table(comparison, name) for name in comparison.first.shown_sets]
    sections = [
        Section("Checkpoints", [_who(comparison), cost_table(list(comparison.assessments.items()))]),
        Section("Figures", [*tables, Paragraph(PAIRED), Paragraph(MEANINGS), Paragraph(INTERVALS)]),
    ]
    if _roc_panels(comparison):
        caption = "A panel for each source, a curve for each checkpoint. The mark on a curve is p = 0.5."
        sections.append(Section("ROC", [Picture("compare_roc.png", "ROC curves of the checkpoints", caption)]))
    return [*sections, Section("Disagreement", [_disagreement_table(comparison)])]


def _who(comparison: CheckpointComparison) -> Table:
    infos = {label: assessment.checkpoint for label, assessment in comparison.assessments.items()}
    rows = [[label, info.name, info.revision, info.sha256[:12]] for label, info in infos.items()]
    caption = "Who is who. Each crops and judges in its own way."
    flattered = [label for label, assessment in comparison.assessments.items() if assessment.pooled]
    note = f" {', '.join(flattered)}: {POOLED}" if flattered else ""
    return Table(["", "checkpoint", "revision", "sha256"], rows, caption + note)


def _table(comparison: CheckpointComparison, name: str) -> Table:
    differences, rows = comparison.differences[name], []
    for label, assessment in comparison.assessments.items():
        cells = {figure: figure_cell(figure, assessment.figures[name][figure]) for figure in TITLES}
        difference = figure_cell(DIFFERENCE, differences[label]) if label in differences else "-"
        rows.append([label, cells.pop("auc"), difference, *cells.values()])
    others = [TITLES[figure] for figure in TITLES if figure != "auc"]
    caption = f"{name}: {len(comparison.first.judgements[name])} pictures."
    return Table(["", "AUC", "AUC - A", *others], rows, caption)


def _disagreement_table(comparison: CheckpointComparison) -> Table:
    rows = [
        [
            f"{pair.first} and {pair.second}",
            figure_cell("judged", pair.outcomes),
            str(pair.only_first_right),
            str(pair.only_second_right),
        ]
        for pair in comparison.disagreements
    ]
    caption = "Of all judged pictures, how many came out otherwise; and which of the two alone was right, at p = 0.5."
    return Table(["pair", "other outcome", "only the first is right", "only the second is right"], rows, caption)
