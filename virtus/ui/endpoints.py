"""The documented API. Gradio reads the types of these functions, so they are not postponed to strings here."""

import functools
from collections.abc import Callable

import gradio as gr
from gradio import FileData

from virtus.errors import VirtusError
from virtus.overlay import DEFAULT_OPACITY, overlay_crop, overlay_photo
from virtus.results import FaceReport
from virtus.ui.detectors import Detectors
from virtus.ui.gpu import on_gpu
from virtus.ui.judging import MapRequest, face_of, judge
from virtus.ui.pictures import write_png
from virtus.ui.uploads import as_gradio_error, uploaded


def add_endpoints(detectors: Detectors) -> None:
    """Add `/analyze` and `/explain` to the Blocks that are being built."""

    @_answering
    def analyze(file: FileData, model: str = "auto", whole_image: bool = False) -> dict:
        """Judge every face of an uploaded photo: outcome, checkpoint, image_size, faces, and a reason where none."""
        return judge(detectors.get(model), uploaded(file), whole=bool(whole_image)).report.to_json()

    @_answering
    def explain(
        file: FileData,
        model: str = "auto",
        method: str = "rollout",
        target: str = "predicted",
        face: int = 0,
        opacity: float = DEFAULT_OPACITY,
        head_fusion: str = "mean",
        discard_ratio: float = 0.0,
        whole_image: bool = False,
    ) -> tuple[dict, FileData | None, FileData | None]:
        """Explain one face: its JSON with the raw heatmap, and the overlay as PNG on its crop and on the photo."""
        wanted = MapRequest(method, target, opacity, head_fusion, discard_ratio)
        judged = judge(detectors.get(model), uploaded(file), whole=bool(whole_image), wanted=wanted)
        if not judged.report.faces:
            return judged.report.to_json(), None, None
        chosen = face_of(judged.report, face)
        answer = judged.report.to_json() | {"face": face} | _map_json(chosen)
        if not chosen.explanations:
            return answer, None, None
        one = chosen.explanations[0]
        crop = overlay_crop(chosen.crop, one.heatmap, opacity=opacity, signed=one.signed)
        photo = overlay_photo(judged.photo, chosen.crop, one.heatmap, opacity=opacity, signed=one.signed)
        return answer, _png(crop, f"{method}-crop"), _png(photo, f"{method}-photo")

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


def _map_json(face: FaceReport) -> dict:
    row = {"box_xyxy": [round(value, 1) for value in face.box_xyxy], "face_outcome": str(face.outcome)}
    for one in face.explanations:
        row |= one.to_json()
    return row


def _png(image, name: str) -> FileData:
    return FileData(path=write_png(image, name), orig_name=f"{name}.png", mime_type="image/png")
