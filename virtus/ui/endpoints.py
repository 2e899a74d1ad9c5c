"""The documented API. Gradio reads the types of these functions, so they are not postponed to strings here."""

import functools
from collections.abc import Callable
from dataclasses import replace

import gradio as gr
from gradio import FileData
from PIL import Image

from virtus.calibration import EVEN
from virtus.errors import VirtusError
from virtus.explain import DEFAULT_METHOD
from virtus.overlay import DEFAULT_OPACITY, overlay_crop, overlay_photo
from virtus.results import Explanation, FaceCrop, FaceReport
from virtus.ui.detectors import Detectors
from virtus.ui.gpu import on_gpu
from virtus.ui.judging import face_of, judge
from virtus.ui.map_callbacks import hold_against_chance
from virtus.ui.map_request import MapRequest
from virtus.ui.pictures import write_png
from virtus.ui.uploads import as_gradio_error, uploaded


def add_endpoints(detectors: Detectors) -> None:
    """Add `/analyze` and `/explain` to the Blocks that are being built."""

    @_answering
    def analyze(
        file: FileData,
        model: str = "auto",
        whole_image: bool = False,
        stability: bool = False,
        prior: float = EVEN,
    ) -> dict:
        """Judge every face of an uploaded photo: outcome, checkpoint, prior, image_size, faces, a reason where none."""
        detector = detectors.get(model).at_prior(prior)
        return judge(detector, uploaded(file), whole=bool(whole_image), stability=bool(stability)).report.to_json()

    @_answering
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
        if not judged.report.faces:
            return judged.report.to_json(), None, None
        chosen = face_of(judged.report, face)
        answer = judged.report.to_json() | {"face": face} | _face_json(chosen)
        if chosen.crop is None:
            return answer, None, None
        found = wanted.draw(detector.encode([chosen.crop]))
        if faithfulness:
            found = replace(found, faithfulness=hold_against_chance(detector, chosen.crop, [found])[0])
        return answer | found.to_json(), *_overlays(judged.photo, chosen.crop, found, opacity)

    gr.api(on_gpu(analyze), api_name="analyze")
    gr.api(on_gpu(explain), api_name="explain")


def _answering(function: Callable) -> Callable:
    """Our errors as answers: their sentence, without a traceback."""

    @functools.wraps(function)
    def answer(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except VirtusError as exc:
            raise as_gradio_error(exc) from exc

    return answer


def _face_json(face: FaceReport) -> dict:
    return {"box_xyxy": [round(value, 1) for value in face.box_xyxy], "face_outcome": str(face.outcome)}


def _overlays(photo: Image.Image, crop: FaceCrop, found: Explanation, opacity: float) -> tuple[FileData, FileData]:
    look = {"opacity": opacity, "signed": found.signed}
    on_crop, on_photo = overlay_crop(crop, found.heatmap, **look), overlay_photo(photo, crop, found.heatmap, **look)
    return _png(on_crop, f"{found.method}-crop"), _png(on_photo, f"{found.method}-photo")


def _png(image, name: str) -> FileData:
    return FileData(path=write_png(image, name), orig_name=f"{name}.png", mime_type="image/png")
