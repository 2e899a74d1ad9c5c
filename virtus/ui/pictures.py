"""Pictures on their way to the browser."""

from __future__ import annotations

import io
import secrets
from dataclasses import replace
from pathlib import Path

from gradio.utils import get_upload_folder
from PIL import Image

from virtus.annotate import fit_display
from virtus.overlay import overlay_crop, overlay_photo
from virtus.results import Explanation, FaceCrop

CROP_SIDE = 640  # px of the crop as it is shown


def write_png(image: Image.Image, name: str) -> str:
    """Write into Gradio's own folder, which is emptied by age, and return the path.

    PNG because lossy formats change the colours of maps; fast compression because Pillow's default takes four times as
    long for a tenth less.
    """
    folder = Path(get_upload_folder()) / secrets.token_hex(16)  # not to be guessed, as Gradio's own are not
    folder.mkdir(parents=True)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    path = folder / f"{name}.png"
    path.write_bytes(buffer.getvalue())
    return str(path)


def crop_pair(crop: FaceCrop, explanation: Explanation, opacity: float) -> tuple[str, str]:
    """Paths of the crop and of its overlay, at the size at which they are shown."""
    shown = replace(crop, image=fit_display(crop.image, side=CROP_SIDE))
    overlay = overlay_crop(shown, explanation.heatmap, opacity=opacity, signed=explanation.signed)
    return _pair(shown.image, overlay, f"{explanation.method}-face")


def photo_pair(photo: Image.Image, crop: FaceCrop, explanation: Explanation, opacity: float) -> tuple[str, str]:
    """Paths of the photo and of its overlay, at display size: made there too, for photos can have 50 million pixels."""
    shown = fit_display(photo)
    small = _scale_crop(crop, shown.width / photo.width, shown.height / photo.height)
    overlay = overlay_photo(shown, small, explanation.heatmap, opacity=opacity, signed=explanation.signed)
    return _pair(shown, overlay, f"{explanation.method}-photo")


def _pair(before: Image.Image, after: Image.Image, name: str) -> tuple[str, str]:
    return write_png(before, f"{name}-before"), write_png(after, name)


def _scale_crop(crop: FaceCrop, x_scale: float, y_scale: float) -> FaceCrop:
    x0, y0, x1, y1 = crop.box_xyxy
    box = (round(x0 * x_scale), round(y0 * y_scale), round(x1 * x_scale), round(y1 * y_scale))
    size = (max(1, box[2] - box[0]), max(1, box[3] - box[1]))
    image = crop.image.resize(size[::-1] if crop.quarter_turns % 2 else size, Image.Resampling.BILINEAR)
    return replace(crop, image=image, box_xyxy=box)
