"""The tab `Video`: a clip in; a verdict for each person, and p of each frame."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.video.tab import add_video_tab

__getattr__, __all__ = offer(__name__, __file__)
