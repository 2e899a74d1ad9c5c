"""The explanations of one photo as a folder of PNGs and a JSON manifest."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from virtus.drawing import DEFAULT_OPACITY, overlay_crop, overlay_photo
from virtus.results import Explanation, FaceReport, ImageReport


def write_gallery(
    report: ImageReport, photo: Image.Image, path: str, folder: Path, *, opacity: float = DEFAULT_OPACITY
) -> Path:
    """Write each face's crop, and for each of its explanations the overlay on crop and photo.

    Returns:
        The manifest: the report as JSON, and for each judged face `explanations` with `method`, `target`, the raw
        `heatmap` (grid_h lists of grid_w numbers) and the names of its files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = report.to_json() | {"path": path}
    for index, face in enumerate(report.faces):
        if face.crop is not None:
            content["faces"][index] |= _write_face(face, photo, folder, f"{Path(path).stem}-face{index}", opacity)
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return manifest


def _write_face(face: FaceReport, photo: Image.Image, folder: Path, stem: str, opacity: float) -> dict:
    crop = f"{stem}-crop.png"
    face.crop.image.save(folder / crop)
    maps = [_write_map(one, face, photo, folder, stem, opacity) for one in face.explanations]
    return {"crop": crop, "crop_box_xyxy": list(face.crop.box_xyxy), "explanations": maps}


def _write_map(one: Explanation, face: FaceReport, photo: Image.Image, folder: Path, stem: str, opacity: float) -> dict:
    names = {"overlay": f"{stem}-{one.method}.png", "overlay_photo": f"{stem}-{one.method}-photo.png"}
    overlay_crop(face.crop, one.heatmap, opacity=opacity, signed=one.signed).save(folder / names["overlay"])
    whole = overlay_photo(photo, face.crop, one.heatmap, opacity=opacity, signed=one.signed)
    whole.save(folder / names["overlay_photo"])
    return one.to_json() | names
