"""What happens around the maps: a face is encoded once, and other maps of it are drawn from what was kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import gradio as gr

from virtus.app.maps.request import MapRequest
from virtus.app.visitors import Detectors, KeptFace, face_of, judge, keep_face, steps_against_chance, uploaded
from virtus.app.widgets import map_pair, panels
from virtus.drawing import fit_display, overlay_crop, overlay_photo
from virtus.errors import VirtusError
from virtus.explain import EXPLAINERS
from virtus.html import map_caption, side_by_side, trust_line
from virtus.results import Explanation, Faithfulness

SIDE_BY_SIDE_SIDE = 256  # px of each face
NO_MAP = (None, None, None, "", "")


class MapCallbacks:
    """The callbacks, with the detectors that they share.

    `settings` are the fields of `MapRequest`, with layers counted from 1 as people do.
    """

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def show_map(self, kept: KeptFace | None, file, model: str, whole: bool, index: int | None, *settings) -> tuple:
        """What is kept of the face, the pairs for its slider and the photo's, the caption, and no maps side by side.

        These stay while the face does.
        """
        if not file or index is None:
            return NO_MAP
        try:
            found = self._keep(kept, file, model, whole, index)
            drawn = self._draw(found, model, self._wanted(model, *settings)) if found else NO_MAP[1:4]
            return found, *drawn, gr.skip() if found is kept else ""
        except VirtusError as exc:
            return None, None, None, panels.message("No map could be drawn", str(exc), "error"), ""

    def show_controls(self, kept: KeptFace | None, model: str, method: str, layer: int, head: int | None) -> tuple:
        """What a method takes (target, layer, head, head_fusion, discard_ratio), and that its map is being tested."""
        explainer, options = EXPLAINERS[method], EXPLAINERS[method].options
        if kept is None:
            return (*(gr.skip(),) * 5, "")
        trunk = self._detectors.get(model).checkpoint.trunk
        heads = [("all", None), *((str(number + 1), number) for number in range(trunk.num_heads))]
        blocks = len(trunk.blocks)
        return (
            gr.Radio(visible=explainer.class_specific),
            gr.Slider(1, blocks, value=min(layer, blocks), visible="layer" in options),
            gr.Dropdown(heads, value=head if head in range(trunk.num_heads) else None, visible="head" in options),
            gr.Radio(visible="head_fusion" in options),
            gr.Slider(visible="discard_ratio" in options),
            trust_line(None),
        )

    def test_map(self, kept: KeptFace | None, model: str, *settings) -> Iterator[str]:
        """The trust line of the shown map, step by step: of a visitor who left, the rest is not computed."""
        if kept is None:
            yield ""
            return
        try:
            explanation = self._wanted(model, *settings).draw(kept.state(self._detectors.get(model)))
            yield from map(trust_line, self._measure(kept, model, [explanation]))
        except VirtusError as exc:
            yield panels.message("This map could not be tested", str(exc), "error")

    def show_all(self, kept: KeptFace | None, file, model: str, whole: bool, index: int | None, *settings):
        """All methods side by side: first their maps, then how much each can be trusted."""
        try:
            kept = None if not file or index is None else self._keep(kept, file, model, whole, index)
            yield from self._all(kept, model, self._wanted(model, *settings)) if kept else ("",)
        except VirtusError as exc:
            yield panels.message("The maps could not be drawn", str(exc), "error")

    def _all(self, kept: KeptFace, model: str, wanted: MapRequest) -> Iterator[str]:
        state = kept.state(self._detectors.get(model))
        explanations = [wanted.by(method).draw(state) for method in EXPLAINERS]
        drawn = [(one, _small_overlay(kept, one, wanted.opacity)) for one in explanations]
        yield side_by_side(drawn, {})
        measured = []
        for found in self._measure(kept, model, explanations):
            if found is None:
                yield gr.skip()
                continue
            measured.append(found)
            yield side_by_side(drawn, dict(zip(EXPLAINERS, measured, strict=False)))

    def _wanted(self, model: str, method: str, target: str, opacity: float, layer: int, head: int | None, *rest):
        """What the controls say; they may still be those of a checkpoint with more blocks or heads."""
        trunk = self._detectors.get(model).checkpoint.trunk
        head = head if head in range(trunk.num_heads) else None
        return MapRequest(method, target, opacity, min(layer, len(trunk.blocks)) - 1, head, *rest)

    def _keep(self, kept: KeptFace | None, file: dict, model: str, whole: bool, index: int) -> KeptFace | None:
        detector = self._detectors.get(model)
        path = uploaded(file)
        asked = (str(path), detector.checkpoint.info.sha256, whole, index)
        if kept and kept.asked == asked:
            return kept
        judged = judge(detector, path, whole=whole)
        face = face_of(judged.report, index)
        return keep_face(detector, judged.photo, face, asked) if face.crop else None

    def _draw(self, kept: KeptFace, model: str, wanted: MapRequest) -> tuple:
        one = wanted.draw(kept.state(self._detectors.get(model)))
        look = {"opacity": wanted.opacity, "signed": one.signed}
        face = map_pair(kept.crop.image, overlay_crop(kept.crop, one.heatmap, **look), f"{one.method}-face")
        photo = overlay_photo(kept.photo, kept.photo_crop, one.heatmap, **look)
        return face, map_pair(kept.photo, photo, f"{one.method}-photo"), map_caption(one)

    def _measure(self, kept: KeptFace, model: str, explanations: list[Explanation]) -> Iterator[Faithfulness | None]:
        return steps_against_chance(self._detectors.get(model), kept.judged_crop, explanations)


def _small_overlay(kept: KeptFace, one: Explanation, opacity: float):
    shown = replace(kept.crop, image=fit_display(kept.crop.image, side=SIDE_BY_SIDE_SIDE))
    return overlay_crop(shown, one.heatmap, opacity=opacity, signed=one.signed)
