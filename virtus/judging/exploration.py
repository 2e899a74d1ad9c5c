"""All that one pass of the trunk says of a face: every block's and head's attention, and p block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from virtus.checkpoints import Detector, TrunkState, load_checkpoint
from virtus.errors import ImageError, InputError
from virtus.explain import (
    OTHER_FILL,
    Fill,
    FlippingStep,
    PackedAttention,
    erasing_judge,
    find_flipping_patches,
    grow_rollout,
    logit_lens,
    occlude_in_steps,
    pack_attention,
    read_by_head,
)
from virtus.judging.deciding import thresholds_of
from virtus.judging.photo import detect_faces, judge_faces
from virtus.media import ImageSource, load_image
from virtus.models import Architecture, EvalTransform
from virtus.results import CheckpointInfo, FaceReport, ImageReport, Label, Outcome

OF_THE_MAP = 0.25  # of the progress of a search: the occlusion map by which it goes
TOO_SMALL = "This face is too small to be judged, so there is nothing to explore."


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
        real_below, fake_above: a p below the first is real, one from the second on fake, at the prior of these p, of
            this face among those of its photo: see `thresholds_of`.
        grid_size: (grid_h, grid_w) of the patches.
        prefix_names: of the tokens before them: "class", "distillation", "register 1" ...; there may be none.
        patch_names: which part of the face each shows, "left eye" ... "background": see `virtus.faces.name_cells`.
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

    @property
    def decided_at(self) -> int:
        """The first row of the lens from which on what the head reads stays on the side of 0.5 where the verdict lies.

        0 is before the first block, k behind block k - 1.
        """
        is_fake = self.lens_decided >= 0.5
        return int(np.flatnonzero(np.append(True, is_fake[:-1] != is_fake[-1]))[-1])

    def head_maps(self) -> np.ndarray:
        """Where each block's heads attend for what the head of the model reads, on the grid: the class token's row, or
        the mean of all patches' rows, or as a learned query weighs them. (blocks, heads, grid_h, grid_w), float32."""
        source = self.pooling.mean(axis=(0, 1))
        rows = [source @ self.attention.unpack(block) for block in range(len(self.attention.codes))]
        return self._on_grid(np.stack(rows))

    def rollout(self, *, head: int | None = None, head_fusion: str = "mean", discard_ratio: float = 0.0) -> np.ndarray:
        """Attention rollout up to each block, (blocks, grid_h, grid_w), float32: see `grow_rollout`."""
        options = {"head": head, "head_fusion": head_fusion, "discard_ratio": discard_ratio}
        return self._on_grid(grow_rollout(self.attention, self.pooling, **options))

    def patch_lens(self) -> np.ndarray:
        """The lens of the patches alone, (blocks + 1, grid_h, grid_w), float32."""
        return self._on_grid(self.lens)

    def top_parts(self, heatmap: np.ndarray, count: int = 3) -> list[str]:
        """The parts of the face where a map has its highest patches, each once, the highest first."""
        order = np.argsort(-heatmap.ravel(), kind="stable")
        return list(dict.fromkeys(self.patch_names[patch] for patch in order))[:count]

    def arrays(self) -> dict[str, np.ndarray]:
        """What an `.npz` holds: fields by their names, packed attention as `attention_codes` and `attention_scales`."""
        return {
            "attention_codes": self.attention.codes,
            "attention_scales": self.attention.scales,
            "head_distances": self.attention.mean_distances(self.grid_size),
            "head_entropies": self.attention.entropies(),
            "pooling": self.pooling,
            "lens": self.lens,
            "lens_decided": self.lens_decided,
            "prefix_names": np.array(self.prefix_names, np.str_),
            "patch_names": np.array(self.patch_names, np.str_),
        }

    def _on_grid(self, tokens: np.ndarray) -> np.ndarray:
        """(..., T) to (..., grid_h, grid_w), the patches alone."""
        return tokens[..., self.num_prefix_tokens :].reshape(*tokens.shape[:-1], *self.grid_size)


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
    return explore_face(detector, report, index, state.select(number))


def explore_face(
    detector: Detector, report: ImageReport, index: int, state: TrunkState, *, blocks: Sequence[int] | None = None
) -> Exploration:
    """What the pass that judged a face says of it; no other pass of the trunk.

    Args:
        report: of its photo.
        index: of the face in the report.
        state: of that pass and this face alone.
        blocks: whose attention is packed; that of all by default. The rest can be had by `pack_attention`.

    Raises:
        InputError: if the face is too small to be judged.
    """
    if (face := report.faces[index]).crop is None:
        raise InputError(TOO_SMALL)
    trunk, transform, bounds = state.trunk, detector.checkpoint.transform, thresholds_of(report, index)
    lens, decided = logit_lens(detector, state, 0)
    return Exploration(
        face=face,
        checkpoint=detector.checkpoint.info,
        picture=_picture(transform, face.crop.image),
        attention=pack_attention(state, 0, blocks),
        pooling=read_by_head(state, 0),
        lens=lens,
        lens_decided=decided,
        real_below=bounds.real_below,
        fake_above=bounds.fake_above,
        grid_size=trunk.grid_size,
        prefix_names=_prefix_names(trunk.model.config),
        patch_names=detector.checkpoint.name_patches(face.face, face.crop),
    )


def flip_verdict(
    detector: Detector, face: FaceReport, state: TrunkState, thresholds: tuple[float, float], fill: Fill = "blur"
) -> Iterator[FlippingStep]:
    """The patches without which the verdict on a face is of the other side, found along its occlusion map.

    Some 50 passes of the trunk for that map, whose steps take nothing away yet, and then as many as there are patches
    at most. A set that flips it is judged once more with another filling: what both bring about is less likely to come
    of either.

    Args:
        face: as it was judged.
        state: of it alone, by the pass that judged it.
        thresholds: a p below the first is real, one from the second on fake: see `thresholds_of`.
        fill: what stands in for patches: see `erasing_judge`.
    """
    if face.crop is None:
        raise InputError(TOO_SMALL)
    evidence = np.zeros(detector.checkpoint.trunk.grid_size)
    for share, evidence in occlude_in_steps(state, Label.FAKE):
        yield FlippingStep(np.zeros(evidence.size, bool), face.p_fake or 0.0, False, OF_THE_MAP * share)
    judge = erasing_judge(detector, face.crop, fill)
    for found in find_flipping_patches(judge, evidence, thresholds):
        step = replace(found, progress=OF_THE_MAP + (1 - OF_THE_MAP) * found.progress)
        if step.progress == 1 and step.flipped:
            otherwise = erasing_judge(detector, face.crop, OTHER_FILL[fill])(step.erased[None])
            step = replace(step, p_fake_otherwise=float(otherwise[0]))
        yield step


def _picture(transform: EvalTransform, image: Image.Image) -> Image.Image:
    """What the model sees of a crop; as it gets it, where that is more than there is."""
    left, top, right, bottom = map(round, transform.shown_box(image))
    return transform.resize(image) if min(left, top) < 0 else image.crop((left, top, right, bottom))


def _prefix_names(config: Architecture) -> tuple[str, ...]:
    registers = [f"register {number}" for number in range(1, config.num_register_tokens + 1)]
    names = {"cls_token": ["class"], "distillation_token": ["distillation"], "register_tokens": registers}
    return tuple(name for token in config.prefix_tokens for name in names[token])
