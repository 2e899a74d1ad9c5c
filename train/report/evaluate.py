"""Held-out pictures judged with the engine's own face finder, crop and transform: what users will get."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from train.data import Sample, assign_splits, load_samples, part_of, take_evenly
from train.report.intervals import Judgements
from train.report.wording import SHARES, TITLES
from virtus.checkpoints import Detector
from virtus.errors import DataError
from virtus.faces import cut_out
from virtus.judging import analyze_paths, decide_picture, with_prediction
from virtus.media import load_image
from virtus.parallel import default_jobs, in_chunks, in_order
from virtus.results import Face, FaceCrop, FaceReport, ImageReport, Label, Prediction

COLUMNS = [name for name in TITLES if name != "ece"]
READ_AHEAD = 64  # pictures whose crops are judged together


@dataclass(frozen=True)
class JudgedSample:
    """A held-out picture and what was said of it. The crops are let go: those of a large data set fill the memory."""

    sample: Sample
    report: ImageReport

    @property
    def judged_faces(self) -> list[Face | None]:
        """Those with a p, largest first: the first one's is the picture's. None stands for the whole picture."""
        return [face.face for face in self.report.faces if face.outcome.judged]

    @property
    def error(self) -> float:
        """How far p lies from the truth, in [0, 1]; 0 where nothing was judged."""
        p_fake = self.report.p_fake
        return 0.0 if p_fake is None else abs(p_fake - (self.sample.label is Label.FAKE))


def held_out(data: str | Path, *, part: str = "report", val_share: float = 0.2, limit: int = 0) -> list[Sample]:
    """The pictures that training did not see.

    Args:
        part: "report" (what neither trained, chose nor calibrated), "choose", "calibrate", or "all" three.
        val_share: as in training, where the tree has no `val` split.
        limit: at most so many of each source and class, evenly taken; 0 for all.

    Raises:
        DataError: if there are none.
    """
    loaded = load_samples(data)
    for note in loaded.notes:
        print(note, file=sys.stderr)
    samples = assign_splits(loaded.samples, val_share=val_share)
    kept = [sample for sample in samples if part_of(sample) == part or (part == "all" and part_of(sample))]
    if not kept:
        other = "" if part == "all" else ", or use --part all"
        raise DataError(f"{data} holds no pictures for the part {part!r}: add some to its val split{other}.")
    return take_evenly(kept, limit) if limit > 0 else kept


def judge(detector: Detector, samples: Iterable[Sample]) -> list[JudgedSample]:
    """Judge pictures end to end, source by source, in the sources' order."""
    by_source, judged = defaultdict(list), list[JudgedSample]()
    for sample in samples:
        by_source[sample.source].append(sample)
    for source, same_source in sorted(by_source.items()):
        reports = analyze_paths(detector, [sample.path for sample in same_source], jobs=default_jobs())
        bar = tqdm(reports, total=len(same_source), desc=source, unit="img")
        judged += [JudgedSample(*pair) for pair in zip(same_source, map(_without_crops, bar), strict=True)]
    return judged


def judge_again(detector: Detector, judged: Sequence[JudgedSample]) -> list[JudgedSample]:
    """The same pictures by another checkpoint of faces, with its own crop: they are those that were found before."""

    def again(chunk: Sequence[JudgedSample]) -> list[JudgedSample]:
        crops = [crop for picture in chunk for crop in crop_again(picture, margin=detector.checkpoint.margin)]
        predictions = iter(detector.predict(crops))
        return [JudgedSample(picture.sample, _report_again(detector, picture.report, predictions)) for picture in chunk]

    bar = tqdm(judged, desc=detector.checkpoint.info.name, unit="img")
    chunks = in_order(again, in_chunks(bar, READ_AHEAD), jobs=default_jobs())
    return [picture for chunk in chunks for picture in chunk]


def crop_again(judged: JudgedSample, *, margin: float) -> list[FaceCrop]:
    """Its judged faces, cut out once more."""
    if not judged.judged_faces:
        return []
    image = load_image(judged.sample.path)
    return [cut_out(image, face, margin=margin) for face in judged.judged_faces]


def indices_by_source(judged: Sequence[JudgedSample]) -> dict[str, list[int]]:
    """Where the pictures of each source stand, sources sorted."""
    by_source = defaultdict(list)
    for index, picture in enumerate(judged):
        by_source[picture.sample.source].append(index)
    return dict(sorted(by_source.items()))


def as_judgements(judged: Sequence[JudgedSample]) -> Judgements:
    """As arrays."""
    samples = [picture.sample for picture in judged]
    labels, groups = [sample.label for sample in samples], [sample.group for sample in samples]
    return Judgements(labels, [picture.report for picture in judged], groups)


def source_table(judged: Sequence[JudgedSample]) -> str:
    """A Markdown table, a line for each source.

    Accuracy, F1 and AUC are of p (of the largest face, at 0.5); the last three columns count outcomes, as users get
    them, with the checkpoint's own thresholds.
    """
    lines = [["source", "pictures", *(TITLES[name] for name in COLUMNS)]]
    lines.append(["---", *["---:"] * (len(COLUMNS) + 1)])
    for source, indices in indices_by_source(judged).items():
        figures = as_judgements([judged[index] for index in indices]).figures(np.ones(len(indices)))
        lines.append([source, str(len(indices)), *(_cell(name, figures[name]) for name in COLUMNS)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _without_crops(report: ImageReport) -> ImageReport:
    return replace(report, faces=tuple(replace(face, crop=None) for face in report.faces))


def _report_again(detector: Detector, report: ImageReport, predictions: Iterator[Prediction]) -> ImageReport:
    def face_again(face: FaceReport) -> FaceReport:
        return with_prediction(face, next(predictions)) if face.outcome.judged else face

    faces = tuple(map(face_again, report.faces))
    again = replace(report, checkpoint=detector.checkpoint.info, faces=faces)
    return decide_picture(again) if report.outcome.judged else again


def _cell(name: str, value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.1%}" if name in SHARES else f"{value:.4f}"
