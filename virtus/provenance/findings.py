"""What a file says of its own origin, as frozen dataclasses, and the cleaning that every text in them went through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from virtus.schema import FIRST, Key, Row

MAX_SHOWN = 120  # characters of a text from the file
MAX_FINDINGS = 32

ANYONE = "Anyone can write, copy or remove this."
UNKNOWN = (
    "Unknown: the file says nothing of its origin. That is usual: messengers, social networks and screenshots remove "
    "it. It is a sign neither of a fake nor of a real photo."
)
NOT_IN_VERDICT = (
    "Said by the file itself, and easily written, copied or removed. None of it enters the verdict, which looks at the "
    "pixels alone."
)


class Kind(StrEnum):
    """What a finding is about."""

    CAMERA = "camera"
    SOFTWARE = "software"
    GENERATOR = "generator"
    SOURCE_TYPE = "source_type"
    CREDENTIALS = "credentials"


@dataclass(frozen=True)
class Finding(Row):
    """One thing that the file says.

    Attributes:
        kind: what it is about: `camera`, `software`, `generator`, `source_type` or `credentials`.
        what: what the file says; texts from the file have at most `MAX_SHOWN` printable characters.
        where: where in the file it stands, e.g. "EXIF Make, Model".
        meaning: what it means, and what it does not.
    """

    kind: Kind
    what: str
    where: str
    meaning: str


@dataclass(frozen=True)
class Provenance(Row):
    """All that a file says of its origin. Places, serial numbers and names of people are never read into it.

    Attributes:
        findings: at most `MAX_FINDINGS`.
    """

    findings: tuple[Finding, ...] = field(default=())

    @property
    def known(self) -> Annotated[bool, Key(after=FIRST)]:
        """Whether the file says anything at all; if not, its origin is unknown, not suspicious."""
        return bool(self.findings)

    @property
    def statement(self) -> Annotated[str, Key(after="known")]:
        """One sentence or two that stand above the findings, or in their place."""
        return NOT_IN_VERDICT if self.known else UNKNOWN

    def lines(self) -> Iterator[str]:
        """For people at a terminal: the statement, then two lines for each finding."""
        yield self.statement
        for finding in self.findings:
            yield f"{finding.what} [{finding.where}]"
            yield f"  {finding.meaning}"


def clean(text: str, limit: int = MAX_SHOWN) -> str:
    """One line of at most `limit` printable characters: controls and marks that turn the writing direction are gone."""
    start = text[: 8 * limit]  # a text may be a million characters long
    printable = "".join(letter if letter.isprintable() else " " for letter in start)
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def base_name(path: str) -> str:
    """The last part of a path of any system: folders may tell the name of their owner."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]
