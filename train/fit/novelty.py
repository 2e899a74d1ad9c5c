"""The faces that a checkpoint knows, as statistics beside its weights: fitted once it is finished."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from train.config import degrade_ordinarily
from train.data import Sample, take_evenly
from train.pictures import Faces
from virtus.checkpoints import (
    MIN_PICTURES,
    Checkpoint,
    Novelty,
    block_of,
    feature_of,
    fit_novelty,
    load_checkpoint,
    store_novelty,
)
from virtus.errors import DataError
from virtus.faces import cut_out
from virtus.media import load_image
from virtus.results import FaceCrop

NUM_OF_KIND = 300  # training pictures of each source and class
READ_AHEAD = 32
SEED = 83


def add_novelty(
    folder: Path, train: Sequence[Sample], held_out: Sequence[Sample], faces: Faces | None, *, token: str = "patches"
) -> Novelty:
    """Fit what a finished checkpoint knows on its training pictures, and write it beside the weights.

    At most 300 training pictures of each source and class, half of them degraded as photos are; those held out, which
    set the threshold, are taken as they are.

    Args:
        folder: of the checkpoint, as `fit` made it.
        train, held_out: what trained it, and what neither trained nor chose.
        faces: the largest of each picture; None for a checkpoint that is shown whole pictures.
        token: "patches" or "class": see `Novelty`.

    Raises:
        DataError: where there are too few pictures.
        CheckpointError: if the checkpoint cannot be loaded.
    """
    train = [sample for sample in thin(train) if faces is None or faces[sample.path]]
    held_out = [sample for sample in held_out if faces is None or faces[sample.path]]
    if min(len(train), len(held_out)) < MIN_PICTURES:
        raise DataError(
            f"Novelty needs {MIN_PICTURES} faces to train and as many to calibrate; there are {len(train)} and "
            f"{len(held_out)}. Add some pictures."
        )
    checkpoint = load_checkpoint(str(folder))
    block = block_of(len(checkpoint.trunk.blocks))
    known = _features(checkpoint, block, train, faces, token, draw=random.Random(SEED))
    unseen = _features(checkpoint, block, held_out, faces, token, draw=None)
    novelty = fit_novelty(block, known, unseen, [sample.source for sample in held_out], token)
    store_novelty(folder, novelty, sha256=checkpoint.info.sha256)
    return novelty


def thin(samples: Sequence[Sample]) -> list[Sample]:
    """Of the pictures that trained, those that are looked at: at most 300 of each source and class, evenly taken."""
    return take_evenly(dict.fromkeys(samples), NUM_OF_KIND)


@torch.inference_mode()
def _features(
    checkpoint: Checkpoint,
    block: int,
    samples: Sequence[Sample],
    faces: Faces | None,
    token: str,
    *,
    draw: random.Random | None,
) -> np.ndarray:
    """What enters a block, (N, D), by `feature_of`; with `draw`, half of the pictures are degraded."""
    trunk, parts = checkpoint.trunk, []
    for start in tqdm(range(0, len(samples), READ_AHEAD), desc="novelty", unit="batch"):
        crops = _crops(samples[start : start + READ_AHEAD], faces, checkpoint.margin, draw)
        hidden = trunk.embed(torch.from_numpy(np.stack([checkpoint.transform(crop.image) for crop in crops])))
        for index in range(block):
            hidden = trunk.run_block(index, hidden)
        parts.append(feature_of(hidden, trunk.num_prefix_tokens, token).cpu().numpy())
    return np.concatenate(parts)


def _crops(
    samples: Sequence[Sample], faces: Faces | None, margin: float, draw: random.Random | None
) -> Iterator[FaceCrop]:
    for sample in samples:
        photo = load_image(sample.path)
        if draw and draw.random() < 0.5:
            photo = degrade_ordinarily(photo, draw)
        yield cut_out(photo, faces[sample.path] if faces else None, margin=margin)
