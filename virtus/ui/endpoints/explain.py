"""`/explain`: one face explained by one method."""

from collections.abc import Callable
from dataclasses import replace

from gradio import FileData
from PIL import Image

from virtus.detector import Detector
from virtus.explain import DEFAULT_METHOD
from virtus.overlay import DEFAULT_OPACITY, overlay_crop, overlay_photo
from virtus.results import Explanation, FaceCrop, FaceReport
from virtus.ui.detectors import Detectors
from virtus.ui.endpoints.answering import png
from virtus.ui.judging import Judged, face_of, judge
from virtus.ui.map_callbacks import hold_against_chance
from virtus.ui.map_request import MapRequest
from virtus.ui.uploads import uploaded

Answer = tuple[dict, FileData | None, FileData | None]


def explain_endpoint(detectors: Detectors) -> Callable:
    def explain(
        file: FileData,
        model: str = "auto",
        method: str = DEFAULT_METHOD,
        target: str = "predicted",
        face: int = 0,
        opacity: float = DEFAULT_OPACITY,
        layer: int = -1,
        head: int | None = None,
        head_fusion: str = "mean",
        discard_ratio: float = 0.0,
        whole_image: bool = False,
        faithfulness: bool = False,
    ) -> tuple[dict, FileData | None, FileData | None]:
        """Explain one face: its JSON with the raw heatmap, and the overlay as PNG on its crop and on the photo."""
        wanted = MapRequest(method, target, opacity, layer, head, head_fusion, discard_ratio)
        detector = detectors.get(model)
        judged = judge(detector, uploaded(file), whole=bool(whole_image))
        return _explain_face(detector, judged, face, wanted, faithfulness)

    return explain


def _explain_face(detector: Detector, judged: Judged, index: int, wanted: MapRequest, faithfulness: bool) -> Answer:
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
