"""The frame that shows the photo with its faces, and the maps of one of them: a component, and what it is sent.

The photo goes to the page once; a map is a small transparent layer, which the page lays over it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
from PIL import Image

from virtus.app.widgets import CROP_SIDE
from virtus.bundled import ASSETS
from virtus.drawing import DEFAULT_OPACITY, TONES, data_uri, draw_layer, fit_display, jpeg_uri, trace_top
from virtus.explain import CENTRE_HITS, CHANCE_HITS, DEFAULT_METHOD, EXPLAINERS, LOCALISATION, LOCALISATION_OF
from virtus.html import photo_words, render_page
from virtus.results import Explanation, FaceCrop, FaceReport, ImageReport

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

STRIP = ("attribution", "rollout", "gradcam", "evidence")  # drawn of every face, as small pictures
LAYER_SIDE = 256  # px: a map has some 14 patches a side, and the page makes it as large as the face
NOTHING: dict[str, Any] = {"photo": None, "maps": None}


@dataclass(frozen=True)
class MappedPhoto:
    """A photo as it was judged. What the frame is sent of it belongs together by `key`."""

    photo: Image.Image
    report: ImageReport
    key: str


@dataclass(frozen=True)
class MappedFace:
    """A face of a photo, whose maps are shown.

    Attributes:
        index: in the photo's report.
        patch_names: what each patch shows, for those who do not see it: see `virtus.faces.name_cells`.
        question: all that maps depend on beside their method: those of another question go.
    """

    photo: MappedPhoto
    index: int
    crop: FaceCrop
    patch_names: Sequence[str]
    question: str


def map_frame() -> gr.HTML:
    """A component whose value is the method that is shown; it triggers `choose` when the visitor takes another."""
    script = (ASSETS / "scripts" / "map-frame.js").read_text(encoding="utf-8")
    component = gr.HTML(DEFAULT_METHOD, elem_id="map-frame", js_on_load=script, apply_default_css=False, **NOTHING)
    component.html_template = render_page(
        "map-frame.html",
        explainers=EXPLAINERS,
        scores=LOCALISATION,
        strip=STRIP,
        others=[name for name in EXPLAINERS if name not in STRIP],
        opacity=DEFAULT_OPACITY,
        chance=CHANCE_HITS,
        centre=CENTRE_HITS,
        measured_with=LOCALISATION_OF,
    )
    return component


def key_of(path: str, detector: Detector, *, whole: bool) -> str:
    """Of an upload and what it was judged by: a page shows no map of another one beside it. It ends with the path."""
    return f"{zlib.crc32(f'{path} {detector.checkpoint.info.sha256} {whole}'.encode()):08x} {path}"


def no_photo() -> gr.HTML:
    """What the frame becomes where there is nothing to be shown."""
    return gr.HTML(**NOTHING)


def show_photo(mapped: MappedPhoto) -> gr.HTML:
    """What the frame becomes for a photo: it, with a box for each face. Maps follow."""
    shown, report = fit_display(mapped.photo), mapped.report
    faces = [_face(face, mapped.photo.size) for face in report.faces]
    photo = {
        "key": mapped.key,
        "picture": jpeg_uri(shown),
        "ratio": shown.width / shown.height,
        "words": photo_words(report),
        "faces": faces,
        "chosen": report.decided_by,
    }
    return gr.HTML(photo=photo)


def _face(face: FaceReport, size: tuple[int, int]) -> dict[str, Any]:
    return {"box": _shares(face.box_xyxy, size), **vars(TONES[face.outcome])}


def show_no_maps(mapped: MappedPhoto, index: int) -> gr.HTML:
    """What the frame becomes for a face that was not judged."""
    return _with_maps({"photo": mapped.key, "face": index, "of": "", "drawn": {}})


def show_maps(face: MappedFace, drawn: Mapping[str, dict[str, Any]]) -> gr.HTML:
    """What the frame becomes when maps of a face are drawn: by method, what `draw_map` makes of each."""
    picture, photo = fit_display(face.crop.image, side=CROP_SIDE), face.photo
    maps = {
        "photo": photo.key,
        "face": face.index,
        "of": face.question,
        "picture": jpeg_uri(picture),
        "ratio": picture.width / picture.height,
        "box": _shares(face.crop.box_xyxy, photo.photo.size),
        "turns": face.crop.quarter_turns,
        "names": list(face.patch_names),
        "drawn": dict(drawn),
    }
    return _with_maps(maps)


def draw_map(explanation: Explanation) -> dict[str, Any]:
    """A map as the frame shows it: its layer, its outlines as an SVG path, and its values from the top left on."""
    heatmap, signed = explanation.heatmap, explanation.signed
    outlines = trace_top(heatmap, signed=signed)
    return {
        "layer": data_uri(draw_layer(heatmap, (LAYER_SIDE, LAYER_SIDE), signed=signed)),
        "outlines": "".join(f"M{'L'.join(f'{x:.4f} {y:.4f}' for x, y in line)}Z" for line in outlines),
        "rows": heatmap.shape[0],
        "values": [float(f"{value:.4g}") for value in heatmap.ravel().tolist()],
        "signed": signed,
    }


def _with_maps(maps: dict[str, Any]) -> gr.HTML:
    """As one text: of what a generator sends, Gradio's page changes the parts in place, and then sees no change."""
    return gr.HTML(maps=json.dumps(maps))


def _shares(box_xyxy: tuple[float, ...], size: tuple[int, int]) -> list[float]:
    """Left, top, width and height, as shares of the photo's."""
    (x0, y0, x1, y1), (width, height) = box_xyxy, size
    return [x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height]
