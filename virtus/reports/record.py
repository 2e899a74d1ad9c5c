"""A written report as JSON: what was judged, by what, how, and when. An edited or foreign file is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from virtus.errors import InputError
from virtus.reports.record_form import check

SCHEMA = 1
MARK = "virtus_report"  # its value is the schema
MAX_BYTES = 64 * 1024 * 1024
FOREIGN = "This is no report of Virtus. Give the JSON file that was written beside the HTML one."
EDITED = "This report was changed after it was made, so it cannot be relied on. Give the file as it was written."
DAMAGED = "This report is not as Virtus writes it ({what}). Give the file as it was written."


@dataclass(frozen=True)
class PhotoFacts:
    """The file that was judged.

    Attributes:
        name: of the file, without folders.
        sha256: of its bytes.
        size: width and height of the upright picture; None where it could not be read.
    """

    name: str
    sha256: str
    num_bytes: int
    size: tuple[int, int] | None


@dataclass(frozen=True)
class Settings:
    """How it was judged and explained.

    Attributes:
        methods: of the maps; names in `virtus.explain.registry.EXPLAINERS`.
        target: "predicted", "real" or "fake".
        options: of each method its own.
        whole: the picture was judged as it is, without looking for faces.
        stability: each face was judged again under small harmless changes.
        prior: share of fakes that every p assumes.
        opacity: of the maps' colours, 0 to 1.
        num_mapped: faces that maps were drawn of at most, largest first; None for all.
    """

    methods: tuple[str, ...] = ("attribution", "evidence")
    target: str = "predicted"
    options: dict[str, dict] | None = None
    whole: bool = False
    stability: bool = True
    prior: float = 0.5
    opacity: float = 0.55
    num_mapped: int | None = None


@dataclass(frozen=True)
class Record:
    """All that a written report says.

    Attributes:
        time: when it was made, UTC, ISO 8601.
        device, precision: where it was computed: "cpu", "float32".
        versions: of Virtus, Python and the libraries that a p depends on.
        report: `ImageReport.to_json`, with the `explanations` of each judged face.
        provenance: what the file says of its own origin: `Provenance.to_json`.
    """

    time: str
    photo: PhotoFacts
    settings: Settings
    device: str
    precision: str
    versions: dict[str, str]
    report: dict
    provenance: dict

    def to_json(self) -> str:
        """One JSON object, ended by the digest of all else in it."""
        content = json.loads(json.dumps(asdict(self)))
        return json.dumps({MARK: SCHEMA} | content | {"digest": _digest(content)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Record:
        """The record that `to_json` wrote.

        The digest finds slips and careless edits. It is no signature: who wants to can make another one.

        Raises:
            InputError: for a file that is none, is of a later version, or was changed.
        """
        content = _parse(text)
        _check_schema(content.pop(MARK))
        if content.pop("digest", None) != _digest(content):
            raise InputError(EDITED)
        try:
            check(content)
            photo = dict(content["photo"], size=content["photo"]["size"] and tuple(content["photo"]["size"]))
            settings = dict(content["settings"], methods=tuple(content["settings"]["methods"]))
        except ValueError as exc:
            raise InputError(DAMAGED.format(what=exc)) from exc
        return cls(**content | {"photo": PhotoFacts(**photo), "settings": Settings(**settings)})


def read_record(file: Path) -> Record:
    """The record in a file.

    Raises:
        InputError: if it cannot be read, or is no report as Virtus writes it.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputError(FOREIGN)
        return Record.from_json(file.read_bytes())
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


def _digest(content: dict) -> str:
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()
