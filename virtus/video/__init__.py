"""Clips: frames evenly spaced in time, the persons in them, a verdict on each."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.video.analysis import (
        MAX_CLIP_BYTES,
        MAX_CLIP_S,
        MAX_FRAMES,
        NUM_FRAMES,
        JudgedClip,
        Progress,
        ShownFrame,
        analyze_files,
        analyze_video,
        thresholds_of_person,
        unreadable_video,
        watch_video,
    )
    from virtus.video.reading import sample_frames
    from virtus.video.report import PersonReport, Sight, VideoReport
    from virtus.video.verdict import JudgedSight, judged_sights

__getattr__, __all__ = offer(__name__, __file__)
