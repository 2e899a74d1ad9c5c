"""What happens around the maps: every map of a face is drawn from the one pass of the trunk that its verdict took."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from virtus.app.maps.frame import STRIP, MappedFace, MappedPhoto, draw_map, key_of, show_maps, show_no_maps
from virtus.app.maps.request import MapRequest
from virtus.app.visitors import Detectors, JudgedPhoto, face_of, judge_photo, steps_against_chance, uploaded
from virtus.errors import VirtusError
from virtus.explain import EXPLAINERS, STEPS_A_MAP
from virtus.html import map_caption, message_panel, test_progress, trust_line
from virtus.results import Explanation, Face, FaceCrop

if TYPE_CHECKING:
    from virtus.checkpoints import Detector, TrunkState
    from virtus.models import Trunk


@dataclass(frozen=True)
class MapInputs:
    """Which face, and which map: the values of the components, in their order; layers counted from 1 as people do."""

    photo: dict | None
    model: str
    whole: bool
    index: int | None
    method: str
    target: str
    layer: int
    head: int | None
    head_fusion: str
    discard_ratio: float

    @property
    def question(self) -> str:
        """All that maps depend on beside their method, in short."""
        return f"{zlib.crc32(repr(replace(self, method='')).encode()):08x}"

    def request(self, trunk: Trunk) -> MapRequest:
        """What is wanted; the controls may still be those of a checkpoint with more blocks or heads."""
        return MapRequest(
            method=self.method,
            target=self.target,
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
            gr.Slider(1, blocks, visible="layer" in explainer.options, **_moved(self.layer, min(self.layer, blocks))),
            gr.Dropdown(heads, visible="head" in explainer.options, **_moved(self.head, self._head(trunk))),
            gr.Radio(visible="head_fusion" in explainer.options),
            gr.Slider(visible="discard_ratio" in explainer.options),
        )

    def _head(self, trunk: Trunk) -> int | None:
        return self.head if self.head in range(trunk.num_heads) else None


def _moved(asked: int | None, value: int | None) -> dict[str, Any]:
    """A control's value where it is another one: told what was asked, it would lose what was set since."""
    return {} if value == asked else {"value": value}


class MapOutputs(NamedTuple):
    """The frame, what is said of the shown map, whether it was tested, and the controls that its method takes."""

    frame: Any
    caption: Any = ""
    trust: Any = ""
    target: Any = gr.skip()
    layer: Any = gr.skip()
    head: Any = gr.skip()
    head_fusion: Any = gr.skip()
    discard_ratio: Any = gr.skip()


@dataclass(frozen=True)
class JudgedFace:
    """A face that was looked at, and what its maps are drawn from.

    Attributes:
        crop: None where it was too small to be judged.
        face: None where the whole picture was judged.
    """

    mapped: MappedPhoto
    index: int
    detector: Detector
    judged: JudgedPhoto
    crop: FaceCrop | None
    face: Face | None

    @property
    def state(self) -> TrunkState:
        """What explainers take."""
        return self.judged.state_of(self.detector, self.index)


class MapCallbacks:
    """The callbacks, with the detectors that they share."""

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def show_maps(self, inputs: MapInputs) -> Iterator[MapOutputs]:
        """The map that is wanted, then those of the strip, each when it is ready."""
        yield from self._show(inputs, (inputs.method, *STRIP))

    def choose_method(self, inputs: MapInputs) -> Iterator[MapOutputs]:
        """The map by another method; the others stay."""
        yield from self._show(inputs, (inputs.method,))

    def test_map(self, inputs: MapInputs) -> Iterator[str]:
        """Whether the shown map is better than chance, in steps: of a visitor who left, the rest is not computed."""
        try:
            face = self._judge(inputs)
            if face is None or face.crop is None:
                yield ""
                return
            explanation = inputs.request(face.detector.checkpoint.trunk).draw(face.state)
            name = f"This map of {explanation.method}"
            yield from tell_test(face.detector, face.crop, explanation, name)
        except VirtusError as exc:
            yield message_panel("This map could not be tested", str(exc), "error")

    def _show(self, inputs: MapInputs, methods: tuple[str, ...]) -> Iterator[MapOutputs]:
        try:
            face = self._judge(inputs)
            if face is None:
                yield MapOutputs(gr.skip())
            elif face.crop is None:
                yield MapOutputs(show_no_maps(face.mapped, face.index))
            else:
                yield from _draw(face, face.crop, inputs, methods)
        except VirtusError as exc:
            yield MapOutputs(gr.skip(), message_panel("No map could be drawn", str(exc), "error"))

    def _judge(self, inputs: MapInputs) -> JudgedFace | None:
        """None where there is no photo, or no face in it."""
        if not inputs.photo or inputs.index is None:
            return None
        detector, path = self._detectors.get(inputs.model), uploaded(inputs.photo)
        judged = judge_photo(detector, path, whole=inputs.whole)
        if judged.photo is None:
            return None
        mapped = MappedPhoto(judged.photo, judged.report, key_of(str(path), detector, whole=inputs.whole))
        report = face_of(judged.report, inputs.index)
        return JudgedFace(mapped, inputs.index, detector, judged, report.crop, report.face)


def _draw(face: JudgedFace, crop: FaceCrop, inputs: MapInputs, methods: tuple[str, ...]) -> Iterator[MapOutputs]:
    checkpoint, drawn = face.detector.checkpoint, {}
    request, controls = inputs.request(checkpoint.trunk), inputs.controls(checkpoint.trunk)
    names = checkpoint.name_patches(face.face, crop)
    mapped = MappedFace(face.mapped, face.index, crop, names, inputs.question)
    for method in dict.fromkeys(methods):
        explanation = request.by(method).draw(face.state)
        drawn[method] = draw_map(explanation)
        frame = show_maps(mapped, drawn)
        first = MapOutputs(frame, map_caption(explanation), "", *controls)
        yield first if len(drawn) == 1 else MapOutputs(frame, gr.skip(), gr.skip())


def tell_test(detector: Detector, crop: FaceCrop, explanation: Explanation, name: str) -> Iterator[str]:
    """How far the test of a map against chance is, step by step; at last what came of it, said of `name`."""
    done = 0
    yield test_progress(name, done, STEPS_A_MAP)
    for step in steps_against_chance(detector, crop, [explanation]):
        done += 1
        yield test_progress(name, done, STEPS_A_MAP) if step is None else trust_line(step, name)
