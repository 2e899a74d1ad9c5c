"""A written report as JSON: what was judged, by what, how, and when. An edited or foreign file is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Gt

from virtus.errors import InputError
from virtus.provenance import Provenance
from virtus.results import Explanation, FaceReport, ImageReport, Outcome, Sha256
from virtus.schema import As, Key, Number, Share, Text, adapter

if TYPE_CHECKING:
    from pydantic import ValidationError

SCHEMA = 1
MARK = "virtus_report"  # its value is the schema
MAX_BYTES = 64 * 1024 * 1024
FOREIGN = "This is no report of Virtus. Give the JSON file that was written beside the HTML one."
EDITED = "This report was changed after it was made, so it cannot be relied on. Give the file as it was written."
DAMAGED = "This report is not as Virtus writes it ({what}). Give the file as it was written."


CLOSED = {"extra": "forbid"}  # for pydantic: other entries are refused


class RecordedFace(FaceReport):
    """A face as a record has it: with its maps, where it was judged."""

    explanations: Annotated[tuple[Explanation, ...], Key(after="reason", when="judged")]


class RecordedReport(ImageReport):
    """The report of a picture as a record has it."""

    faces: Annotated[tuple[RecordedFace, ...], Key(after="image_size")]


@dataclass(frozen=True)
class PhotoFacts:
    """The file that was judged.

    Attributes:
        name: of the file, without folders.
        sha256: of its bytes.
        size: width and height of the upright picture; None where it could not be read.
    """

    __pydantic_config__ = CLOSED

    name: str
    sha256: Sha256
    num_bytes: int
    size: tuple[Annotated[int, Gt(0)], Annotated[int, Gt(0)]] | None


@dataclass(frozen=True)
class ReportSettings:
    """How it was judged and explained.

    Attributes:
        methods: of the maps; names in `virtus.explain.EXPLAINERS`.
        target: "predicted", "real" or "fake".
        options: of each method its own.
        whole: the picture was judged as it is, without looking for faces.
        stability: each face was judged again under small harmless changes.
        prior: share of fakes that every p assumes.
        opacity: of the maps, 0 to 1.
        contours: the highest fifth of each map is outlined.
        num_mapped: faces that maps were drawn of at most, largest first; None for all.
    """

    __pydantic_config__ = CLOSED

    methods: tuple[str, ...] = ("attribution", "evidence")
    target: Literal["predicted", "real", "fake"] = "predicted"
    options: dict[str, dict[str, Any]] | None = None
    whole: bool = False
    stability: bool = True
    prior: Annotated[float, Number(gt=0, lt=1)] = 0.5
    opacity: Share = 0.5
    num_mapped: int | None = None
    contours: bool = False


@dataclass(frozen=True)
class CheckpointFacts:
    """What a verdict depends on in a checkpoint's folder, beside what the report has of it.

    Attributes:
        margin: of the face crop; None where whole pictures are judged.
        novelty: digest of what it knows of its training pictures; None where it knows nothing.
    """

    __pydantic_config__ = CLOSED

    margin: Annotated[float, Number(gt=0)] | None
    novelty: Annotated[str, Text("^[0-9a-f]{8}$")] | None


@dataclass(frozen=True)
class ReportRecord:
    """All that a written report says.

    Attributes:
        time: when it was made, UTC, ISO 8601.
        device, precision: where it was computed: "cpu", "float32".
        versions: of Virtus, Python and the libraries that a p depends on.
        report: a `RecordedReport` as JSON.
        provenance: what the file says of its own origin: a `Provenance` as JSON.
        checkpoint: None in a report of before these were written down.
    """

    __pydantic_config__ = CLOSED

    time: str
    photo: PhotoFacts
    settings: ReportSettings
    device: str
    precision: str
    versions: dict[str, str]
    report: Annotated[dict[str, Any], As(RecordedReport)]
    provenance: Annotated[dict[str, Any], As(Provenance)]
    checkpoint: CheckpointFacts | None = None

    def to_json(self) -> str:
        """One JSON object, ended by the digest of all else in it."""
        content = json.loads(json.dumps(asdict(self)))
        return json.dumps({MARK: SCHEMA} | content | {"digest": _digest(content)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> ReportRecord:
        """The record that `to_json` wrote.

        The digest finds slips and careless edits. It is no signature: who wants to can make another one.

        Raises:
            InputError: for a file that is none, is of a later version, or was changed.
        """
        content = _parse(text)
        _check_schema(content.pop(MARK))
        if content.pop("digest", None) != _digest(content):
            raise InputError(EDITED)
        return replace(_checked(content), report=content["report"], provenance=content["provenance"])


def read_record(file: Path) -> ReportRecord:
    """The record in a file.

    Raises:
        InputError: if it cannot be read, or is no report as Virtus writes it.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputError(FOREIGN)
        return ReportRecord.from_json(file.read_bytes())
    except OSError as exc:
        raise InputError(f"{file} cannot be read ({exc.strerror}). Check the path.") from exc


def _parse(text: str | bytes) -> dict:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as exc:  # no JSON, no text, or JSON made to break a reader
        raise InputError(FOREIGN) from exc
    if not isinstance(content, dict) or MARK not in content:
        raise InputError(FOREIGN)
    return content


def _check_schema(schema: object) -> None:
    if type(schema) is not int or schema < 1:
        raise InputError(FOREIGN)
    if schema > SCHEMA:
        raise InputError("This report was written by a later version of Virtus. Update Virtus to replay it.")


def _checked(content: dict[str, Any]) -> ReportRecord:
    from pydantic import ValidationError

    try:
        record = adapter(ReportRecord).validate_json(json.dumps(content), strict=True)
    except ValidationError as exc:
        raise InputError(DAMAGED.format(what=_what_is_wrong(exc))) from exc
    if not all(Outcome(face["outcome"]).judged is (face["p_fake"] is not None) for face in record.report["faces"]):
        raise InputError(DAMAGED.format(what="report is wrong"))
    return record


def _what_is_wrong(exc: ValidationError) -> str:
    """The first thing of it, by the name of an entry; what is within the report or the provenance is not told apart."""
    error = exc.errors(include_url=False)[0]
    place = [str(name) for name in error["loc"]][: 2 if error["loc"][:1] in (("photo",), ("settings",)) else 1]
    if error["type"] in ("missing", "unexpected_keyword_argument") and len(place) == len(error["loc"]):
        return f"{['it', *place][-2]} has other entries"
    return f"{place[-1] if place else 'it'} is {'no list' if error['type'] == 'tuple_type' else 'wrong'}"


def _digest(content: dict) -> str:
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()
