"""From an uploaded clip to a report: what the tab and the API share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.app.visitors.slots import judging_slot
from virtus.errors import VideoError
from virtus.video import JudgedClip, Progress, unreadable_video, watch_video

if TYPE_CHECKING:
    from virtus.checkpoints import Detector


def watch(
    detector: Detector, path: Path, *, num_frames: int, whole: bool = False, methods: Sequence[str] = ()
) -> Iterator[Progress | JudgedClip]:
    """`watch_video` of an uploaded file; one that is no clip is `unreadable`.

    Other visitors have their turn after every frame. The report is without the path, which is the server's.
    """
    steps = watch_video(detector, path, num_frames=num_frames, whole=whole, methods=methods)
    try:
        while True:
            with judging_slot():
                step = next(steps, None)
            if step is None:
                return
            yield step
    except VideoError as exc:
        yield JudgedClip(unreadable_video(detector, str(exc)), ())
