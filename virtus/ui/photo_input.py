"""The drop zone: one photo by drop, file dialog, paste, camera or example.

Gradio's own image component decodes a file before a callback sees it, and refuses some by their name. This one hands
over the file itself, with its bytes as they are, so that `load_image` has the only word on what can be read.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import gradio as gr

from virtus.images import MAX_BYTES, SUPPORTED

ASSETS = Path(__file__).parents[1] / "assets"
EXAMPLES = ASSETS / "examples"
SMALL_WORDS = ("and", "by", "in", "of", "on", "with")


def photo_input() -> gr.HTML:
    """A component that triggers `upload` and `clear`; its value is what Gradio says of an uploaded file, or None."""
    script, template = ((ASSETS / name).read_text(encoding="utf-8") for name in ("photo-input.js", "photo-input.html"))
    component = gr.HTML(
        elem_id="photo", js_on_load=script.replace("MAX_BYTES", str(MAX_BYTES)), apply_default_css=False
    )
    component.html_template = template.format(
        supported=escape(SUPPORTED), limit=MAX_BYTES // 2**20, examples=_examples(component)
    )
    return component


def example_files(folder: Path = EXAMPLES) -> list[Path]:
    """The example photos: those taken with a camera first, then the fakes."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".png")]
    return sorted(found, key=lambda path: (path.name.startswith("fake-"), path.name))


def caption(path: Path) -> str:
    """ "Grace Hopper" for grace-hopper.jpg, "Fake: Collins in Hopper" for fake-collins-in-hopper.jpg."""
    words = [word if word in SMALL_WORDS else word.capitalize() for word in path.stem.replace("_", "-").split("-")]
    return " ".join(words).replace("Fake ", "Fake: ", 1)


def _examples(component: gr.HTML) -> str:
    buttons = "".join(_example(component, path) for path in example_files())
    return f'<fieldset class="examples"><legend>Or try an example</legend>{buttons}</fieldset>' if buttons else ""


def _example(component: gr.HTML, path: Path) -> str:
    """A button with the picture; a click uploads it again, so that an example goes the way of every photo."""
    url = component.serve_static_file(str(path))["url"].lstrip("/")  # relative: the app may lie below another path
    name, words = escape(path.name), escape(caption(path))
    return (
        f'<button type="button" class="example" data-name="{name}">'
        f'<img src="{escape(url)}" alt="" loading="lazy"><span>{words}</span></button>'
    )
