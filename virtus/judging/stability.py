"""Harmless changes that a photo meets on its way through the net, and whether a verdict holds under them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from virtus.checkpoints import EVEN
from virtus.faces import crop_face
from virtus.results import Face, FaceCrop, FaceReport, ImageReport, Label, Outcome, Stability, gravest

if TYPE_CHECKING:
    from virtus.checkpoints import Detector


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """Saved as JPEG of `quality` (1 to 95) and read again."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    buffer.seek(0)
    return Image.open(buffer).convert("RGB")


def rescale(image: Image.Image, factor: float) -> Image.Image:
    """Scaled by `factor` (in (0, 1]) and back to its size."""
    small = image.resize([max(1, round(side * factor)) for side in image.size], Image.Resampling.BILINEAR)
    return small.resize(image.size, Image.Resampling.BICUBIC)


def blur(image: Image.Image, sigma: float) -> Image.Image:
    """Gaussian, of `sigma` pixels."""
    return image.filter(ImageFilter.GaussianBlur(sigma))


def noise(image: Image.Image, sigma: float, *, seed: int) -> Image.Image:
    """Gaussian, of standard deviation `sigma` (of 255), drawn anew for each pixel and channel."""
    pixels = np.asarray(image.convert("RGB"), np.float32)
    drawn = np.random.default_rng(seed).standard_normal(pixels.shape, np.float32)
    return Image.fromarray((pixels + sigma * drawn).round().clip(0, 255).astype(np.uint8))


def brightness(image: Image.Image, factor: float) -> Image.Image:
    """Every pixel times `factor` (1 changes nothing), clipped to white."""
    return ImageEnhance.Brightness(image).enhance(factor)


def mirror(image: Image.Image) -> Image.Image:
    """Left and right exchanged."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


@dataclass(frozen=True)
class Change:
    """A small harmless change.

    Attributes:
        done: for a sentence: what was done to the face.
        apply: from the picture, the face in it (None where none was looked for) and its crop to another crop of it;
            None where the picture has no room for that.
    """

    done: str
    apply: Callable[[Image.Image, Face | None, FaceCrop], FaceCrop | None]


def with_stability(detector: Detector, photo: Image.Image, report: ImageReport) -> ImageReport:
    """Judge every judged face of a report again under each of `CHANGES`, all in one batch.

    A face that flips (some change moves its p over even odds) becomes `inconclusive`, with the reason; the outcome of
    the picture follows.

    Args:
        photo: that the report is of.
        report: by the same detector, with the crops still in it.
    """
    changed = [_changed_crops(photo, face) for face in report.faces]
    if not any(changed):
        return report
    predictions = iter(detector.predict([crop for crops in changed for crop in crops.values()]))
    p_by_change = [{name: next(predictions).p_fake for name in crops} for crops in changed]
    faces = tuple(map(_steadied, report.faces, p_by_change))
    return replace(report, faces=faces, outcome=gravest(face.outcome for face in faces))


def find_stability(p_fake: float, p_by_change: Mapping[str, float]) -> Stability:
    """The interval of p, and whether it changes sides."""
    every = (p_fake, *p_by_change.values())
    return Stability(dict(p_by_change), min(every), max(every), flips=bool(_flipping(p_fake, p_by_change)))


def _steadied(face: FaceReport, p_by_change: dict[str, float]) -> FaceReport:
    if face.p_fake is None or not p_by_change:
        return face
    stability = find_stability(face.p_fake, p_by_change)
    if not stability.flips:
        return replace(face, stability=stability)
    reason = " ".join(filter(None, (face.reason, _reason(face.p_fake, p_by_change))))
    return replace(face, stability=stability, outcome=Outcome.INCONCLUSIVE, reason=reason)


def _flipping(p_fake: float, p_by_change: Mapping[str, float]) -> list[str]:
    return [name for name, p in p_by_change.items() if (p >= EVEN) != (p_fake >= EVEN)]


def _reason(p_fake: float, p_by_change: Mapping[str, float]) -> str:
    done = [CHANGES[name].done for name in _flipping(p_fake, p_by_change)]
    ways = " or ".join([", ".join(done[:-1]), done[-1]] if len(done) > 1 else done)
    likelier, other = (Label.FAKE, Label.REAL) if p_fake >= EVEN else (Label.REAL, Label.FAKE)
    return f"{ways[0].upper()}{ways[1:]}, the same face looks more like a {other} one than a {likelier} one."


def _changed_crops(photo: Image.Image, face: FaceReport) -> dict[str, FaceCrop]:
    """A crop by each change that the picture has room for; none of a face that was not judged."""
    if face.crop is None:
        return {}
    crops = {name: change.apply(photo, face.face, face.crop) for name, change in CHANGES.items()}
    return {name: crop for name, crop in crops.items() if crop is not None}


def _to_pixels(done: str, change: Callable[[Image.Image], Image.Image]) -> Change:
    return Change(done, lambda _photo, _face, crop: replace(crop, image=change(crop.image)))


def _to_cut(done: str, factor: float) -> Change:
    return Change(done, lambda photo, face, crop: _cut_again(photo, face, crop, factor))


def _cut_again(photo: Image.Image, face: Face | None, crop: FaceCrop, factor: float) -> FaceCrop | None:
    """A cut whose sides are `factor` times those of `crop`, about the same face."""
    if face is not None and crop.margin is not None:
        again = crop_face(photo, face, margin=crop.margin * factor)
        return again if again.box_xyxy != crop.box_xyxy else None
    return _centre(crop, factor) if factor < 1 else None


def _centre(crop: FaceCrop, factor: float) -> FaceCrop:
    x0, y0, x1, y1 = crop.box_xyxy
    dx, dy = (round((side - factor * side) / 2) for side in (x1 - x0, y1 - y0))
    scale = crop.image.width / (x1 - x0)  # of a large photo less than 1
    left, top = round(dx * scale), round(dy * scale)
    cut = crop.image.crop((left, top, crop.image.width - left, crop.image.height - top))
    return replace(crop, image=cut, box_xyxy=(x0 + dx, y0 + dy, x1 - dx, y1 - dy))


CHANGES: dict[str, Change] = {
    "JPEG 75": _to_pixels("saved as JPEG 75", lambda image: jpeg(image, 75)),
    "JPEG 50": _to_pixels("saved as JPEG 50", lambda image: jpeg(image, 50)),
    "half size": _to_pixels("brought to half its size and back", lambda image: rescale(image, 0.5)),
    "mirrored": _to_pixels("mirrored", mirror),
    "10 % tighter": _to_cut("cut 10 % tighter", 0.9),
    "10 % wider": _to_cut("cut 10 % wider", 1.1),
}
