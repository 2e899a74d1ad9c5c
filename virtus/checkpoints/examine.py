"""What a checkpoint folder must be before it may judge: each refusal is a sentence that names its cause."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.checkpoints.sidecar import read_json, read_sidecar
from virtus.errors import CheckpointError
from virtus.labels import ClassOutputs, label_names, read_outputs
from virtus.models import (
    Architecture,
    EvalTransform,
    describe,
    find_weights,
    float_shapes,
    hash_weights,
    is_packed,
    read_architecture,
    read_headers,
    read_transform,
)

if TYPE_CHECKING:
    from virtus.models import Classifier

MAX_NAMED = 5  # folders in an error


@dataclass(frozen=True)
class Examination:
    """What is known of a folder that passed.

    Attributes:
        architecture: what the model is made of.
        outputs: which logits speak for each class, by label name.
        transform: from its processor.
        weights: the safetensors files.
        sha256: of these, one after the other.
        sidecar: the content of `virtus.json`, empty without one.
        name: what errors call it.
    """

    folder: Path
    architecture: Architecture
    outputs: ClassOutputs
    transform: EvalTransform
    weights: tuple[Path, ...]
    sha256: str
    sidecar: dict
    name: str


def examine_checkpoint(folder: Path, *, name: str = "", fake_label: str | None = None) -> Examination:
    """Check all of a checkpoint folder that can be checked without building the model, and without loading torch.

    Args:
        fake_label: see `virtus.labels.read_outputs`.

    Raises:
        CheckpointError: with the cause, and the name (by default the folder's path) in front: if a file is missing or
            of another kind, if a tensor of backbone or head is missing, left over or of another shape.
    """
    with _naming(name or folder):
        config = _read_config(folder)
        architecture, outputs, transform = _read(folder, config, fake_label)
        sidecar = read_sidecar(folder)
        weights, held = _weights(folder, config)
        check_tensors(architecture, held)
        sha256 = hash_weights(weights)
        return Examination(folder, architecture, outputs, transform, weights, sha256, sidecar, name or str(folder))


def examine_configs(
    folder: Path, *, name: str = "", fake_label: str | None = None
) -> tuple[Architecture, ClassOutputs, EvalTransform]:
    """The part of it that needs no weights: architecture, outputs of each class, eval transform."""
    with _naming(name or folder):
        return _read(folder, _read_config(folder), fake_label)


def _read(folder: Path, config: dict, fake_label: str | None) -> tuple[Architecture, ClassOutputs, EvalTransform]:
    architecture = read_architecture(config)
    outputs = read_outputs(label_names(describe(config)), fake_label)
    transform = _transform(folder, architecture, config)
    architecture = architecture.for_size(transform.input_size)
    _check_transform(transform, architecture)
    return architecture, outputs, transform


def _read_config(folder: Path) -> dict:
    _check_level(folder)
    config = read_json(folder / "config.json")
    is_packed(config)  # or another arrangement, which is refused
    return config


@dataclass(frozen=True)
class Base:
    """What is known of a folder to train from: a classifier of anything, or a backbone alone.

    Attributes:
        architecture: of a classifier, whatever head the files hold.
        outputs: of the head that the files hold, where it tells real from fake by two classes; else None.
        transform: from its processor, at the size that the model is for.
        weights: the safetensors files.
        config: the content of its `config.json`.
    """

    architecture: Architecture
    outputs: ClassOutputs | None
    transform: EvalTransform
    weights: tuple[Path, ...]
    config: dict


def examine_base(folder: Path, *, name: str = "") -> Base:
    """Check a folder to train from: its backbone must be whole, while a head of other classes will be replaced.

    Raises:
        CheckpointError: as `examine_checkpoint` does.
    """
    architecture, transform, config = examine_base_configs(folder, name=name)
    with _naming(name or folder):
        weights, held = _weights(folder, config)
        outputs = None
        with contextlib.suppress(CheckpointError):
            check_tensors(architecture, held)
            outputs = read_outputs(label_names(describe(config)))
        if outputs is None or (len(outputs.real), len(outputs.fake)) != (1, 1):
            outputs = None
            check_tensors(architecture, held, heads=False)
        return Base(architecture, outputs, transform, weights, config)


def examine_base_configs(folder: Path, *, name: str = "") -> tuple[Architecture, EvalTransform, dict]:
    """The part of it that needs no weights: architecture, eval transform, and the content of its `config.json`."""
    with _naming(name or folder):
        config = _read_config(folder)
        architecture = read_architecture(config, as_base=True)
        if not (classes := architecture.family.classes):
            raise CheckpointError(f"A {architecture.name} has no class with a head: no checkpoint could be saved.")
        if len(classes) > 1:  # DeiT's has another one, of two heads, for learning from a teacher
            config = config | {"architectures": [classes[0]]}
            architecture = read_architecture(config)
        transform = _transform(folder, architecture, config)
        architecture = architecture.for_size(transform.input_size)
        size, rescale = architecture.image_size, transform.rescale_factor
        whole = EvalTransform(size, transform.mean, transform.std, transform.resample, rescale_factor=rescale)
        return architecture, read_transform(config, whole.to_config()), config


def _transform(folder: Path, architecture: Architecture, config: dict) -> EvalTransform:
    processor = folder / "preprocessor_config.json"
    needed = architecture.family.processor is None or processor.exists()
    return read_transform(config, read_json(processor) if needed else None)


def _weights(folder: Path, config: dict) -> tuple[tuple[Path, ...], dict[str, tuple[int, ...]]]:
    """The safetensors files, and the shape of each tensor in them."""
    index = folder / "model.safetensors.index.json"
    weights = find_weights(folder, read_json(index) if index.exists() else None)
    return weights, float_shapes(read_headers(weights), packed=is_packed(config))


def load_model(examined: Examination) -> Classifier:
    """Build the model in float32 with every tensor from the file.

    Raises:
        CheckpointError: if a value is not finite, or the files are not what was examined any more.
    """
    from safetensors import SafetensorError

    from virtus.models import build_classifier

    with _naming(examined.name):
        try:
            model = build_classifier(examined.architecture, examined.weights)
        except (OSError, RuntimeError, SafetensorError) as exc:
            raise CheckpointError(f"Its weights cannot be read any more ({_first_line(exc)}).") from exc
        broken = next((name for name, tensor in model.named_parameters() if not tensor.isfinite().all()), None)
        if broken:
            name = examined.architecture.sources()[broken].name
            raise CheckpointError(f"Its weights are damaged: {name} holds values that are not finite.")
        return model


def _check_transform(transform: EvalTransform, architecture: Architecture) -> None:
    if isinstance(transform.size, int) and not transform.crop_size:
        raise CheckpointError(
            "Its processor does not fit: it keeps the proportions and cuts out no centre, so that sizes would differ."
        )
    if transform.input_size != architecture.image_size:
        given, wanted = ("x".join(map(str, size)) for size in (transform.input_size, architecture.image_size))
        raise CheckpointError(f"Its processor does not fit: it makes pictures of {given}, the model takes {wanted}.")


def check_tensors(architecture: Architecture, held: Mapping[str, tuple[int, ...]], *, heads: bool = True) -> None:
    """A missing tensor would be random, and one that is left over says that the files are of another model.

    Args:
        held: name and shape of each tensor in the files.
        heads: whether those of the heads count too.

    Raises:
        CheckpointError: naming such a tensor, or one of another shape.
    """
    wanted = architecture.file_shapes(held)
    of_heads = {source.name for name, source in architecture.sources(held).items() if architecture.is_head(name)}
    wanted = wanted if heads else {name: shape for name, shape in wanted.items() if name not in of_heads}
    if missing := sorted(wanted.keys() - held.keys()):
        part = "head" if of_heads.issuperset(missing) else "backbone"
        raise CheckpointError(
            f"The {part} is not all there: {_count(missing)} missing from the file, such as {missing[0]}, and would be "
            "random. Perhaps the file is of another architecture than config.json says."
        )
    if misshapen := sorted(name for name, shape in wanted.items() if held[name] != shape):
        given, due = ("x".join(map(str, shapes[misshapen[0]])) for shapes in (held, wanted))
        raise CheckpointError(
            f"Its weights do not fit config.json: {_count(misshapen)} of another shape, such as {misshapen[0]} "
            f"({given} in the file, {due} by config.json)."
        )
    unused = architecture.family.unused
    others = [name for name in sorted(held.keys() - wanted.keys()) if not any(part in f".{name}" for part in unused)]
    if others and heads:
        raise CheckpointError(
            f"Its weights do not fit config.json: {_count(others)} left over that the model does not have, "
            f"such as {others[0]}."
        )


def _check_level(folder: Path) -> None:
    """Whether the checkpoint lies in the folder itself, if there is one.

    Raises:
        CheckpointError: naming the folders below that hold one, where only these do: a Trainer's output, or a run's;
            or saying how to end a run of `train fit` that has saved steps alone.
    """
    found = [] if _weights_time_s(folder) else list(filter(_weights_time_s, _folders_below(folder)))
    if not found:
        return _check_ended(folder)
    found.sort(key=lambda below: (_weights_time_s(below), _step(below)), reverse=True)
    if len(found) == 1:
        raise CheckpointError(f"The checkpoint lies in a folder below it: name {found[0]}.")
    more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    others = ", ".join(map(str, found[1:MAX_NAMED])) + more
    raise CheckpointError(
        f"The checkpoints lie in folders below it: name {found[0]}, the newest, or another: {others}."
    )


def _check_ended(folder: Path) -> None:
    """Steps of `train fit`, of whichever folder, are weights without a config: no checkpoint yet."""
    runs = (below for below in (folder, folder.parent, folder.parent.parent) if (below / "train_config.json").exists())
    if (run := next(runs, None)) is None or (folder / "config.json").exists() or _weight_files(run):
        return
    steps = max((_step(step) for step in run.glob("steps/checkpoint-*")), default=0)
    raise CheckpointError(
        f"{run} is a run of training that has not ended: {steps} steps are saved, and no checkpoint yet. Go on with "
        f"it: python -m train fit, with the settings that it was begun with, --out {run} and --resume."
    )


def _folders_below(folder: Path) -> Iterator[Path]:
    """Those one and two levels below that have a config.json."""
    return (config.parent for level in ("*", "*/*") for config in folder.glob(f"{level}/config.json"))


def _weights_time_s(folder: Path) -> float:
    """When its weights were written; 0 where it is no checkpoint."""
    times = [file.stat().st_mtime for file in _weight_files(folder)]
    return max(times, default=0.0) if (folder / "config.json").exists() else 0.0


def _weight_files(folder: Path) -> list[Path]:
    return [*folder.glob("model*.safetensors"), *folder.glob("pytorch_model*.bin")]


def _step(folder: Path) -> int:
    """1000 of checkpoint-1000: copies are of one time."""
    return int("".join(filter(str.isdecimal, folder.name)) or 0)


def _count(tensors: list[str]) -> str:
    return "1 tensor is" if len(tensors) == 1 else f"{len(tensors)} tensors are"


@contextlib.contextmanager
def _naming(name: str | Path) -> Iterator[None]:
    """Put the checkpoint's name before what is wrong with it."""
    try:
        yield
    except CheckpointError as exc:
        exc.args = (f"{name} is not used. {exc}",)
        raise


def _first_line(exc: Exception) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0]
