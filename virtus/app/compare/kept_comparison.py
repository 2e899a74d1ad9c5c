"""What the server holds of a compared face while its visitor looks at maps of it: small pictures, no tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PIL import Image

from virtus.app.visitors import Answer, Compared
from virtus.results import FaceCrop, ImageReport


@dataclass(frozen=True)
class KeptAnswer:
    """What one checkpoint said, without large pictures.

    Attributes:
        name: of the checkpoint, as it was asked for.
        report: without crops; None where it could not be asked; `error` then says why.
        crop: of the chosen face, small, and to the model the same as the large one; None where it was not judged.
        seen: of it, what the model looks at.
    """

    name: str
    report: ImageReport | None = None
    error: str | None = None
    crop: FaceCrop | None = None
    seen: Image.Image | None = None


@dataclass(frozen=True)
class KeptComparison:
    """What all checkpoints said of the face `index`, counted from 0."""

    index: int
    answers: tuple[KeptAnswer, ...]


def keep_comparison(compared: Compared, index: int) -> KeptComparison:
    """Of a photo with faces, what the maps of one of them need."""
    return KeptComparison(index, tuple(_keep(answer, index) for answer in compared.answers))


def _keep(answer: Answer, index: int) -> KeptAnswer:
    if answer.report is None:
        return KeptAnswer(answer.name, error=answer.error)
    report = replace(answer.report, faces=tuple(replace(face, crop=None) for face in answer.report.faces))
    crop = answer.report.faces[index].crop if answer.report.faces else None
    if crop is None:
        return KeptAnswer(answer.name, report)
    seen = answer.transform.resize(crop.image)
    return KeptAnswer(answer.name, report, None, replace(crop, image=answer.transform.scale(crop.image)), seen)
