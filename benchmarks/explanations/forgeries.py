"""Fakes with a known region that a checkpoint calls fake, made from real pictures that it calls real.

Original and forgery differ in the region alone: what turned the verdict must lie there. Both are saved as JPEG once
more, so that they share that trace too. Nothing is written to the disk. For `python -m benchmarks.explanations`.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from train.data import Sample
from train.pictures import PARTS, FaceCache, Forgery, self_blend, swap_part
from train.report import held_out
from virtus.checkpoints import Checkpoint, Detector
from virtus.errors import DataError
from virtus.faces import crop_face
from virtus.judging import jpeg
from virtus.media import load_image
from virtus.results import Face, FaceCrop, Label, Outcome

SELF_BLENDED = "self-blended"
KINDS = (*PARTS, SELF_BLENDED)
QUALITY = 75  # that of most of the originals
THRESHOLD = 0.5
INSIDE = 0.5  # a patch belongs to the region if at least so much of it does
NUM_PARTNERS = 10  # the most alike in pose, of which one is drawn
SIZE_RATIO = 1.4  # of two faces, at most
MAX_ROUNDS = 8
CHUNK = 64


@dataclass(frozen=True)
class Original:
    """A real picture with one upright face."""

    sample: Sample
    photo: Image.Image
    face: Face

    @functools.cached_property
    def pose(self) -> np.ndarray:
        """Nose and mouth corners where the eyes lie at -0.5 and 0.5 (Bookstein 1986), (3,) complex."""
        points = np.array([complex(*point) for point in self.face.landmarks])
        left_eye, right_eye = points[:2]
        return ((points - (left_eye + right_eye) / 2) / (right_eye - left_eye))[2:]


@dataclass(frozen=True)
class Fake:
    """A forgery that is called fake.

    Attributes:
        kind: a name in `KINDS`.
        crop, original: of the forgery and of what it was made from: the same pixels of the photo.
        share: of each patch, that was altered, (grid_h, grid_w) in [0, 1].
        p_fake, p_original: of the two.
        outcome: of the forgery, by the checkpoint's own thresholds.
    """

    kind: str
    sample: Sample
    crop: FaceCrop
    original: FaceCrop
    share: np.ndarray
    p_fake: float
    p_original: float
    outcome: Outcome


@dataclass
class Catch:
    """The forgeries of one kind.

    Attributes:
        tried: that were made.
        called_fake: of these.
        copies_called_fake: whose unforged copy is called fake too: they are left out.
        fakes: that are kept.
    """

    tried: int = 0
    called_fake: int = 0
    copies_called_fake: int = 0
    fakes: list[Fake] = field(default_factory=list)


def find_originals(data: Path, *, part: str, limit: int = 0) -> list[Original]:
    """Held-out real pictures with an upright face, clips left out. `part`, `limit`: see `train.report.held_out`."""
    samples = [sample for sample in held_out(data, part=part, limit=limit) if sample.label is Label.REAL]
    faces = FaceCache().find([sample.path for sample in samples])
    kept = [(sample, faces[sample.path]) for sample in samples]
    return [Original(sample, load_image(sample.path), face) for sample, face in kept if face and not face.quarter_turns]


def called_real(detector: Detector, originals: Sequence[Original]) -> list[Original]:
    predictions = detector.predict([_crop(detector, one.photo, one.face) for one in originals])
    return [one for one, said in zip(originals, predictions, strict=True) if said.p_fake < THRESHOLD]


def catch_fakes(detector: Detector, originals: Sequence[Original], kind: str, *, count: int, seed: int = 83) -> Catch:
    """Forge the originals in a drawn order, again with other partners if need be, until `count` are called fake."""
    draw = random.Random(f"{seed} {kind}")
    catch, order = Catch(), []
    for _ in range(MAX_ROUNDS):
        order += draw.sample(list(originals), len(originals))
    chunk = min(CHUNK, 2 * count)
    for start in range(0, len(order), chunk):
        made = [(one, _forge(one, originals, kind, draw)) for one in order[start : start + chunk]]
        _try(detector, [(one, forgery) for one, forgery in made if forgery], kind, catch)
        if len(catch.fakes) >= count:
            break
    catch.fakes = catch.fakes[:count]
    return catch


def _try(detector: Detector, made: Sequence[tuple[Original, Forgery]], kind: str, catch: Catch) -> None:
    catch.tried += len(made)
    crops = [_saved_crop(detector, forgery.image, one.face) for one, forgery in made]
    judged = zip(made, crops, detector.predict(crops), strict=True)
    caught = [row for row in judged if row[2].p_fake >= THRESHOLD]
    catch.called_fake += len(caught)
    copies = [_saved_crop(detector, _unforged(one, kind), one.face) for (one, _), _, _ in caught]
    for ((one, forgery), crop, said), copy, of_copy in zip(caught, copies, detector.predict(copies), strict=True):
        share = share_on_grid(forgery.region, one.face, detector.checkpoint)
        fake = Fake(kind, one.sample, crop, copy, share, said.p_fake, of_copy.p_fake, said.outcome)
        catch.copies_called_fake += fake.p_original >= THRESHOLD
        if fake.p_original < THRESHOLD and (share >= INSIDE).any():
            catch.fakes.append(fake)


def _forge(one: Original, originals: Sequence[Original], kind: str, draw: random.Random) -> Forgery | None:
    """None where it cannot be made: nobody alike, or the part lies outside the photo."""
    if kind == SELF_BLENDED:
        blends = iter(lambda: self_blend(one.photo, one.face, draw), None)
        return next(own for own in blends if _alters_the_face(own, one.photo))
    if not (partners := _partners(one, originals)):
        return None
    partner = draw.choice(partners)
    try:
        return swap_part(partner.photo, partner.face, one.photo, one.face, kind)
    except DataError:
        return None


def _unforged(one: Original, kind: str) -> Image.Image:
    """The photo after the same steps with itself as partner."""
    return one.photo if kind == SELF_BLENDED else swap_part(one.photo, one.face, one.photo, one.face, kind).image


def _alters_the_face(forgery: Forgery, photo: Image.Image) -> bool:
    """Not the face's surroundings, as half of the self-blended ones do."""
    changed = np.abs(np.asarray(forgery.image, int) - np.asarray(photo, int)).max(axis=2)
    if forgery.region.all() or not forgery.region.any():
        return False
    return changed[forgery.region].mean() > changed[~forgery.region].mean()


def _partners(one: Original, originals: Sequence[Original]) -> list[Original]:
    """Other people's faces of the same source, of about the same size, the most alike in pose."""
    fitting = [
        other
        for other in originals
        if other.sample.source == one.sample.source
        and other.sample.group != one.sample.group
        and 1 / SIZE_RATIO < other.face.width / one.face.width < SIZE_RATIO
    ]
    return sorted(fitting, key=lambda other: float(np.abs(other.pose - one.pose).sum()))[:NUM_PARTNERS]


def share_on_grid(region: np.ndarray, face: Face, checkpoint: Checkpoint) -> np.ndarray:
    """How much of each patch lies in a region of a photo, on the way that the photo's pixels take to the model.

    Args:
        region: bool, (height, width) of the photo.
        face: that is judged.

    Returns:
        (grid_h, grid_w), float32, in [0, 1].
    """
    mask = Image.fromarray(region.astype(np.uint8) * 255).convert("RGB")
    crop = crop_face(mask, face, margin=checkpoint.margin).image
    seen = np.asarray(checkpoint.transform.resize(crop), np.float32)[:, :, 0] / 255
    return cv2.resize(seen, checkpoint.trunk.grid_size[::-1], interpolation=cv2.INTER_AREA)


def _saved_crop(detector: Detector, photo: Image.Image, face: Face) -> FaceCrop:
    return _crop(detector, jpeg(photo, QUALITY), face)


def _crop(detector: Detector, photo: Image.Image, face: Face) -> FaceCrop:
    return crop_face(photo, face, margin=detector.checkpoint.margin)
