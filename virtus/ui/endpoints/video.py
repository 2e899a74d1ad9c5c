"""`/video`: every person in a clip judged."""

from collections.abc import Callable

from gradio import FileData

from virtus.calibration import EVEN
from virtus.clip_analysis import NUM_FRAMES
from virtus.errors import InputError
from virtus.explain import DEFAULT_METHOD
from virtus.ui.clip_judging import watch
from virtus.ui.detectors import Detectors
from virtus.ui.uploads import uploaded


def video_endpoint(detectors: Detectors) -> Callable:
    def video(
        file: FileData,
        model: str = "auto",
        num_frames: int = NUM_FRAMES,
        whole_image: bool = False,
        prior: float = EVEN,
        explain: bool = False,
    ) -> dict:
        """Judge every person in an uploaded clip: outcome, duration_s, times_s, persons with p of every frame."""
        detector = detectors.get(model).at_prior(prior)
        methods = [DEFAULT_METHOD] if explain else []
        settings = {"num_frames": _count(num_frames), "whole": bool(whole_image), "methods": methods}
        *_, judged = watch(detector, uploaded(file), **settings)
        return judged.report.to_json()

    return video


def _count(num_frames: int) -> int:
    if isinstance(num_frames, bool) or not isinstance(num_frames, int) or num_frames < 1:
        raise InputError(f"num_frames is a whole number from 1 on, not {num_frames!r}.")
    return num_frames
