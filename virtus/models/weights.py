"""The files that hold a checkpoint's weights: safetensors and nothing else, said plainly where it is something else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.errors import CheckpointError
from virtus.models.packed import SCALE, TensorHeader, unpack

if TYPE_CHECKING:
    import torch

SHARD_NAME = re.compile(r"\w[\w.-]*\.safetensors")
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".h5", ".msgpack")


def find_weights(folder: Path, index: dict | None) -> tuple[Path, ...]:
    """One safetensors file, or the shards that an index (of `model.safetensors.index.json`) names.

    Raises:
        CheckpointError: if they are missing or pickled.
    """
    names = ["model.safetensors"]
    if not (folder / names[0]).exists() and index is not None:
        names = _shards(index)
    for name in names:
        if not (folder / name).is_file():
            raise CheckpointError(f"{name} is missing: {_what_is_there(folder)}")
    return tuple(folder / name for name in names)


def read_headers(files: Sequence[Path]) -> dict[str, TensorHeader]:
    """Of all tensors in safetensors files, by name.

    Raises:
        CheckpointError: if a file is damaged, empty or something else altogether.
    """
    from safetensors import SafetensorError, safe_open

    headers = {}
    for file in files:
        try:
            with safe_open(file, framework="numpy") as tensors:
                parts = {name: tensors.get_slice(name) for name in tensors.keys()}  # noqa: SIM118  it is no dict
                held = {name: TensorHeader(part.get_dtype(), tuple(part.get_shape())) for name, part in parts.items()}
        except (SafetensorError, OSError) as exc:
            raise CheckpointError(f"{file.name} {_what_it_is(file)}") from exc
        if not held:
            raise CheckpointError(f"{file.name} holds no tensors.")
        headers |= held
    return headers


def read_tensors(files: Sequence[Path], names: Collection[str]) -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors of files by their names there, float32, packed ones unpacked.

    They are copies: a file that changes later must not change the model.

    Raises:
        CheckpointError: for scales that nothing can be multiplied by.
        SafetensorError, OSError: if a file cannot be read any more.
    """
    import torch
    from safetensors import safe_open

    with ExitStack() as stack:
        opened = [stack.enter_context(safe_open(file, framework="pt")) for file in files]
        places = {name: tensors for tensors in opened for name in tensors.keys()}  # noqa: SIM118  it is no dict
        for name in places.keys() & names:
            tensor = places[name].get_tensor(name)
            if tensor.dtype == torch.int8:  # its scales may lie in another file
                yield name, unpack(name, tensor, places[name + SCALE].get_tensor(name + SCALE))
            else:
                yield name, tensor.to(torch.float32, copy=True)


def hash_weights(files: Sequence[Path]) -> str:
    """sha256 of the files one after the other."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            hashlib.file_digest(stream, lambda: digest)
    return digest.hexdigest()


def _shards(index: dict) -> list[str]:
    weight_map = index.get("weight_map")
    names = list(weight_map.values()) if isinstance(weight_map, dict) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise CheckpointError("model.safetensors.index.json has no weight_map that names files.")
    # The loader would follow any name, also out of the folder.
    if odd := [name for name in names if not SHARD_NAME.fullmatch(name)]:
        raise CheckpointError(
            f"model.safetensors.index.json names {odd[0]!r}, which is not a safetensors file beside it."
        )
    return sorted(set(names))


def _what_is_there(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    if others := [name for name in names if name.endswith(".safetensors")]:
        return f"there is only {', '.join(others)}. Download or save all of it again."
    if pickle := next((name for name in names if name.endswith(PICKLES)), None):
        return (
            f"there are only pickled weights ({pickle}), which can run code when they are read. "
            "Save the model as safetensors."
        )
    return "there are no weights. Download or save the model again."


def _what_it_is(file: Path) -> str:
    """What a file is that claims to be safetensors and is not."""
    try:
        with file.open("rb") as stream:
            head = stream.read(64)
    except OSError as exc:
        return f"cannot be read ({exc.strerror})."
    if not head:
        return "is empty: download it again."
    if head.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the weights: fetch them with `git lfs pull`."
    if head.startswith((b"PK", b"\x80")):
        return "is a pickle under another name, which can run code when it is read. Save the model as safetensors."
    if head.lstrip().startswith(b"<"):
        return "is a web page, not the weights: download it again."
    return "is no whole safetensors file: it is damaged or cut off. Download it again."
