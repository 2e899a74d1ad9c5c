"""`/video`: every person in a clip judged."""

from collections.abc import Callable

from gradio import FileData

from virtus.app.api.answers import VideoAnswer
from virtus.app.visitors import Detectors, uploaded, watch
from virtus.checkpoints import EVEN
from virtus.errors import InputError
from virtus.explain import DEFAULT_METHOD
from virtus.video import NUM_FRAMES


def video_endpoint(detectors: Detectors) -> Callable:
    def video(
        file: FileData,
        model: str = "auto",
        num_frames: int = NUM_FRAMES,
        whole_image: bool = False,
        prior: float = EVEN,
        explain: bool = False,
    ) -> VideoAnswer:
        """Judge every person in a clip: real, fake or inconclusive, by the median of evenly spaced frames.

        Args:
            file: The clip: MP4, MOV, WebM, MKV or AVI, up to 256 MiB and ten minutes.
            model: Who judges: "auto" for the server's own checkpoint, a name of its list, or a Hub id owner/name.
            num_frames: How many frames to read, evenly spaced in time: 1 to 300.
            whole_image: Judge the frames as they are, without looking for faces: all are of one person.
            prior: Share of fakes expected among clips like this one: above 0, below 1.
            explain: Explain the most telling frame of each person by the default method.
        """
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
