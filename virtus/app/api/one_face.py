"""What is answered of one face of a photo: a map of it, or all that a pass of the model says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradio import FileData
from PIL import Image

from virtus.app.api.answering import file_answer, png
from virtus.app.api.answers import ExplainAnswer, ExplainedFace, ExploreAnswer, ExploredFace
from virtus.app.maps import MapRequest, write_exploration
from virtus.app.visitors import JudgedPhoto, face_of, hold_against_chance
from virtus.drawing import overlay_crop, overlay_photo
from virtus.results import Explanation, FaceCrop

if TYPE_CHECKING:
    from virtus.checkpoints import Detector


def explained_face(
    detector: Detector, judged: JudgedPhoto, index: int, wanted: MapRequest, faithfulness: bool
) -> tuple[ExplainAnswer, FileData | None, FileData | None]:
    """Its map, and that on its crop and on the photo; without where it was not judged."""
    if not judged.report.faces:
        return ExplainAnswer(judged.report), None, None
    face = face_of(judged.report, index)
    explained = ExplainedFace(index, face.box_xyxy, face.outcome)
    if face.crop is None or judged.photo is None:
        return ExplainAnswer(judged.report, explained), None, None
    explanation = wanted.draw(judged.state_of(detector, index))
    if faithfulness:
        measured = hold_against_chance(detector, face.crop, [explanation])[0]
        explanation = replace(explanation, faithfulness=measured)
    answer = ExplainAnswer(judged.report, replace(explained, explanation=explanation))
    return answer, *_overlays(judged.photo, face.crop, explanation, wanted.opacity)


def explored_face(
    detector: Detector, judged: JudgedPhoto, index: int | None
) -> tuple[ExploreAnswer, FileData | None, FileData | None]:
    """p block by block, where the model looked, and files of all arrays and of rollout; of the face that decided if
    `index` is None."""
    from virtus.judging import explore_face  # torch comes with it

    index = judged.report.decided_by if index is None else index
    if not judged.report.faces or index is None:
        return ExploreAnswer(judged.report), None, None
    face = face_of(judged.report, index)
    answer = ExploredFace(index, face.box_xyxy, face.outcome)
    if face.crop is None:
        return ExploreAnswer(judged.report, answer), None, None
    found = explore_face(detector, judged.report, index, judged.state_of(detector, index))
    answer = replace(
        answer,
        p_fake_by_block=tuple(round(p, 4) for p in found.lens_decided.tolist()),
        grid_size=found.grid_size,
        prefix_names=found.prefix_names,
        patch_names=found.patch_names,
        looked_most_at=tuple(found.top_parts(found.rollout()[-1])),
    )
    arrays, film = write_exploration(found)
    return ExploreAnswer(judged.report, answer), file_answer(arrays, "application/zip"), file_answer(film, "image/webp")


def _overlays(
    photo: Image.Image, crop: FaceCrop, explanation: Explanation, opacity: float
) -> tuple[FileData, FileData]:
    look = {"opacity": opacity, "signed": explanation.signed}
    on_crop = overlay_crop(crop, explanation.heatmap, **look)
    on_photo = overlay_photo(photo, crop, explanation.heatmap, **look)
    return png(on_crop, f"{explanation.method}-crop"), png(on_photo, f"{explanation.method}-photo")
