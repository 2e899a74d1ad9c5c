"""What happens around the maps: every map of a face is drawn from the one pass of the trunk that its verdict took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
from PIL import Image

from virtus.app.maps.request import MapRequest
from virtus.app.visitors import Detectors, JudgedPhoto, face_of, judge_photo, steps_against_chance, uploaded
from virtus.app.widgets import CROP_SIDE, map_pair
from virtus.drawing import fit_display, overlay_crop, overlay_photo
from virtus.errors import VirtusError
from virtus.explain import EXPLAINERS
from virtus.html import map_caption, message_panel, side_by_side, trust_line
from virtus.results import Explanation, FaceCrop, Faithfulness

if TYPE_CHECKING:
    from virtus.checkpoints import Detector, TrunkState
    from virtus.models import Trunk

SIDE_BY_SIDE_SIDE = 256  # px of each face
MappedFace = tuple[str, str, bool, int]
"""Upload, sha256 of the checkpoint, mode and index of a face: other maps of it may stay beside a new one."""
Pair = tuple[str, str]
"""Files of a picture without and with its map."""


@dataclass(frozen=True)
class MapInputs:
    """Which face, and which map: the values of the components, in their order; layers counted from 1 as people do."""

    photo: dict | None
    model: str
    whole: bool
    index: int | None
    method: str
    target: str
    opacity: float
    layer: int
    head: int | None
    head_fusion: str
    discard_ratio: float

    def request(self, trunk: Trunk) -> MapRequest:
        """What is wanted; the controls may still be those of a checkpoint with more blocks or heads."""
        return MapRequest(
            method=self.method,
            target=self.target,
            opacity=self.opacity,
            layer=min(self.layer, len(trunk.blocks)) - 1,
            head=self._head(trunk),
            head_fusion=self.head_fusion,
            discard_ratio=self.discard_ratio,
        )

    def controls(self, trunk: Trunk) -> tuple[gr.Radio, gr.Slider, gr.Dropdown, gr.Radio, gr.Slider]:
        """Those that the method takes: target, layer, head, head_fusion, discard_ratio."""
        explainer, blocks = EXPLAINERS[self.method], len(trunk.blocks)
        heads: list[Any] = [("all", None), *((str(number + 1), number) for number in range(trunk.num_heads))]
        return (
            gr.Radio(visible=explainer.class_specific),
            gr.Slider(1, blocks, value=min(self.layer, blocks), visible="layer" in explainer.options),
            gr.Dropdown(heads, value=self._head(trunk), visible="head" in explainer.options),
            gr.Radio(visible="head_fusion" in explainer.options),
            gr.Slider(visible="discard_ratio" in explainer.options),
        )

    def _head(self, trunk: Trunk) -> int | None:
        return self.head if self.head in range(trunk.num_heads) else None


class MapOutputs(NamedTuple):
    """What is shown: of which face, the pairs for its slider and the photo's, the caption, no maps side by side."""

    mapped: MappedFace | None = None
    face: Pair | None = None
    photo: Pair | None = None
    caption: str = ""
    all_maps: Any = ""


@dataclass(frozen=True)
class JudgedFace:
    """A face that was judged, and what its maps are drawn from."""

    mapped: MappedFace
    detector: Detector
    judged: JudgedPhoto
    photo: Image.Image
    crop: FaceCrop

    @property
    def state(self) -> TrunkState:
        """What explainers take."""
        return self.judged.state_of(self.detector, self.mapped[-1])

    def measure(self, explanations: list[Explanation]) -> Iterator[Faithfulness | None]:
        """Each held against chance; None after steps that only took time."""
        return steps_against_chance(self.detector, self.crop, explanations)


class MapCallbacks:
    """The callbacks, with the detectors that they share. `mapped` is the face whose map is shown; None for none."""

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def show_map(self, inputs: MapInputs, mapped: MappedFace | None) -> MapOutputs:
        """The map that is wanted. What stands side by side stays while the face does."""
        try:
            face = self._judge(inputs)
            if face is None:
                return MapOutputs()
            shown = _draw(face, inputs.request(face.detector.checkpoint.trunk))
            return shown._replace(all_maps=gr.skip()) if face.mapped == mapped else shown
        except VirtusError as exc:
            return MapOutputs(caption=message_panel("No map could be drawn", str(exc), "error"))

    def show_controls(self, inputs: MapInputs, mapped: MappedFace | None) -> tuple:
        """The controls that the method takes, and that its map is being tested."""
        if mapped is None:
            return (*(gr.skip(),) * 5, "")
        return *inputs.controls(self._detectors.get(inputs.model).checkpoint.trunk), trust_line(None)

    def test_map(self, inputs: MapInputs, mapped: MappedFace | None) -> Iterator[str]:
        """The trust line of the shown map, step by step: of a visitor who left, the rest is not computed."""
        try:
            face = self._judge(inputs) if mapped else None
            if face is None:
                yield ""
                return
            explanation = inputs.request(face.detector.checkpoint.trunk).draw(face.state)
            yield from map(trust_line, face.measure([explanation]))
        except VirtusError as exc:
            yield message_panel("This map could not be tested", str(exc), "error")

    def show_all(self, inputs: MapInputs) -> Iterator[Any]:
        """All methods side by side: first their maps, then how much each can be trusted."""
        try:
            face = self._judge(inputs)
            yield from _show_all(face, inputs.request(face.detector.checkpoint.trunk)) if face else ("",)
        except VirtusError as exc:
            yield message_panel("The maps could not be drawn", str(exc), "error")

    def _judge(self, inputs: MapInputs) -> JudgedFace | None:
        """None where nothing is to be mapped: no photo, no face, or one that was too small to be judged."""
        if not inputs.photo or inputs.index is None:
            return None
        detector, path = self._detectors.get(inputs.model), uploaded(inputs.photo)
        judged = judge_photo(detector, path, whole=inputs.whole)
        crop = face_of(judged.report, inputs.index).crop
        if judged.photo is None or crop is None:
            return None
        mapped = str(path), detector.checkpoint.info.sha256, inputs.whole, inputs.index
        return JudgedFace(mapped, detector, judged, judged.photo, crop)


def _draw(face: JudgedFace, wanted: MapRequest) -> MapOutputs:
    """On pictures at display size."""
    explanation = wanted.draw(face.state)
    heatmap, signed, opacity = explanation.heatmap, explanation.signed, wanted.opacity
    crop = replace(face.crop, image=fit_display(face.crop.image, side=CROP_SIDE))
    on_crop = overlay_crop(crop, heatmap, opacity=opacity, signed=signed)
    photo = fit_display(face.photo)
    photo_crop = scale_crop(face.crop, photo.width / face.photo.width, photo.height / face.photo.height)
    on_photo = overlay_photo(photo, photo_crop, heatmap, opacity=opacity, signed=signed)
    return MapOutputs(
        mapped=face.mapped,
        face=map_pair(crop.image, on_crop, f"{explanation.method}-face"),
        photo=map_pair(photo, on_photo, f"{explanation.method}-photo"),
        caption=map_caption(explanation),
    )


def _show_all(face: JudgedFace, wanted: MapRequest) -> Iterator[Any]:
    state, small = face.state, replace(face.crop, image=fit_display(face.crop.image, side=SIDE_BY_SIDE_SIDE))
    maps = [wanted.by(method).draw(state) for method in EXPLAINERS]
    drawn = [(each, overlay_crop(small, each.heatmap, opacity=wanted.opacity, signed=each.signed)) for each in maps]
    yield side_by_side(drawn, {})
    measured = []
    for faithfulness in face.measure(maps):
        if faithfulness is None:
            yield gr.skip()
            continue
        measured.append(faithfulness)
        yield side_by_side(drawn, dict(zip(EXPLAINERS, measured, strict=False)))


def scale_crop(crop: FaceCrop, x_scale: float, y_scale: float) -> FaceCrop:
    """The crop in the pixels of a photo that was scaled."""
    x0, y0, x1, y1 = crop.box_xyxy
    box = (round(x0 * x_scale), round(y0 * y_scale), round(x1 * x_scale), round(y1 * y_scale))
    width, height = max(1, box[2] - box[0]), max(1, box[3] - box[1])
    size = (height, width) if crop.quarter_turns % 2 else (width, height)
    image = crop.image.resize(size, Image.Resampling.BILINEAR)
    return replace(crop, image=image, box_xyxy=box)
