"""What the tab `Video` says, as HTML, beside verdicts and frames."""

from __future__ import annotations

from virtus.drawing import data_uri, fit_display, overlay_crop
from virtus.html import caption
from virtus.video import PersonReport

MAP_SIDE = 320  # px of the face and its map

EMPTY = """<section class="panel empty" aria-label="Result">
<h2>Your result appears here</h2>
<ol>
<li>Give a clip of up to ten minutes: drop it, or choose one.</li>
<li>Frames are taken at even distances in time, and the persons in them are followed.</li>
<li>Every person gets a verdict, with what each frame says and how far the frames agree.</li>
</ol>
</section>"""


def progress(done: int, total: int) -> str:
    """How many of the frames are judged."""
    share = 100 * done / total
    return f"""<section class="panel judging" aria-label="Result">
<h2>Judging the frames</h2>
<div class="progress" role="progressbar" aria-label="Frames judged" aria-valuemin="0" aria-valuemax="{total}"
aria-valuenow="{done}"><div class="done" style="width: {share:.0f}%"></div></div>
<p class="fine">{done} of {total} frames</p>
</section>"""


def telling(person: PersonReport) -> str:
    """The face in the most telling frame, with what the model used of it; nothing where there is no map."""
    if not person.explanations:
        return ""
    sight, explanation = person.sights[person.telling], person.explanations[0]
    crop = sight.face.crop
    drawn = overlay_crop(crop, explanation.heatmap, signed=explanation.signed)
    face, overlay = (data_uri(fit_display(image, side=MAP_SIDE)) for image in (crop.image, drawn))
    return f"""<section class="panel telling" aria-label="The most telling frame">
<h2>The most telling frame, at {sight.time_s:.1f} s</h2>
<div class="side-by-side">
<figure><img src="{face}" alt="The face in this frame"><figcaption>The face</figcaption></figure>
<figure><img src="{overlay}" alt="Map of {explanation.method}"><figcaption>What the model used</figcaption></figure>
</div>
{caption(explanation)}
</section>"""
