"""`/explain`: one face explained by one method."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from gradio import FileData
from PIL import Image

from virtus.app.api.answering import png
from virtus.app.api.answers import ExplainAnswer
from virtus.app.maps import TARGETS, MapRequest
from virtus.app.visitors import Detectors, Judged, face_of, hold_against_chance, judge, uploaded
from virtus.drawing import DEFAULT_OPACITY, overlay_crop, overlay_photo
from virtus.explain import DEFAULT_METHOD, EXPLAINERS, HEAD_FUSIONS
from virtus.results import Explanation, FaceCrop, FaceReport

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

Answer = tuple[ExplainAnswer, FileData | None, FileData | None]


def explain_endpoint(detectors: Detectors) -> Callable:
    def explain(
        file: FileData,
        model: str = "auto",
        method: Literal[*EXPLAINERS] = DEFAULT_METHOD,
        target: Literal[*TARGETS] = "predicted",
        face: int = 0,
        opacity: float = DEFAULT_OPACITY,
        layer: int = -1,
        head: int | None = None,
        head_fusion: Literal[*HEAD_FUSIONS] = "mean",
        discard_ratio: float = 0.0,
        whole_image: bool = False,
        faithfulness: bool = False,
    ) -> tuple[ExplainAnswer, FileData | None, FileData | None]:
        """Explain the verdict on one face: its raw heatmap, and the overlay as PNG on its crop and on the photo.

        Args:
            file: The photo: JPEG, PNG, WebP, HEIC, AVIF and others, up to 64 MiB.
            model: Who judges: "auto" for the server's own checkpoint, a name of its list, or a Hub id owner/name.
            method: How the map is made. What a method does not take of the options below is left aside.
            target: The class that the map speaks of, for methods that know one.
            face: Which face, 0 is the largest.
            opacity: Of the map in the PNGs, 0 to 1.
            layer: Whose tokens are looked at: 0 is the first block, -1 the last.
            head: Of the attention, from 0; null for all of them, made one by head_fusion.
            head_fusion: How the heads become one.
            discard_ratio: Share of the smallest attention left out of each block, 0 up to but not including 1.
            whole_image: Judge the picture as it is, without looking for faces: for ready-made face crops.
            faithfulness: Hold the map against 99 random ones: is it better than chance? Takes some seconds.
        """
        wanted = MapRequest(method, target, opacity, layer, head, head_fusion, discard_ratio)
        detector = detectors.get(model)
        judged = judge(detector, uploaded(file), whole=bool(whole_image))
        return _explain_face(detector, judged, face, wanted, faithfulness)

    return explain


def _explain_face(detector: "Detector", judged: Judged, index: int, wanted: MapRequest, faithfulness: bool) -> Answer:
    answer = judged.report.to_json()
    if not judged.report.faces:
        return answer, None, None
    face = face_of(judged.report, index)
    answer |= {"face": index} | _face_json(face)
    if face.crop is None:
        return answer, None, None
    found = wanted.draw(detector.encode([face.crop]))
    if faithfulness:
        found = replace(found, faithfulness=hold_against_chance(detector, face.crop, [found])[0])
    return answer | found.to_json(), *_overlays(judged.photo, face.crop, found, wanted.opacity)


def _face_json(face: FaceReport) -> dict:
    return {"box_xyxy": [round(value, 1) for value in face.box_xyxy], "face_outcome": str(face.outcome)}


def _overlays(photo: Image.Image, crop: FaceCrop, found: Explanation, opacity: float) -> tuple[FileData, FileData]:
    look = {"opacity": opacity, "signed": found.signed}
    on_crop, on_photo = overlay_crop(crop, found.heatmap, **look), overlay_photo(photo, crop, found.heatmap, **look)
    return png(on_crop, f"{found.method}-crop"), png(on_photo, f"{found.method}-photo")
