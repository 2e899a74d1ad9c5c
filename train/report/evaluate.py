"""Held-out pictures judged with the engine's own face finder, crop and transform: what users will get."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from train.data import Sample, assign_splits, load_samples, part_of
from train.report.intervals import Judgements
from train.report.wording import SHARES, TITLES
from virtus.checkpoints import Detector
from virtus.errors import DataError
from virtus.faces import crop_face
from virtus.judging import Evaluation, evaluate_labelled, with_prediction
from virtus.media import load_image
from virtus.results import FaceCrop, FaceReport, ImageReport, Prediction, gravest

COLUMNS = [name for name in TITLES if name != "ece"]
READ_AHEAD = 64  # pictures whose crops are judged together


@dataclass(frozen=True)
class Judged:
    """A held-out picture and what was said of it. The crops are let go: those of a large data set fill the memory."""

    sample: Sample
    report: ImageReport


def held_out(data: str | Path, *, part: str = "report", val_share: float = 0.2, limit: int = 0) -> list[Sample]:
    """The pictures that training did not see.

    Args:
        part: "report" (what neither trained, chose nor calibrated), "choose", "calibrate", or "all" three.
        val_share: as in training, where the tree has no `val` split.
        limit: at most so many of each source and class, evenly taken; 0 for all.

    Raises:
        DataError: if there are none.
    """
    found = load_samples(data)
    for note in found.notes:
        print(note, file=sys.stderr)
    samples = assign_splits(found.samples, val_share=val_share)
    kept = [s for s in samples if part_of(s) == part or (part == "all" and part_of(s))]
    if not kept:
        raise DataError(
            f"{data} holds no pictures for the part {part!r}: add some to its val split, or use --part all."
        )
    return _thin(kept, limit) if limit > 0 else kept


def judge(detector: Detector, samples: Iterable[Sample]) -> list[Judged]:
    """Judge pictures end to end, source by source, in the sources' order."""
    return [
        Judged(sample, report)
        for source, own in sorted(_by_source(samples).items())
        for sample, (_, report) in zip(own, _evaluate(detector, source, own).rows, strict=True)
    ]


def judge_again(detector: Detector, judged: Sequence[Judged]) -> list[Judged]:
    """The same pictures by another checkpoint, with its own crop: the faces are those that were found before."""
    again = []
    bar = tqdm(total=len(judged), desc=detector.checkpoint.info.name, unit="img")
    for start in range(0, len(judged), READ_AHEAD):
        chunk = judged[start : start + READ_AHEAD]
        crops = [crop for one in chunk for crop in _crops(one, detector.checkpoint.margin)]
        predictions = iter(detector.predict(crops))
        again += [Judged(one.sample, _report_again(detector, one.report, predictions)) for one in chunk]
        bar.update(len(chunk))
    bar.close()
    return again


def evaluations(judged: Iterable[Judged]) -> dict[str, Evaluation]:
    """An `Evaluation` for each source."""
    by_source = defaultdict(list)
    for one in judged:
        by_source[one.sample.source].append((one.sample.label, one.report))
    return {source: Evaluation(rows[0][1].checkpoint, tuple(rows)) for source, rows in sorted(by_source.items())}


def source_table(results: dict[str, Evaluation]) -> str:
    """A Markdown table, a line for each source.

    Accuracy, F1 and AUC are of p (of the largest face, at 0.5); the last three columns count outcomes, as users get
    them, with the checkpoint's own thresholds.
    """
    names = ("source", "pictures", *(TITLES[name] for name in COLUMNS))
    return "\n".join(
        [
            "| " + " | ".join(names) + " |",
            "| --- |" + " ---: |" * (len(names) - 1),
            *(_line(source, result) for source, result in results.items()),
        ]
    )


def _thin(samples: list[Sample], limit: int) -> list[Sample]:
    by_kind = defaultdict(list)
    for sample in samples:
        by_kind[sample.source, sample.label].append(sample)
    return [
        own[index * len(own) // min(limit, len(own))]
        for own in by_kind.values()
        for index in range(min(limit, len(own)))
    ]


def _by_source(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    by_source = defaultdict(list)
    for sample in samples:
        by_source[sample.source].append(sample)
    return by_source


def _evaluate(detector: Detector, source: str, samples: list[Sample]) -> Evaluation:
    def progress(reports: Iterable[ImageReport]) -> Iterator[ImageReport]:
        return map(_without_crops, tqdm(reports, total=len(samples), desc=source, unit="img"))

    return evaluate_labelled(detector, [(s.path, s.label) for s in samples], progress=progress)


def _without_crops(report: ImageReport) -> ImageReport:
    return replace(report, faces=tuple(replace(face, crop=None) for face in report.faces))


def _crops(judged: Judged, margin: float) -> list[FaceCrop]:
    faces = [face.face for face in judged.report.faces if face.outcome.judged]
    if not faces:
        return []
    image = load_image(judged.sample.path)
    return [crop_face(image, face, margin=margin) for face in faces]


def _report_again(detector: Detector, report: ImageReport, predictions: Iterator[Prediction]) -> ImageReport:
    faces = tuple(_face_again(face, predictions) for face in report.faces)
    outcome = gravest(face.outcome for face in faces) if report.outcome.judged else report.outcome
    return replace(report, outcome=outcome, checkpoint=detector.checkpoint.info, faces=faces)


def _face_again(face: FaceReport, predictions: Iterator[Prediction]) -> FaceReport:
    if not face.outcome.judged:
        return face
    prediction = next(predictions)
    return with_prediction(face, prediction)


def _line(source: str, result: Evaluation) -> str:
    labels, reports = zip(*result.rows, strict=True)
    found = Judgements(labels, reports, groups=[""] * len(labels)).figures(np.ones(len(labels)))
    cells = [source, str(len(labels)), *(_cell(found[name], ".1%" if name in SHARES else ".4f") for name in COLUMNS)]
    return "| " + " | ".join(cells) + " |"


def _cell(value: float, form: str) -> str:
    return "-" if np.isnan(value) else format(value, form)
