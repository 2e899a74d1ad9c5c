"""A written report of one photo: judged with its stability, its maps tested, and set down for others to check."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from virtus import __version__
from virtus.errors import ImageError, InputError
from virtus.explain import measure_faithfulness
from virtus.files import write_whole
from virtus.judging import EachFace, Measure, analyze_photo, measure_maps, unreadable
from virtus.media import load_image
from virtus.provenance import Provenance, read_provenance
from virtus.reports.page import write_page
from virtus.reports.record import CheckpointFacts, PhotoFacts, RecordedReport, ReportRecord, ReportSettings, read_record
from virtus.results import ImageReport
from virtus.schema import show

if TYPE_CHECKING:
    from virtus.checkpoints import Checkpoint, Detector

# That a p depends on.
LIBRARIES = ("torch", "facenet-pytorch", "opencv-python-headless", "pillow", "numpy")


@dataclass(frozen=True)
class WrittenReport:
    """A written report.

    Attributes:
        photo: None where it could not be read.
        report: with the crops still in it.
        provenance: what the file says of its own origin.
        record: what is set down.
    """

    photo: Image.Image | None
    report: ImageReport
    provenance: Provenance
    record: ReportRecord

    @property
    def html(self) -> str:
        """The report as one page that needs nothing else."""
        return write_page(self.record, self.report, self.photo, self.provenance)

    @property
    def json(self) -> str:
        """What `virtus replay` reads."""
        return self.record.to_json()

    def save(self, file: Path) -> tuple[Path, Path]:
        """Write the page and its JSON, each in the place of an older report.

        Args:
            file: of the page, ending in .html; the JSON lies beside it.

        Returns:
            Both files.

        Raises:
            InputError: if they cannot be written, or the JSON's place is taken by something that is no report.
        """
        beside = check_place(file)
        write_whole(file, self.html)
        write_whole(beside, self.json)
        return file, beside


def check_place(file: Path) -> Path:
    """The JSON's place beside a page that is to be written.

    Raises:
        InputError: if the name does not end in .html, or the JSON's place is taken by something that is no report.
    """
    if file.suffix.lower() != ".html":
        raise InputError(f"A report is an HTML page: give a name that ends in .html, not {file.name!r}.")
    beside = file.with_suffix(".json")
    if beside.exists() and not _is_report(beside):
        raise InputError(f"{beside} would be overwritten, and is no report of Virtus. Choose another name.")
    return beside


def draft(detector: Detector, data: bytes, *, name: str, settings: ReportSettings) -> WrittenReport:
    """Judge a photo and draw its maps, which are not tested yet: see `with_tested_maps`.

    Args:
        data: the file, as it is.
        name: of the file; folders before it are left out.
        settings: the prior is taken from here, not from the detector.

    Raises:
        InputError: for a method, target or option that there is not.
    """
    detector = detector.at_prior(settings.prior)
    try:
        photo = load_image(data)
    except ImageError as exc:
        return set_down(detector, data, None, unreadable(detector, str(exc)), name=name, settings=settings)
    report = _with_fewer_maps(judge_as(settings, detector, photo), settings.num_mapped)
    return set_down(detector, data, photo, report, name=name, settings=settings)


def set_down(
    detector: Detector,
    data: bytes,
    photo: Image.Image | None,
    report: ImageReport,
    *,
    name: str,
    settings: ReportSettings,
) -> WrittenReport:
    """The written report of a photo that was judged under these settings, by this detector, at their prior.

    Args:
        data, name: as in `draft`.
        photo: None where it could not be read.
    """
    name = _base_name(name)
    report = replace(report, path=name)
    facts = PhotoFacts(name, hashlib.sha256(data).hexdigest(), len(data), report.image_size)
    trunk, provenance = detector.checkpoint.trunk, read_provenance(data)
    record = ReportRecord(
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        photo=facts,
        settings=settings,
        device=trunk.device.type,
        precision=trunk.precision,
        versions=_versions(),
        report=_recorded(report),
        provenance=provenance.to_json(),
        checkpoint=_facts_of(detector.checkpoint, whole=settings.whole),
    )
    return WrittenReport(photo, report, provenance, record)


def _facts_of(checkpoint: Checkpoint, *, whole: bool) -> CheckpointFacts:
    return CheckpointFacts(checkpoint.crop_margin(whole=whole), checkpoint.novelty and checkpoint.novelty.digest())


def judge_as(settings: ReportSettings, detector: Detector, photo: Image.Image) -> ImageReport:
    """What `analyze_photo` says under these settings; the prior is that of the detector."""
    return analyze_photo(
        detector,
        photo,
        methods=settings.methods,
        target=None if settings.target == "predicted" else settings.target,
        options=settings.options,
        whole=settings.whole,
        stability=settings.stability,
    )


def with_tested_maps(
    detector: Detector, document: WrittenReport, *, measure: Measure = measure_faithfulness, each: EachFace = iter
) -> WrittenReport:
    """The same, with every map held against chance. Takes seconds for each face.

    `measure` and `each` are those of `measure_maps`.
    """
    report = measure_maps(detector, document.report, measure=measure, each=each)
    return replace(document, report=report, record=replace(document.record, report=_recorded(report)))


def _with_fewer_maps(report: ImageReport, num_mapped: int | None) -> ImageReport:
    if num_mapped is None:
        return report
    judged = [index for index, face in enumerate(report.faces) if face.outcome.judged][:num_mapped]
    faces = (face if index in judged else replace(face, explanations=()) for index, face in enumerate(report.faces))
    return replace(report, faces=tuple(faces))


def _recorded(report: ImageReport) -> dict[str, Any]:
    return show(report, RecordedReport)


def _base_name(name: str) -> str:
    """Without folders, of whatever system, and without bytes that are no text."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return last.encode("utf-8", "replace").decode() or "photo"


def _versions() -> dict[str, str]:
    return {"virtus": __version__, "python": platform.python_version()} | {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # a build of one's own
        return "unknown"


def _is_report(file: Path) -> bool:
    try:
        read_record(file)
    except InputError:
        return False
    return True
