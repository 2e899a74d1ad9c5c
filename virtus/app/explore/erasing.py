"""What the page asks of an open face: what the model says without some of its patches, and which turn the verdict."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, get_args

import anyio
import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from virtus.app.explore.opened import NOT_OPEN, OPENED, OpenedFace
from virtus.app.visitors import (
    MAX_WAITING,
    NUM_AT_ONCE,
    Detectors,
    JudgedPhoto,
    judging_slot,
    lacks_login,
    on_gpu,
)
from virtus.checkpoints import outcome_of
from virtus.drawing import TONES
from virtus.errors import InputError, VirtusError
from virtus.explain import OTHER_FILL, Fill
from virtus.results import Outcome

if TYPE_CHECKING:
    from virtus.checkpoints import Detector
    from virtus.explain import FlippingStep
    from virtus.results import Calibration

ERASE_PATH = "/gradio_api/erase"
NOT_READ = "The page sent a question that cannot be read. Reload it."
REPLACED_BY: dict[Fill, str] = {"blur": "a blur", "grey": "grey", "drop": "nothing"}
LOGGED_OUT = "This server asks for a login. Reload the page."


@dataclass(frozen=True)
class Question:
    """What the page asks of an open face.

    Attributes:
        key: of the value that it shows.
        gone: "1" for each patch that is rubbed out, "0" for each that is not.
        fill: what stands in their place.
    """

    key: str
    gone: str
    fill: str


@dataclass(frozen=True)
class ErasedFace:
    """An open face, to be judged again."""

    detector: Detector
    judged: JudgedPhoto
    index: int

    def judge_without(self, asked: Question) -> dict[str, Any]:
        """p of fake and the outcome without the patches that were rubbed out."""
        with judging_slot():
            judge = self.judged.erasing_judge(self.detector, self.index, _check_fill(asked))
            return self.verdict(float(judge(self.mask(asked)[None])[0]))

    def steps_to_turn(self, asked: Question) -> Iterator[dict[str, Any]]:
        """How far the search is and what it found, each step in a turn of its own."""
        from virtus.judging import flip_verdict  # torch comes with it

        state, face = self.judged.state_of(self.detector, self.index), self.judged.report.faces[self.index]
        thresholds = (self._thresholds.real_below, self._thresholds.fake_above)
        steps = flip_verdict(self.detector, face, state, thresholds, _check_fill(asked))
        while True:
            with judging_slot():
                step = next(steps, None)
            if step is None:
                return
            gone = "".join("01"[int(is_gone)] for is_gone in step.erased)
            is_done = step.progress == 1
            said = self.in_words(step, _check_fill(asked))
            about = {"gone": gone, "said": said, "done": is_done, "progress": step.progress}
            yield {**about, "found": step.flipped, **self.verdict(step.p_fake)}

    def in_words(self, step: FlippingStep, fill: Fill) -> str:
        """How far a search is, or what it found, and what the other filling makes of that."""
        number = f"{step.erased.sum()} of {step.erased.size} patches"
        word, p_fake = self._word(step.p_fake), f"p of fake = {step.p_fake:.3f}"
        if step.progress < 1 and not step.erased.any():
            return f"Searched {step.progress:.0%}: each small square left out by itself, to see which count most."
        if step.progress < 1:
            return f"Searched {step.progress:.0%}: without {number} {p_fake}."
        if not step.flipped:
            whole = self.judged.report.faces[self.index].p_fake or 0.0
            opposite = TONES[Outcome.REAL if whole >= 0.5 else Outcome.FAKE].word.lower()
            found = f"No set was found that, replaced by {REPLACED_BY[fill]}, turns it to “{opposite}”"
            return f"{found}; another replacement may. The nearest: {word}, {p_fake}."
        said = f"{word} without {number}, replaced by {REPLACED_BY[fill]}: none of these can be spared."
        return said if step.p_fake_otherwise is None else f"{said} {self._otherwise(step, fill)}"

    def _otherwise(self, step: FlippingStep, fill: Fill) -> str:
        """Whether the other filling turns the verdict too: where it does not, nothing is known of the face."""
        p_fake = step.p_fake_otherwise or 0.0
        word, p_words = self._word(p_fake).lower(), f"p of fake = {p_fake:.3f}"
        other = REPLACED_BY[OTHER_FILL[fill]]
        if outcome_of(p_fake, self._thresholds) == outcome_of(step.p_fake, self._thresholds):
            return f"Replaced by {other} it is “{word}” too ({p_words})."
        return (
            f"But replaced by {other} it is “{word}” ({p_words}): it may come from the replacement, not from the face."
        )

    def _word(self, p_fake: float) -> str:
        return TONES[outcome_of(p_fake, self._thresholds)].word

    @functools.cached_property
    def _thresholds(self) -> Calibration:
        from virtus.judging import thresholds_of

        return thresholds_of(self.judged.report, self.index)

    def verdict(self, p_fake: float) -> dict[str, Any]:
        """What the thresholds make of a p."""
        return {"p_fake": p_fake, "outcome": str(outcome_of(p_fake, self._thresholds))}

    def mask(self, asked: Question) -> np.ndarray:
        """(patches,), True for what is gone.

        Raises:
            InputError: if the question is of a face with another number of patches.
        """
        grid_h, grid_w = self.detector.checkpoint.trunk.grid_size
        if len(asked.gone) != grid_h * grid_w or set(asked.gone) - {"0", "1"}:
            raise InputError(NOT_READ)
        return np.array([letter == "1" for letter in asked.gone])


def _check_fill(asked: Question) -> Fill:
    if asked.fill not in get_args(Fill):
        raise InputError(NOT_READ)
    return cast(Fill, asked.fill)


def read_question(question: Any) -> Question:
    """What the page asks, of JSON.

    Raises:
        InputError: if it is no question.
    """
    try:
        asked = Question(**json.loads(question))
    except (TypeError, ValueError, RecursionError) as exc:
        raise InputError(NOT_READ) from exc
    if not all(isinstance(text, str) for text in vars(asked).values()):
        raise InputError(NOT_READ)
    return asked


def reopened(detectors: Detectors, opened: OpenedFace | None) -> ErasedFace:
    """A face that a page has open.

    Raises:
        VirtusError: if it is not open, or its photo is no longer kept.
    """
    if opened is None or opened.index is None:
        raise InputError(NOT_OPEN)
    return ErasedFace(*opened.inputs.judge(detectors), opened.index)


def judge_without(detectors: Detectors, opened: OpenedFace, asked: Question) -> dict[str, Any]:
    """`ErasedFace.judge_without` of a face that a page has open.

    Raises:
        VirtusError: if its photo is no longer kept, or the question does not fit it.
    """
    return reopened(detectors, opened).judge_without(asked)


def erasing_route(detectors: Detectors) -> Route:
    """Where pages POST a `Question`, as JSON: the answer is `judge_without`'s, or `{"detail": sentence}`.

    Beside Gradio's queue, which alone takes several times as long as a small model. The limits are the queue's: so many
    at once, so many that wait, none for who left meanwhile; what stands before all routes stands before this one too.
    Who asks has to know the key of the face, as only the page does that shows it.
    """
    judge, at_once = on_gpu(judge_without), anyio.CapacityLimiter(NUM_AT_ONCE)

    async def answer(request: Request) -> Response:
        if lacks_login(request.app, request):
            return JSONResponse({"detail": LOGGED_OUT}, 401)
        if at_once.statistics().tasks_waiting >= MAX_WAITING:
            return Response(status_code=503)  # in words by the guard `BusyAnswers`
        try:
            asked = read_question(await request.body())
            opened = OPENED.find(asked.key)
            async with at_once:
                if await request.is_disconnected():
                    return Response(status_code=204)  # nobody reads it
                return JSONResponse(await anyio.to_thread.run_sync(judge, detectors, opened, asked))
        except VirtusError as exc:
            return JSONResponse({"detail": str(exc)}, 422)

    return Route(ERASE_PATH, answer, methods=["POST"])
