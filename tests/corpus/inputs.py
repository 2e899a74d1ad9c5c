"""One file that is broken or means harm, and what must come of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Expected(enum.Enum):
    """What must come of a file."""

    REFUSED = "refused"  # with a reason
    READ = "read"  # it is still a picture
    EITHER = "either"  # whichever of both: the damage may have met the pixels, or nothing


@dataclass(frozen=True)
class BadInput:
    """A file: what its name says of the harm, its bytes, and what must come of it."""

    name: str
    data: bytes
    expected: Expected = Expected.EITHER

    def allows(self, refused: bool) -> bool:
        return self.expected is Expected.EITHER or refused == (self.expected is Expected.REFUSED)
