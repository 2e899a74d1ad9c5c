"""Tensors between files and a classifier: only what it needs is read, and what it has is written as its family does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from virtus.models.architecture import Architecture, Source
from virtus.models.vit import Classifier
from virtus.models.weights import read_headers, read_tensors

POSITIONS = "embeddings.position_embeddings"


def build_classifier(config: Architecture, files: Sequence[Path]) -> Classifier:
    """A classifier in float32 with the weights of safetensors files that hold all of `config.file_shapes()`.

    Raises:
        CheckpointError: for packed weights whose scales nothing can be multiplied by.
        SafetensorError, OSError, RuntimeError: if a file cannot be read any more.
    """
    return with_tensors(config, classifier_tensors(config, files))


def with_tensors(config: Architecture, tensors: Mapping[str, torch.Tensor]) -> Classifier:
    """A classifier that consists of these tensors, named as in `Architecture.tensors`; positions are resampled."""
    with torch.device("meta"):  # no memory, and nothing drawn at random only to be overwritten
        model = Classifier(config)
    if config.position_grid not in (None, config.grid_size):
        tensors = dict(tensors) | {POSITIONS: _resampled(config, tensors[POSITIONS])}
    model.load_state_dict(tensors, assign=True)
    return model


def classifier_tensors(config: Architecture, files: Sequence[Path], *, heads: bool = True) -> dict[str, torch.Tensor]:
    """What safetensors files hold of `Architecture.tensors`, by those names, float32; without `heads` of the backbone.

    Only what is needed is read: no tower for text, and no projection of its features.

    Raises:
        CheckpointError, SafetensorError, OSError: as `read_tensors`.
    """
    wanted: dict[str, list[tuple[str, Source]]] = {}
    for name, source in config.sources(read_headers(files)).items():
        if heads or not config.is_head(name):
            wanted.setdefault(source.name, []).append((name, source))
    shapes = config.tensors()
    return {
        name: tensor.chunk(source.of)[source.part].reshape(shapes[name])
        for held, tensor in read_tensors(files, wanted)
        for name, source in wanted[held]
    }


def file_tensors(config: Architecture, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A classifier's tensors as published files of its family have them: by their names, shapes and joints."""
    parts: dict[str, dict[int, torch.Tensor]] = {}
    for name, source in config.sources().items():
        if name in tensors:
            tensor = tensors[name].reshape(config.file_shape(name, tuple(tensors[name].shape)))
            parts.setdefault(source.name, {})[source.part] = tensor
    joined = {name: [held[part] for part in sorted(held)] for name, held in parts.items()}
    return {name: torch.cat(held) if len(held) > 1 else held[0].contiguous() for name, held in joined.items()}


def _resampled(config: Architecture, positions: torch.Tensor) -> torch.Tensor:
    """Positions of another grid, bicubic, as transformers does for DINOv2: (1, T, D) to those of `grid_size`."""
    grid = config.position_grid or config.grid_size
    first = positions.shape[1] - grid[0] * grid[1]
    patches = positions[:, first:].unflatten(1, grid).permute(0, 3, 1, 2)
    patches = nn.functional.interpolate(
        patches, config.grid_size, mode="bicubic", align_corners=False, antialias=config.position_antialias
    )
    return torch.cat((positions[:, :first], patches.flatten(2).transpose(1, 2)), dim=1)
