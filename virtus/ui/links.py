"""Links to the settings of a tab: `/?tab=analyze&prior=0.3`.

They hold nothing of a photo, and opening one loads no checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from virtus.errors import CheckpointError
from virtus.ui.detectors import Detectors

ASKED_FOR = '<p class="checkpoint">Asked for: <strong>{name}</strong></p>'
FOREIGN = "{names}: not one of this app's checkpoints. It is fetched from the Hugging Face Hub once you give a photo."
MAX_SHOWN = 60  # characters of what a link says
SCRIPT = Path(__file__).parents[1] / "assets" / "copy-link.js"
OF_GRADIO = ("view",)  # it names others with two underscores
SWITCH = {"0": False, "1": True}


@dataclass(frozen=True)
class Linked:
    """What a link to a tab sets.

    Attributes:
        settings: components by their names in a link. A dropdown that takes any text holds names of checkpoints.
        checkpoint: the line that says who judges, where the tab has one.
    """

    settings: Mapping[str, Component] = field(default_factory=dict)
    checkpoint: gr.HTML | None = None


class Links:
    """Makes links to tabs, and opens them."""

    def __init__(self, detectors: Detectors):
        self._detectors = detectors
        self._tabs: dict[str, Linked] = {}

    def add(self, tab: str, linked: Linked) -> None:
        """Let links lead to the tab of that id, and add a button that copies one to the tab that is being built.

        The page makes the link by itself: the server is not asked.
        """
        self._tabs[tab] = linked
        settings = list(linked.settings.values())
        if not settings:
            return
        button = gr.Button("Copy a link to these settings", size="sm", elem_id=f"{tab}-copy", elem_classes="copy-link")
        said = gr.HTML(elem_id=f"{tab}-link")
        usual = json.dumps([tab, list(linked.settings), [one.value for one in settings]])
        script = SCRIPT.read_text(encoding="utf-8").replace("= LINK", f"= {usual}")
        button.click(None, settings, said, js=script, api_name=f"copy_{tab}_link", api_visibility="private")

    def wire(self, app: gr.Blocks, tabs: gr.Tabs, note: gr.HTML) -> None:
        """Follow the page's address when it is opened; `note` says what became of it."""
        shown = [one for linked in self._tabs.values() for one in (*linked.settings.values(), linked.checkpoint) if one]

        def open_link(_, request: gr.Request) -> dict:
            return self._open(dict(request.query_params), tabs, note) or gr.skip()

        private = {"api_visibility": "private", "show_progress": "hidden"}
        app.load(open_link, shown[0], [tabs, note, *shown], api_name="open_link", **private)

    def _open(self, query: dict[str, str], tabs: gr.Tabs, note: gr.HTML) -> dict[Component, Any]:
        """Values of components; none where the address is no link to settings."""
        asked = {name: text for name, text in query.items() if not (name in OF_GRADIO or name.startswith("__"))}
        tab = asked.pop("tab", None)
        if tab is not None and tab not in self._tabs:
            return {note: _line(f"There is no tab {_shown(tab)!r}: the link was not followed.")}
        linked = self._tabs[tab or next(iter(self._tabs))]
        values, left = self._read(linked, asked)
        if tab is None and not values:
            return {}
        found = {linked.settings[name]: value for name, value in values.items()}
        if linked.checkpoint and "model" in values:
            found[linked.checkpoint] = ASKED_FOR.format(name=escape(values["model"]))
        said = self._say({name: asked[name] for name in values}, values, left)
        return found | {tabs: gr.Tabs(selected=tab or next(iter(self._tabs))), note: _line(*said)}

    def _read(self, linked: Linked, asked: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
        """The values that are understood, by their names; and the others, as they stand in the link."""
        values, left = {}, []
        for name, text in asked.items():
            try:
                values[name] = read_value(linked.settings[name], text, self._detectors)
            except (LookupError, ValueError, CheckpointError):
                left.append(f"{name}={text}")
        return values, left

    def _say(self, asked: dict[str, str], values: dict[str, Any], left: list[str]) -> list[str]:
        sentences = []
        if asked:
            sentences.append(f"From the link: {', '.join(_shown(f'{name}={text}') for name, text in asked.items())}.")
        if left:
            sentences.append(f"Not understood, and left aside: {', '.join(map(_shown, left))}.")
        foreign = [one for one in _checkpoints(values) if one not in self._detectors.names]
        return sentences + ([FOREIGN.format(names=", ".join(map(_shown, foreign)))] if foreign else [])


def read_value(component: Component, text: str, detectors: Detectors) -> Any:
    """A component's value as it stands in a link.

    Raises:
        LookupError, ValueError: if it is none of those that the component takes.
        CheckpointError: if visitors may not ask for the checkpoint. None is loaded to find out.
    """
    if isinstance(component, gr.Checkbox):
        return SWITCH[text]
    if isinstance(component, gr.Slider):
        return _number(component, text)
    if getattr(component, "multiselect", False):
        return _several(component, text.split(","), detectors)
    return _choice(component, text, detectors)


def _number(slider: gr.Slider, text: str) -> float:
    value = float(text)
    if not slider.minimum <= value <= slider.maximum:
        raise ValueError(text)
    return round(value) if isinstance(slider.step, int) else value


def _several(component: gr.Dropdown, texts: list[str], detectors: Detectors) -> list[str]:
    if component.max_choices and len(texts) > component.max_choices:
        raise ValueError(texts)
    return [_choice(component, text, detectors) for text in texts]


def _choice(component: gr.Dropdown | gr.Radio, text: str, detectors: Detectors) -> str:
    if getattr(component, "allow_custom_value", False):
        return detectors.allowed(text)
    return {str(value): value for _, value in component.choices}[text]


def _checkpoints(values: Mapping[str, Any]) -> list[str]:
    return [values["model"]] if "model" in values else values.get("models", [])


def _shown(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _line(*sentences: str) -> gr.HTML:
    return gr.HTML(f'<p class="fine" role="status">{escape(" ".join(sentences))}</p>', visible=bool(sentences))
