"""The pictures of a run: found, looked at, divided into parts, and shown as they are or by what is kept of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from accelerate import PartialState

from train.checks import Look, look_first
from train.config import TrainConfig
from train.data import BLENDED, SWAPPED, Parts, Sample, divide, is_made, load_samples, split_for
from train.fit.distillation import Teacher
from train.fit.model import StartingPoint
from train.fit.tokens import TokenDataset, fill, open_store
from train.pictures import CropDataset, FaceCache, FaceDataset, Faces, TrainDataset

P = TypeVar("P", bound=FaceDataset)


@dataclass(frozen=True)
class Material:
    """The readable samples, and the parts that they were divided into.

    Attributes:
        faces: None for a recipe that shows whole pictures.
    """

    samples: list[Sample]
    faces: Faces | None
    look: Look
    parts: Parts


def gather(config: TrainConfig, *, anyway: bool, cache: FaceCache) -> Material:
    """Find samples and faces, look at them, and divide them; of several processes one searches, all know.

    Args:
        anyway: also where groups cross the splits.

    Raises:
        DataError: see `load_samples`, `look_first` and `divide`.
    """
    state = PartialState()
    with state.main_process_first():  # the others read what it remembered
        loaded = load_samples(config.data, frames_per_clip=config.frames_per_clip, num_clips=config.num_clips)
        paths = [sample.path for sample in loaded.samples]
        faces, broken = cache.find(paths), [*loaded.unreadable, *cache.unreadable(paths)]
    left_out = {file.path for file in broken}
    samples = [sample for sample in split_for(loaded.samples, config) if sample.path not in left_out]
    if loaded.notes and state.is_main_process:
        print("\n".join(loaded.notes))
    look = look_first(samples, faces, broken, config, anyway=anyway, quiet=not state.is_main_process)
    whole = config.crop == "whole"
    parts = divide([sample for sample in samples if whole or faces[sample.path]], config)
    return Material(samples, None if whole else faces, look, parts)


class RunPictures:
    """Training and held-out pictures of a run, or what is kept of them: their tokens, or what a teacher says."""

    def __init__(
        self,
        config: TrainConfig,
        material: Material,
        start: StartingPoint,
        *,
        kept: Path,
        teacher: Teacher | None = None,
    ):
        self.config, self.material, self.start = config, material, start
        self.kept, self.teacher = kept, teacher

    def as_seen(self, samples: list[Sample], *, degraded: bool = False) -> CropDataset | TokenDataset:
        """As the engine sees them; or as it would see them degraded."""
        faces, transform, margin = self.material.faces, self.start.transform, self.config.margin
        return self._shown(CropDataset(samples, faces, transform, margin=margin, degraded=degraded))

    def for_training(self) -> TrainDataset | TokenDataset:
        config = self.config
        shares = {BLENDED: config.blended_share, SWAPPED: config.swapped_share}
        blended, swapped = (share * is_made(how, config.leave_out, config.kinds) for how, share in shares.items())
        training = TrainDataset(
            self.material.parts.train,
            self.material.faces,
            self.start.transform,
            augmentation=config.augmentation,
            blended_share=blended,
            swapped_share=swapped,
            kinds=config.kinds,
            seed=config.seed,
        )
        return self._shown(training, num_draws=config.cached_draws, clean_looks=config.clean_looks)

    def _shown(self, pictures: P, *, num_draws: int = 1, clean_looks: bool = False) -> P | TokenDataset:
        return (
            self.keep(pictures, num_draws=num_draws, clean_looks=clean_looks) if self.config.cached_draws else pictures
        )

    def keep(self, pictures: FaceDataset, *, num_draws: int = 1, clean_looks: bool = False) -> TokenDataset:
        """In place of pictures what is kept of them, computed where it is not yet."""
        config, looks = self.config, {"num_draws": num_draws, "clean_looks": clean_looks}
        how = {"bf16": config.bf16, "num_workers": config.num_workers}
        with PartialState().main_process_first():  # the others open the store when it is full
            if self.teacher is not None:
                tokens = TokenDataset(pictures, self.teacher.open_store(self.kept), **looks)
                self.teacher.fill(tokens, self.kept, **how)
            else:
                classifier, block = self.start.classifier, config.cached_block
                store = open_store(self.kept, config, classifier, self.start.transform, block=block)
                tokens = TokenDataset(pictures, store, **looks)
                fill(tokens, classifier, block, **how)
        return tokens
