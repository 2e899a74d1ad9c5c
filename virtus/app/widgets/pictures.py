"""How results appear: pictures on their way to the browser, and panels that fade in."""

from __future__ import annotations

import gradio as gr
from PIL import Image

from virtus.app.visitors import answer_folder
from virtus.drawing import Encoding, annotate_faces, encode_picture
from virtus.html import photo_words
from virtus.results import ImageReport

CROP_SIDE = 640  # px of the crop as it is shown
# Gradio keeps the elements of a panel and changes their text, so CSS alone would fade in the first result only.
FADE_IN = """watch("value", () => {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element.animate([{ opacity: 0, transform: "translateY(8px)" }, { opacity: 1, transform: "none" }], 350);
});"""


def boxed_photo(*, elem_id: str, visible: bool = True) -> gr.Image:
    """The component that shows a photo with its faces boxed."""
    return gr.Image(
        format="jpeg",
        label="Faces",
        show_label=False,
        interactive=False,
        visible=visible,
        buttons=["fullscreen"],
        alt_text="The photo with its faces boxed",
        elem_id=elem_id,
    )


def show_boxed(photo: Image.Image, report: ImageReport) -> gr.Image:
    """What `boxed_photo` shows from now on: the photo with the faces of its report."""
    picture = write_picture(annotate_faces(photo, report), "faces")
    return gr.Image(picture, visible=True, alt_text=photo_words(report))


def map_slider(label: str, *, elem_id: str) -> gr.ImageSlider:
    """The component that shows a picture to the left of its handle, and a map over it to the right."""
    return gr.ImageSlider(
        format="jpeg", label=label, interactive=False, max_height=420, buttons=["fullscreen"], elem_id=elem_id
    )


def write_picture(image: Image.Image, name: str, kind: Encoding = "JPEG") -> str:
    """Write into Gradio's own folder, which is emptied by age, and return the path."""
    path = answer_folder() / f"{name}.{'jpg' if kind == 'JPEG' else 'png'}"
    path.write_bytes(encode_picture(image, kind))
    return str(path)


def map_pair(picture: Image.Image, overlay: Image.Image, name: str) -> tuple[str, str]:
    """Paths of a picture and of its overlay, for a slider."""
    return write_picture(picture, f"{name}-before"), write_picture(overlay, name)
