"""What a checkpoint folder must be before it may judge: each refusal is a sentence that names its cause."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import (
    DeiTForImageClassification,
    DeiTForImageClassificationWithTeacher,
    PreTrainedModel,
    ViTForImageClassification,
)

from virtus.errors import CheckpointError
from virtus.labels import label_from_name
from virtus.preprocessing import EvalTransform
from virtus.results import Label
from virtus.weights import find_weights, hash_weights

ARCHITECTURES: dict[str, type[PreTrainedModel]] = {
    cls.__name__: cls
    for cls in (ViTForImageClassification, DeiTForImageClassification, DeiTForImageClassificationWithTeacher)
}
PLAIN_ARCHITECTURE = {"vit": "ViTForImageClassification", "deit": "DeiTForImageClassification"}
# In files of pre-trained models, and not read by the classifier.
UNUSED_TENSORS = (".pooler.", ".embeddings.mask_token")


@dataclass(frozen=True)
class Examination:
    """What is known of a folder that passed.

    Attributes:
        architecture: name of the transformers class.
        labels: index in the logits for each class, by label name.
        transform: from its processor.
        weights: the safetensors files.
        sha256: of these, one after the other.
        own: the content of `virtus.json`, empty without one.
        name: what errors call it.
    """

    folder: Path
    architecture: str
    labels: dict[Label, int]
    transform: EvalTransform
    weights: tuple[Path, ...]
    sha256: str
    own: dict
    name: str


def examine(folder: Path, *, name: str = "") -> Examination:
    """Check all of a checkpoint folder that can be checked without building the model.

    Raises:
        CheckpointError: with the cause, and the name (by default the folder's path) in front.
    """
    architecture, labels, transform = examine_configs(folder, name=name)
    with _naming(name or folder):
        own = _read_json(folder / "virtus.json") if (folder / "virtus.json").exists() else {}
        index = folder / "model.safetensors.index.json"
        weights = find_weights(folder, _read_json(index) if index.exists() else None)
        sha256 = hash_weights(weights)
        return Examination(folder, architecture, labels, transform, weights, sha256, own, name or str(folder))


def examine_configs(folder: Path, *, name: str = "") -> tuple[str, dict[Label, int], EvalTransform]:
    """The part of it that needs no weights: architecture, index of each class, eval transform."""
    with _naming(name or folder):
        config = _read_json(folder / "config.json")
        return _architecture(config), _labels(config), _transform(folder, config)


def load_model(examined: Examination) -> PreTrainedModel:
    """Build the model in float32 with every tensor from the file.

    Raises:
        CheckpointError: if a tensor of backbone or head is missing, has another shape, is left over or not finite.
    """
    with _naming(examined.name):
        try:
            with _quiet():
                model, loading = ARCHITECTURES[examined.architecture].from_pretrained(
                    examined.folder,
                    dtype=torch.float32,
                    use_safetensors=True,
                    local_files_only=True,
                    ignore_mismatched_sizes=True,
                    output_loading_info=True,
                )
        except Exception as exc:  # a config can break its reader in any way: strings for numbers, unknown names
            cause = f"{type(exc).__name__}: {' '.join(str(exc).split())[:200]}"
            raise CheckpointError(f"Its config.json and weights do not make a model ({cause}).") from exc
        _check_loading(loading)
        broken = next((name for name, tensor in model.named_parameters() if not tensor.isfinite().all()), None)
        if broken:
            raise CheckpointError(f"Its weights are damaged: {broken} holds values that are not finite.")
        return model


def _read_json(file: Path) -> dict:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise CheckpointError(f"{file.name} is missing.") from exc
    except (OSError, ValueError, RecursionError) as exc:
        raise CheckpointError(f"{file.name} cannot be read: {_first_line(exc)}") from exc
    if not isinstance(content, dict):
        raise CheckpointError(f"{file.name} is no JSON object.")
    return content


def _architecture(config: dict) -> str:
    kind, names = config.get("model_type"), config.get("architectures")
    plain = PLAIN_ARCHITECTURE.get(kind) if isinstance(kind, str) else None
    name = names[0] if isinstance(names, list) and names else names or plain
    if name not in list(ARCHITECTURES):
        raise CheckpointError(f"It is a {name or kind or 'model of no named kind'}, but only {_choices()} can judge.")
    if not plain or not name.startswith(plain):
        raise CheckpointError(f"config.json contradicts itself: model_type is {kind}, the architecture is {name}.")
    return name


def _choices() -> str:
    *first, last = ARCHITECTURES
    return f"{', '.join(first)} and {last}"


def _labels(config: dict) -> dict[Label, int]:
    """Index of each class, by name."""
    id2label = config.get("id2label")
    if not isinstance(id2label, dict) or len(id2label) != 2:
        count = len(id2label) if isinstance(id2label, dict) else "none"
        raise CheckpointError(f"A real-or-fake classifier has two labels, and it has {count}.")
    named = {label_from_name(str(name)): index for index, name in id2label.items()}
    if set(named) != set(Label):
        names = " and ".join(repr(name) for name in id2label.values())
        raise CheckpointError(
            f"Its labels {names} do not say which is real and which is fake, and their order is not trusted."
        )
    if sorted(named.values()) != ["0", "1"]:
        raise CheckpointError(f"Its labels have the indices {' and '.join(named.values())}, not 0 and 1.")
    return {label: int(index) for label, index in named.items()}


def _transform(folder: Path, config: dict) -> EvalTransform:
    transform = EvalTransform.from_config(_read_json(folder / "preprocessor_config.json"))
    size, channels = config.get("image_size", 224), config.get("num_channels", 3)
    height, width = wanted = tuple(size) if isinstance(size, list) and len(size) == 2 else (size, size)
    if not all(type(side) is int for side in wanted) or channels != 3:
        raise CheckpointError(f"config.json asks for pictures of {channels!r} channels and {size!r} pixels a side.")
    if not (transform.size or transform.crop_size):
        raise CheckpointError(
            "Its processor does not fit: it keeps the proportions and cuts out no centre, so that sizes would differ."
        )
    if transform.input_size != wanted:
        given = "x".join(map(str, transform.input_size))
        raise CheckpointError(
            f"Its processor does not fit: it makes pictures of {given}, the model takes {height}x{width}."
        )
    return transform


def _check_loading(loading: dict) -> None:
    if missing := sorted(loading["missing_keys"]):
        part = "head" if all("classifier" in key for key in missing) else "backbone"
        raise CheckpointError(
            f"The {part} is not all there: {_count(missing)} missing from the file, such as {missing[0]}, and would be "
            "random. Perhaps the file is of another architecture than config.json says."
        )
    if mismatched := sorted(str(key[0]) for key in loading["mismatched_keys"]):
        raise CheckpointError(
            f"Its weights do not fit config.json: {_count(mismatched)} of another shape, such as {mismatched[0]}."
        )
    unexpected = sorted(
        key for key in loading["unexpected_keys"] if not any(part in f".{key}" for part in UNUSED_TENSORS)
    )
    if unexpected:
        raise CheckpointError(
            f"Its weights do not fit config.json: {_count(unexpected)} left over that the model does not have, "
            f"such as {unexpected[0]}."
        )


def _count(tensors: list[str]) -> str:
    return "1 tensor is" if len(tensors) == 1 else f"{len(tensors)} tensors are"


@contextlib.contextmanager
def _naming(name: object) -> Iterator[None]:
    """Put the checkpoint's name before what is wrong with it."""
    try:
        yield
    except CheckpointError as exc:
        raise CheckpointError(f"{name} is not used. {exc}") from exc.__cause__


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Loading without transformers' bars and reports: what they say is checked and said in our own words."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _first_line(exc: Exception) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0]
