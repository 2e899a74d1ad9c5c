"""What the tab `Explore` shows: a component for one face, and the arrays that it draws from."""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from virtus.app.visitors import answer_folder, static_url
from virtus.app.widgets import CROP_SIDE
from virtus.bundled import ASSETS
from virtus.drawing import TONES, fit_display, jpeg_uri
from virtus.html import render_page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL import Image

    from virtus.explain import Fill
    from virtus.judging import Exploration

SCRIPTS = ("arrays", "drawing", "look", "lens", "tried", "parts", "rub", "heads", "saving")
# Fetched when a face is shown first, so that the app's first page does not carry them.
LOAD = """const root = element.querySelector(".explorer");
const texts = JSON.parse(root.dataset.scripts).map((url) => fetch(url).then((answer) => answer.text()));
const given = { element, props, trigger, watch }; // triggers "flip" and "halt"
Promise.all(texts).then((parts) => new Function("given", `${parts.join("\\n")}\\nbegin(given);`)(given));"""


def explorer(pane: str) -> gr.HTML:
    """A component whose value is a face (`face_value`); it triggers `flip` and `halt`, and asks `erasing_route`.

    What is asked by `flip` then stands in the data of its element, as JSON; the answer is its prop `flipping`.
    """
    look: dict[str, Any] = {"elem_id": pane, "elem_classes": "explorer-block", "apply_default_css": False}
    component = gr.HTML(None, js_on_load=LOAD, visible=False, flipping=None, **look)
    files = [*(f"explore-{name}.js" for name in SCRIPTS), "explore.js"]
    urls = [static_url(component, ASSETS / "scripts" / file) for file in files]
    component.html_template = render_page("explorer.html", pane=pane, scripts=json.dumps(urls))
    return component


def face_value(
    exploration: Exploration,
    fillings: Mapping[Fill, Image.Image],
    names: tuple[str, str],
    *,
    title: str,
    said: str,
    python: str,
) -> dict[str, Any]:
    """The value of `explorer`: all that it draws, but for the attention, which it fetches block by block from a file.

    Args:
        fillings: what stands in for patches that are rubbed out: see `filling_pictures`.
        names: see `ExploreInputs.names_of`.
        title, said: above the face: which it is, and the verdict on it.
        python: a line that gives the same arrays.
    """
    attention, pooling = exploration.attention, exploration.pooling
    return {
        "key": secrets.token_hex(16),
        "photo": names[0],
        "judged": names[1],
        "title": title,
        "said": said,
        "python": python,
        "model": exploration.checkpoint.name,
        "picture": jpeg_uri(fit_display(exploration.picture, side=CROP_SIDE)),
        "fillings": {fill: jpeg_uri(picture) for fill, picture in fillings.items()},
        "grid": list(exploration.grid_size),
        "patches": list(exploration.patch_names),
        "num_tokens": pooling.shape[-1],
        "pooling": {"heads": pooling.shape[0], "vectors": pooling.shape[1], "values": _base64(pooling)},
        "reads": _reads(exploration),
        "aside": _aside(exploration.prefix_names),
        "attention": {
            "url": _write_attention(exploration),
            "blocks": attention.codes.shape[0],
            "heads": attention.codes.shape[1],
        },
        "lens": _base64(exploration.lens),
        "decided": [round(float(p), 5) for p in exploration.lens_decided],
        "p_fake": exploration.p_fake,
        "outcome": str(exploration.outcome),
        "real_below": exploration.real_below,
        "fake_above": exploration.fake_above,
        "tones": {str(outcome): {"word": tone.word, "colour": tone.colour} for outcome, tone in TONES.items()},
    }


def _write_attention(exploration: Exploration) -> str:
    """Where the page finds it: of each block the scales of its rows, float32, then its codes."""
    path = answer_folder() / "attention.bin"
    attention = exploration.attention
    with path.open("wb") as file:
        for scales, codes in zip(attention.scales, attention.codes, strict=True):
            file.write(np.ascontiguousarray(scales, "<f4").tobytes() + np.ascontiguousarray(codes).tobytes())
    return f"gradio_api/file={path}"


def _reads(exploration: Exploration) -> str:
    """In words, what the verdict is read from."""
    read = np.flatnonzero(exploration.pooling.max(axis=(0, 1)))
    names = exploration.prefix_names
    if read.size <= len(names):
        return " and ".join(f"the {names[token]} token" for token in read)
    return "a mean of all patches" if read[0] >= len(names) else "the class token and a mean of all patches"


def _aside(names: Sequence[str]) -> str:
    """In words, what the tokens beside the patches are."""
    if len(names) == 1:
        return f"the {names[0]} token, which is no place in the picture"
    return f"tokens that are no places in the picture ({', '.join(names)})"


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()
