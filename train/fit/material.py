"""What a run is made from: the samples, their faces, what is wrong with them, and what each is for."""

from __future__ import annotations

from dataclasses import dataclass

from accelerate import PartialState

from train.checks import Look, look_first
from train.config import TrainConfig
from train.data import Parts, Sample, divide, load_samples, split_for
from train.pictures import FaceCache, Faces


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
        found = load_samples(config.data, frames_per_clip=config.frames_per_clip, num_clips=config.num_clips)
        paths = [sample.path for sample in found.samples]
        faces, broken = cache.find(paths), [*found.unreadable, *cache.unreadable(paths)]
    left_out = {one.path for one in broken}
    samples = [sample for sample in split_for(found.samples, config) if sample.path not in left_out]
    if found.notes and state.is_main_process:
        print("\n".join(found.notes))
    look = look_first(samples, faces, broken, config, anyway=anyway, quiet=not state.is_main_process)
    whole = config.crop == "whole"
    parts = divide([sample for sample in samples if whole or faces[sample.path]], config)
    return Material(samples, None if whole else faces, look, parts)
