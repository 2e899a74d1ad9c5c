"""`/compare`: several checkpoints on the same faces."""

from collections.abc import Callable
from typing import Literal

from gradio import FileData

from virtus.app.api.answers import CompareAnswer
from virtus.app.maps import TARGETS, MapRequest
from virtus.app.visitors import Answer, Compared, Detectors, compare, uploaded
from virtus.checkpoints import EVEN
from virtus.errors import InputError
from virtus.explain import DEFAULT_METHOD, EXPLAINERS


def compare_endpoint(detectors: Detectors) -> Callable:
    def compare_checkpoints(
        file: FileData,
        models: list[str] | None = None,
        method: Literal[*EXPLAINERS] | None = None,
        target: Literal[*TARGETS] = "predicted",
        whole_image: bool = False,
        stability: bool = False,
        prior: float = EVEN,
    ) -> CompareAnswer:
        """Judge the faces of a photo by several checkpoints, and say whether they agree.

        Args:
            file: The photo: JPEG, PNG, WebP, HEIC, AVIF and others, up to 64 MiB.
            models: Who judges: up to four of "auto", names of the server's list and Hub ids. Null: the server's own.
            method: Of the maps, one for each face and checkpoint. Null: no maps.
            target: The class that the maps speak of, for methods that know one.
            whole_image: Judge the picture as it is, without looking for faces: for ready-made face crops.
            stability: Judge each face again under small harmless changes, and say what that does to the probability.
            prior: Share of fakes expected among photos like this one: above 0, below 1.
        """
        wanted = MapRequest(method or DEFAULT_METHOD, target)
        asked = {"methods": [wanted.method] if method else [], "target": wanted.label}
        asked |= {"whole": bool(whole_image), "stability": bool(stability), "prior": prior}
        return _to_json(compare(detectors, _names(detectors, models), uploaded(file), **asked))

    return compare_checkpoints


def _names(detectors: Detectors, models: object) -> list[str]:
    if models is None:
        return detectors.preselected
    if not isinstance(models, list) or not all(isinstance(name, str) for name in models):
        raise InputError(f"models is a list of names of checkpoints, not {models!r}.")
    return [name.strip() for name in models]


def _to_json(compared: Compared) -> dict:
    """`reports` has one for each name in `models`, in that order; one with an `error` where it could not be asked."""
    found = compared.comparison.to_json()
    reports = iter(found["reports"])
    return found | {"reports": [_report(answer, reports) for answer in compared.answers]}


def _report(answer: Answer, reports) -> dict:
    if answer.report is None:
        return {"checkpoint": {"name": answer.name}, "outcome": None, "faces": [], "error": answer.error}
    return next(reports) | {"error": None}
