"""What a checkpoint folder must be before it may judge: each refusal is a sentence that names its cause."""

from __future__ import annotations

import contextlib
import hashlib
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
from virtus.hub import PICKLES
from virtus.labels import label_from_name
from virtus.preprocessing import EvalTransform
from virtus.results import Label

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
    """

    folder: Path
    architecture: str
    labels: dict[Label, int]
    transform: EvalTransform
    weights: tuple[Path, ...]
    sha256: str
    own: dict


def examine(folder: Path) -> Examination:
    """Check all of a checkpoint folder that can be checked without building the model.

    Raises:
        CheckpointError: with the cause, the folder's name in front.
    """
    with _naming(folder):
        config = _read_json(folder / "config.json")
        architecture = _architecture(config)
        labels = _labels(config)
        weights = _weights(folder)
        transform = _transform(folder, config)
        own = _read_json(folder / "virtus.json") if (folder / "virtus.json").exists() else {}
        return Examination(folder, architecture, labels, transform, weights, _sha256(weights), own)


def load_model(examined: Examination) -> PreTrainedModel:
    """Build the model in float32 with every tensor from the file.

    Raises:
        CheckpointError: if a tensor of backbone or head is missing, has another shape, is left over or not finite.
    """
    with _naming(examined.folder):
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
        except (OSError, ValueError, RuntimeError, TypeError) as exc:
            raise CheckpointError(f"Its weights do not load: {_first_line(exc)}") from exc
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
    except (OSError, ValueError) as exc:
        raise CheckpointError(f"{file.name} cannot be read: {_first_line(exc)}") from exc
    if not isinstance(content, dict):
        raise CheckpointError(f"{file.name} is no JSON object.")
    return content


def _architecture(config: dict) -> str:
    kind = config.get("model_type")
    name = (config.get("architectures") or [PLAIN_ARCHITECTURE.get(kind)])[0]
    if kind not in PLAIN_ARCHITECTURE or name not in ARCHITECTURES:
        raise CheckpointError(
            f"It is a {name or kind or 'model of no named kind'}; {', '.join(ARCHITECTURES)} can judge."
        )
    if not name.lower().startswith(kind):
        raise CheckpointError(f"config.json contradicts itself: model_type is {kind}, the architecture is {name}.")
    return name


def _labels(config: dict) -> dict[Label, int]:
    """Index of each class, by name."""
    id2label = config.get("id2label")
    if not isinstance(id2label, dict) or len(id2label) != 2:
        count = len(id2label) if isinstance(id2label, dict) else "no"
        raise CheckpointError(f"It has {count} labels; a real-or-fake classifier has two.")
    named = {label_from_name(str(name)): index for index, name in id2label.items()}
    if set(named) != set(Label):
        names = " and ".join(repr(name) for name in id2label.values())
        raise CheckpointError(
            f"Its labels {names} do not say which is real and which is fake; the order is not trusted."
        )
    if sorted(map(str, named.values())) != ["0", "1"]:
        raise CheckpointError(f"Its labels have the indices {' and '.join(map(str, named.values()))}, not 0 and 1.")
    return {label: int(index) for label, index in named.items()}


def _weights(folder: Path) -> tuple[Path, ...]:
    """One safetensors file, or the shards that an index names."""
    files = (folder / "model.safetensors",)
    index = folder / "model.safetensors.index.json"
    if not files[0].exists() and index.exists():
        names = sorted(set(_read_json(index).get("weight_map", {}).values()))
        files = tuple(folder / Path(name).name for name in names)
    missing = [file.name for file in files if not file.exists()] or ([] if files else ["model.safetensors"])
    if missing:
        pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
        cause = (
            f"there are only pickled weights ({pickles[0]}), which can run code when read" if pickles else "no weights"
        )
        raise CheckpointError(f"{missing[0]} is missing: {cause}. Save the model as safetensors.")
    for file in files:
        _check_safetensors(file)
    return files


def _check_safetensors(file: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as tensors:
            if not list(tensors.keys()):
                raise CheckpointError(f"{file.name} holds no tensors.")
    except (SafetensorError, OSError) as exc:
        raise CheckpointError(f"{file.name} {_what_it_is(file)}") from exc


def _what_it_is(file: Path) -> str:
    """What a file is that claims to be safetensors and is not."""
    with file.open("rb") as stream:
        head = stream.read(64)
    if not head:
        return "is empty."
    if head.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the weights: fetch them with `git lfs pull`."
    if head.startswith(b"PK") or head.startswith(b"\x80"):
        return "is a pickle under another name, which can run code when read."
    if head.lstrip()[:1] == b"<":
        return "is a web page, not the weights: download it again."
    return "is no whole safetensors file: it is damaged or cut off. Download it again."


def _transform(folder: Path, config: dict) -> EvalTransform:
    transform = EvalTransform.from_config(_read_json(folder / "preprocessor_config.json"))
    size = config.get("image_size", 224)
    wanted = tuple(size) if isinstance(size, list) else (size, size)
    if transform.input_size != wanted:
        given = "x".join(map(str, transform.input_size))
        raise CheckpointError(
            f"Its processor does not fit: it makes pictures of {given}, the model takes {'x'.join(map(str, wanted))}."
        )
    return transform


def _check_loading(loading: dict) -> None:
    if missing := sorted(loading["missing_keys"]):
        part = "head" if all("classifier" in key for key in missing) else "backbone"
        raise CheckpointError(
            f"{len(missing)} tensors of the {part} are missing from the file, such as {missing[0]}; "
            "they would be random. Is it of the architecture that config.json names?"
        )
    if mismatched := sorted(str(key[0]) for key in loading["mismatched_keys"]):
        raise CheckpointError(
            f"{len(mismatched)} tensors have another shape than config.json says, such as {mismatched[0]}."
        )
    unexpected = sorted(
        key for key in loading["unexpected_keys"] if not any(part in f".{key}" for part in UNUSED_TENSORS)
    )
    if unexpected:
        raise CheckpointError(
            f"The file holds {len(unexpected)} tensors that the model does not have, such as {unexpected[0]}."
        )


def _sha256(files: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            hashlib.file_digest(stream, lambda: digest)
    return digest.hexdigest()


@contextlib.contextmanager
def _naming(folder: Path) -> Iterator[None]:
    """Put the folder's name before what is wrong with it."""
    try:
        yield
    except CheckpointError as exc:
        raise CheckpointError(f"{folder} is not used. {exc}") from exc.__cause__


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
