"""What an exploration leaves to keep: its arrays, and rollout as it grows, as files to be handed out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from virtus.app.visitors import answer_folder
from virtus.drawing import save_growth

if TYPE_CHECKING:
    from virtus.judging import Exploration


def write_exploration(found: Exploration) -> tuple[Path, Path]:
    """The arrays as `.npz` and rollout as a looping WebP, in a folder that is emptied by age."""
    folder = answer_folder()
    arrays, film = folder / "virtus-explore.npz", folder / "virtus-rollout.webp"
    np.savez_compressed(arrays, allow_pickle=False, **found.arrays())
    save_growth(found.picture, found.rollout(), film)
    return arrays, film
