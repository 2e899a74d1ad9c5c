"""A written report run again: are outcome and p the same on this machine, today?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from virtus.checkpoints import COMMIT, Detector, is_repo_id, load_checkpoint, retired_words, split_label
from virtus.errors import InputError
from virtus.reports.document import draft
from virtus.reports.record import ReportRecord

TOLERANCE = 0.005  # of p: what other processors and library versions make of the same numbers
SAME_BOX = 0.5  # intersection over union of two boxes about the same face

FaceRow = dict[str, Any]
"""A `FaceReport` as JSON."""


@dataclass(frozen=True)
class FacePair:
    """One face, as the report has it and as it came out now; None where it is in one of them only."""

    then: FaceRow | None
    now: FaceRow | None

    @property
    def difference(self) -> float | None:
        """p now less p then; None where there are not two."""
        if self.then is None or self.now is None or None in (self.then["p_fake"], self.now["p_fake"]):
            return None
        return self.now["p_fake"] - self.then["p_fake"]

    @property
    def same(self) -> bool:
        if self.then is None or self.now is None or self.then["outcome"] != self.now["outcome"]:
            return False
        return self.difference is None or abs(self.difference) <= TOLERANCE

    def in_words(self) -> str:
        if self.now is None:
            return f"in the report only, {_face_words(self.then)}"
        if self.then is None:
            return f"not in the report, {_face_words(self.now)}"
        if not self.same:
            moved = "" if self.difference is None else f", p_fake {self.difference:+.3f}"
            return f"different: {_face_words(self.then)} then, {_face_words(self.now)} now{moved}"
        return f"same: {_face_words(self.now)}" + (f", {_face_words(self.then)} then" if self.difference else "")


@dataclass(frozen=True)
class Replay:
    """A report held against a second run.

    Attributes:
        then, now: the two.
        faces: in the order of the report, then those that are new.
    """

    then: ReportRecord
    now: ReportRecord
    faces: tuple[FacePair, ...]

    @property
    def same(self) -> bool:
        """Whether photo and faces have the same outcomes, and every p is the same within `TOLERANCE`."""
        return self._outcomes[0] == self._outcomes[1] and all(pair.same for pair in self.faces)

    @property
    def _outcomes(self) -> tuple[str, str]:
        return self.then.report["outcome"], self.now.report["outcome"]

    def lines(self) -> Iterator[str]:
        """The answer first, then each face, then what was not the same about the two runs."""
        before, after = self._outcomes
        yield f"same: {after}" if self.same else f"different: {before} then, {after} now"
        yield from (f"  face {number}: {pair.in_words()}" for number, pair in enumerate(self.faces))
        yield from (f"  {line}" for line in self._conditions())

    def _conditions(self) -> Iterator[str]:
        then, now = self.then, self.now
        if then.photo.sha256 != now.photo.sha256:
            yield f"another photo: sha256 {then.photo.sha256[:12]} then, {now.photo.sha256[:12]} now"
        if then.report["checkpoint"]["calibration"] != now.report["checkpoint"]["calibration"]:
            yield "another calibration of the checkpoint, which changes p and thresholds"
        yield from self._facts()
        for name in ("precision", "device"):
            if getattr(then, name) != getattr(now, name):
                yield f"another {name}: {getattr(then, name)} then, {getattr(now, name)} now"
        for name in sorted(then.versions | now.versions):
            before, after = (versions.get(name, "none") for versions in (then.versions, now.versions))
            if before != after:
                yield f"another version of {name}: {before} then, {after} now"

    def _facts(self) -> Iterator[str]:
        """What differs in the checkpoint's folder; nothing where the report does not say what it was."""
        then, now = self.then.checkpoint, self.now.checkpoint
        if then is None or now is None:
            return
        if then.margin != now.margin:
            before, after = (facts.margin or "whole pictures" for facts in (then, now))
            yield f"another margin of the face crop: {before} then, {after} now"
        if then.novelty != now.novelty:
            before, after = (facts.novelty or "none" for facts in (then, now))
            yield f"another novelty, by which a face is inconclusive: {before} then, {after} now"


def replay_record(
    record: ReportRecord,
    data: bytes,
    *,
    model: str | None = None,
    fake_label: str | None = None,
    device: str = "auto",
    precision: str | None = None,
    anyway: bool = False,
) -> Replay:
    """Judge the photo of a report again, by the same weights under the same settings. Maps are not drawn again.

    Args:
        data: the photo's file, as it is.
        model: where the checkpoint is now; the name in the report by default, from the Hub at its revision.
        fake_label: as for `load_checkpoint`; that of the report by default.
        precision: that of the report by default.
        anyway: also when the photo is another file.

    Raises:
        InputError: for another photo, or other weights.
        CheckpointError: if the checkpoint cannot be loaded.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != record.photo.sha256 and not anyway:
        raise InputError(
            f"This is not the photo of the report: its sha256 is {sha256}, that of the report {record.photo.sha256}. "
            "Give the original file, or say --anyway."
        )
    detector = _load(record, model, fake_label, device, precision or record.precision)
    settings = replace(record.settings, methods=(), options=None)
    again = draft(detector, data, name=record.photo.name, settings=settings).record
    return Replay(record, again, tuple(_pairs(record.report["faces"], again.report["faces"])))


def _load(record: ReportRecord, model: str | None, fake_label: str | None, device: str, precision: str) -> Detector:
    recorded = record.report["checkpoint"]
    name, label = _at_revision(recorded)
    label = label if fake_label is None else fake_label
    checkpoint = load_checkpoint(model or name, device=device, precision=precision, fake_label=label)
    if checkpoint.info.sha256 != recorded["sha256"]:
        raise InputError(
            f"These are other weights: {checkpoint.info.name} has the sha256 {checkpoint.info.sha256}, the report is "
            f"by {recorded['name']} with {recorded['sha256']}. "
            + (retired_words(sha256=recorded["sha256"]) or "Say by --model where those are.")
        )
    return Detector(checkpoint)


def _at_revision(recorded: dict) -> tuple[str, str | None]:
    """The recorded name, one on the Hub at the commit that judged, and what was said of its fake class."""
    (name, label), revision = split_label(recorded["name"]), recorded["revision"]
    pinned = is_repo_id(name) and "@" not in name and COMMIT.fullmatch(revision)
    return (f"{name}@{revision}" if pinned else name), label


def _pairs(then: list[FaceRow], now: list[FaceRow]) -> Iterator[FacePair]:
    """Each face with the one that overlaps it most, then the faces that are left."""
    remaining = list(now)
    for face in then:
        nearest = max(remaining, key=lambda other: overlap(face["box_xyxy"], other["box_xyxy"]), default=None)
        if nearest is not None and overlap(face["box_xyxy"], nearest["box_xyxy"]) < SAME_BOX:
            nearest = None
        remaining = [other for other in remaining if other is not nearest]
        yield FacePair(face, nearest)
    yield from (FacePair(None, face) for face in remaining)


def overlap(box: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two XYXY boxes, in [0, 1]."""
    width, height = (min(box[i + 2], other[i + 2]) - max(box[i], other[i]) for i in (0, 1))
    shared = max(width, 0.0) * max(height, 0.0)
    union = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (box, other)) - shared
    return shared / union if union > 0 else 0.0


def _face_words(face: FaceRow | None) -> str:
    if face is None:
        return "none"
    return face["outcome"] if face["p_fake"] is None else f"{face['outcome']} (p_fake {face['p_fake']:.3f})"
