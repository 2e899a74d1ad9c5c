"""All that one pass of the trunk says of a face: every block's and head's attention, and p block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from virtus.checkpoints import Detector, TrunkState, at_prior, load_checkpoint
from virtus.errors import ImageError, InputError
from virtus.explain import PackedAttention, logit_lens, pack_attention, read_by_head
from virtus.faces import name_cells
from virtus.judging.photo import detect_faces, judge_faces
from virtus.media import ImageSource, load_image
from virtus.models import Architecture, EvalTransform
from virtus.results import CheckpointInfo, FaceReport, Outcome


@dataclass(frozen=True)
class Exploration:
    """What a model did with one face, as arrays. Tokens are those of `prefix_names`, then the patches row by row.

    Attributes:
        face: its report, with p, outcome and crop.
        checkpoint: that judged.
        picture: what the model saw of the crop: the patches cover it evenly. RGB, as large as the crop has it.
        attention: of all blocks and heads, packed.
        pooling: (num_heads, vectors, T) float32, how much each token counts in what the head reads; rows sum to 1.
        lens: (blocks + 1, T) float32, p of fake that each token gives by itself, before the first and after each block.
        lens_decided: (blocks + 1,) float32, the same of what the head reads; the last is the verdict's p.
        real_below, fake_above: a p below the first is real, one from the second on fake, at the prior of these p. Of a
            face alone: among several, more may be asked of a fake.
        grid_size: (grid_h, grid_w) of the patches.
        prefix_names: of the tokens before them: "class", "distillation", "register 1" ...; there may be none.
        patch_names: which part of the face each shows, "left eye" ... "background": see `name_cells`.
    """

    face: FaceReport
    checkpoint: CheckpointInfo
    picture: Image.Image
    attention: PackedAttention
    pooling: np.ndarray
    lens: np.ndarray
    lens_decided: np.ndarray
    real_below: float
    fake_above: float
    grid_size: tuple[int, int]
    prefix_names: tuple[str, ...]
    patch_names: tuple[str, ...]

    @property
    def num_prefix_tokens(self) -> int:
        return len(self.prefix_names)

    @property
    def p_fake(self) -> float | None:
        return self.face.p_fake

    @property
    def outcome(self) -> Outcome:
        return self.face.outcome


def explore(source: ImageSource, *, face: int | None = None, model: str = "auto", whole: bool = False) -> Exploration:
    """Read one picture, judge it by a checkpoint, and return all that the pass of the trunk says of one of its faces.

    Args:
        face: index in the report's faces, largest first; the one that decided by default.
        model: a known name, a folder, or a Hub id.
        whole: judge the picture as it is, without looking for faces.

    Raises:
        ImageError: if the source cannot be read, or has no face that can be judged.
        InputError: if there is no such face, or it is too small.
        CheckpointError: if the checkpoint cannot be loaded.
    """
    return explore_photo(Detector(load_checkpoint(model)), load_image(source), face=face, whole=whole)


def explore_photo(
    detector: Detector, photo: Image.Image, *, face: int | None = None, whole: bool = False
) -> Exploration:
    """The same of an upright RGB picture."""
    detected = detect_faces(photo, detector.checkpoint, whole=whole)
    state = detector.encode(detected.crops)
    report = judge_faces(detector, detected, state)
    if (index := report.decided_by if face is None else face) is None:
        raise ImageError(report.reason)
    if not 0 <= index < len(report.faces):
        raise InputError(f"There is no face {index!r}: the photo has {len(report.faces)}, counted from 0.")
    number = sum(other.crop is not None for other in report.faces[:index])
    return explore_face(detector, report.faces[index], state, number)


def explore_face(
    detector: Detector, face: FaceReport, state: TrunkState, index: int, *, blocks: Sequence[int] | None = None
) -> Exploration:
    """What the pass that judged a face says of it; no other pass of the trunk.

    Args:
        face: as it was judged.
        state: of that pass.
        index: of the face in the state.
        blocks: whose attention is packed; that of all by default. The rest can be had by `pack_attention`.

    Raises:
        InputError: if the face is too small to be judged.
    """
    if face.crop is None:
        raise InputError("This face is too small to be judged, so there is nothing to explore.")
    trunk, transform = state.trunk, detector.checkpoint.transform
    bounds = at_prior(detector.checkpoint.info.calibration, detector.prior)
    lens, decided = logit_lens(detector, state, index)
    box = transform.shown_box(face.crop.image)
    return Exploration(
        face=face,
        checkpoint=detector.checkpoint.info,
        picture=_picture(transform, face.crop.image),
        attention=pack_attention(state, index, blocks),
        pooling=read_by_head(state, index),
        lens=lens,
        lens_decided=decided,
        real_below=bounds.real_below,
        fake_above=bounds.fake_above,
        grid_size=trunk.grid_size,
        prefix_names=_prefix_names(trunk.model.config),
        patch_names=name_cells(face.face, face.crop, box, trunk.grid_size),
    )


def _picture(transform: EvalTransform, image: Image.Image) -> Image.Image:
    """What the model sees of a crop; as it gets it, where that is more than there is."""
    left, top, right, bottom = map(round, transform.shown_box(image))
    return transform.resize(image) if min(left, top) < 0 else image.crop((left, top, right, bottom))


def _prefix_names(config: Architecture) -> tuple[str, ...]:
    registers = [f"register {number}" for number in range(1, config.num_register_tokens + 1)]
    names = {"cls_token": ["class"], "distillation_token": ["distillation"], "register_tokens": registers}
    return tuple(name for token in config.prefix_tokens for name in names[token])
