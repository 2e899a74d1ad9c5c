"""What the tab `Video` says, as HTML, beside verdicts and frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtus.drawing import fit_display, overlay_crop
from virtus.html import map_caption, render_part
from virtus.video import PersonReport

if TYPE_CHECKING:
    from markupsafe import Markup

MAP_SIDE = 320  # px of the face and its map


def empty_panel() -> Markup:
    """What stands in the place of the verdict until there is one."""
    return render_part("empty.html", "clip")


def progress(done: int, total: int) -> Markup:
    """How many of the frames are judged."""
    return render_part("clip.html", "progress", done=done, total=total)


def key_frame(person: PersonReport) -> Markup | str:
    """The face in the key frame, with what the model used of it; nothing where there is no map."""
    sight = person.key_frame
    if sight is None or sight.face.crop is None or not person.explanations:
        return ""
    crop, explanation = sight.face.crop, person.explanations[0]
    overlay = overlay_crop(crop, explanation.heatmap, signed=explanation.signed)
    return render_part(
        "clip.html",
        "key_frame",
        time_s=sight.time_s,
        method=explanation.method,
        face=fit_display(crop.image, side=MAP_SIDE),
        overlay=fit_display(overlay, side=MAP_SIDE),
        caption=map_caption(explanation),
    )
