"""The drop zone: files by drop, file dialog, paste, camera or example.

Gradio's own components decode a file before a callback sees it, and refuse some by their name. This one hands over the
files themselves, with their bytes as they are, so that the engine has the only word on what can be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from virtus.app.visitors import static_url
from virtus.bundled import ASSETS
from virtus.html import render_page
from virtus.media import MAX_BYTES, SUPPORTED

EXAMPLES = ASSETS / "examples"
SMALL_WORDS = ("and", "by", "in", "of", "on", "with")


@dataclass(frozen=True)
class Taken:
    """What a drop zone takes.

    Attributes:
        invitation: what to drop.
        supported: what can be read, in words; the limit is said after it.
        accept: the same for the browser's file dialog.
        max_files: how many at once. The component's value is a list where there can be several.
        max_bytes: of all of them together.
        max_file_bytes: of each.
        camera: whether a photo can be taken.
        examples: whether the example photos are offered.
    """

    invitation: str
    supported: str
    accept: str
    max_files: int = 1
    max_bytes: int = MAX_BYTES
    max_file_bytes: int = MAX_BYTES
    camera: bool = False
    examples: bool = False


PHOTO = Taken("Drop a photo here", SUPPORTED, "image/*,.heic,.heif,.avif", camera=True, examples=True)


def add_drop_zone(taken: Taken, *, elem_id: str, result: str) -> gr.HTML:
    """A component that triggers `upload` and `clear`.

    Its value is what Gradio says of an uploaded file (a list of these where `taken` has several), or None.

    Args:
        elem_id: of the component.
        result: of the component that shows the answer: a phone scrolls to it.
    """
    script = (ASSETS / "scripts" / "drop-zone.js").read_text(encoding="utf-8")
    component = gr.HTML(elem_id=elem_id, elem_classes="drop", js_on_load=script, apply_default_css=False)
    component.html_template = render_page(
        "drop-zone.html",
        taken=taken,
        elem_id=elem_id,
        result=result,
        supported=_limits(taken),
        examples=[_example(component, path) for path in example_files()] if taken.examples else [],
    )
    return component


def _limits(taken: Taken) -> str:
    said = f"{taken.supported}, up to {taken.max_file_bytes // 2**20} MiB"
    return said if taken.max_files == 1 else f"{said} each, {taken.max_bytes // 2**20} MiB together"


def example_files(folder: Path = EXAMPLES) -> list[Path]:
    """The example photos: those taken with a camera first, then the fakes."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".png")]
    return sorted(found, key=lambda path: (path.name.startswith("fake-"), path.name))


def caption(path: Path) -> str:
    """ "Grace Hopper" for grace-hopper.jpg, "Fake: Collins in Hopper" for fake-collins-in-hopper.jpg."""
    words = [word if word in SMALL_WORDS else word.capitalize() for word in path.stem.replace("_", "-").split("-")]
    return " ".join(words).replace("Fake ", "Fake: ", 1)


def _example(component: gr.HTML, path: Path) -> tuple[str, str, str]:
    """Address, name and caption; a click uploads the picture again, so that an example goes the way of every photo."""
    return static_url(component, path), path.name, caption(path)
