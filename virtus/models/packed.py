"""Weights stored as whole numbers: int8 with a float scale for each row, in the format of compressed-tensors.

Read and written without the library of that name. A packed `x.weight` is int8 of shape (rows, columns),
`x.weight_scale` beside it is of shape (rows, 1), and the weight is their product.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from virtus.errors import CheckpointError

if TYPE_CHECKING:
    import torch

METHOD = "compressed-tensors"
FORMATS = ("int-quantized", "naive-quantized")
ROWS = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel", "dynamic": False}
WHOLE_ROWS = {"group_size": (None, -1), "block_structure": (None,)}
OTHERS = ("kv_cache_scheme", "transform_config", "moe_sparsity_config")  # what else would be done to values
FLOATS = ("F64", "F32", "F16", "BF16")
INDICES = ("position_ids",)  # in files of older versions of transformers, and not read
SCALE = "_scale"  # behind the name of the weight
LARGEST = 127
NEIGHBOURS = 2  # floats on both sides of a quotient that are tried for the scale that a row was made with


class TensorHeader(NamedTuple):
    """What a safetensors file says of a tensor: its type by safetensors' own name ("F32", "I8") and its shape."""

    dtype: str
    shape: tuple[int, ...]


def is_packed(config: Mapping) -> bool:
    """Whether a `config.json` says that its weights are int8 with a scale for each row.

    Raises:
        CheckpointError: if it names another arrangement.
    """
    if (packing := config.get("quantization_config")) is None:
        return False
    packing = packing if isinstance(packing, Mapping) else {}
    if (method := packing.get("quant_method")) != METHOD:
        raise _not_read(f"by {method!r}")
    groups = packing.get("config_groups")
    if not isinstance(groups, Mapping) or not groups:
        raise _not_read("and config_groups does not say how")
    for group in groups.values():
        _check_group(group if isinstance(group, Mapping) else {}, packing.get("format"))
    if other := next(filter(packing.get, OTHERS), None):
        raise _not_read(f"with {other}")
    sparsity = packing.get("sparsity_config") or {}
    if not isinstance(sparsity, Mapping) or sparsity.get("format", "dense") != "dense":
        raise _not_read("with sparsity_config, which leaves zeros out")
    return True


def _check_group(group: Mapping, usual_format: object) -> None:
    if (form := group.get("format") or usual_format) not in list(FORMATS):
        raise _not_read(f"as format {form!r}")
    weights = group.get("weights")
    if not isinstance(weights, Mapping):
        raise _not_read(f"with weights {weights!r}")
    for key, wanted in ROWS.items():
        if (given := weights.get(key, wanted if key != "strategy" else None)) != wanted:
            raise _not_read(f"with {key} {given!r}")
    for key, fitting in WHOLE_ROWS.items():
        if (given := weights.get(key)) not in list(fitting):
            raise _not_read(f"with {key} {given!r}")
    for key in ("input_activations", "output_activations"):
        if group.get(key) is not None:
            raise _not_read(f"with {key}, which would be rounded too")


def _not_read(how: str) -> CheckpointError:
    return CheckpointError(
        f"Its weights are stored {how} (quantization_config in config.json). Read are floats, and int8 with a scale "
        f"for each row as {METHOD} has it ({' or '.join(FORMATS)}, strategy channel, symmetric, no activations)."
    )


def float_shapes(headers: Mapping[str, TensorHeader], *, packed: bool) -> dict[str, tuple[int, ...]]:
    """Shapes of a file's tensors once whole numbers are multiplied by their scales.

    Args:
        packed: what `is_packed` says.

    Raises:
        CheckpointError: for numbers that are no floats where nothing says what they stand for, or without their scales.
    """
    shapes = {name: header.shape for name, header in headers.items()}
    for name, header in headers.items():
        if header.dtype in FLOATS or name.endswith(INDICES):
            continue
        if not packed or header.dtype != "I8" or not name.endswith(".weight") or len(header.shape) != 2:
            said = "not as config.json says" if packed else "and config.json does not say what they stand for"
            raise CheckpointError(f"{name} holds numbers of type {header.dtype}, {said}.")
        scale = headers.get(name + SCALE)
        if scale is None or scale.dtype not in FLOATS or scale.shape != (header.shape[0], 1):
            there = "missing" if scale is None else f"{scale.dtype} of shape {list(scale.shape)}"
            raise CheckpointError(f"{name}{SCALE}, a float for each row of int8 {list(header.shape)}, is {there}.")
        del shapes[name + SCALE]
    return shapes


def unpack(name: str, weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """What int8 (rows, columns) with scales (rows, 1) stands for, float32; the product is taken in the scales' type.

    Raises:
        CheckpointError: if a scale is not a finite number above 0.
    """
    if not bool((scale.isfinite() & (scale > 0)).all()):
        raise CheckpointError(
            f"Its weights are damaged: {name}{SCALE} holds scales that are not finite numbers above 0."
        )
    return (weight.to(scale.dtype) * scale).float()


def pack(tensors: Mapping[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The matrices of a model's blocks as int8 with a scale for each row, and all other tensors as they are.

    Rows that are whole numbers times a float, as of weights that were packed before, stay what they are to the last
    bit; others are rounded.

    Args:
        tensors: by their names in a file.

    Returns:
        Tensors for a file, and the `quantization_config` with which transformers reads them.

    Raises:
        ValueError: for values that are not finite, which would be hidden.
    """
    packed: dict[str, torch.Tensor] = {}
    kept = []
    for name, tensor in tensors.items():
        is_matrix = name.endswith(".weight") and tensor.ndim == 2
        if is_matrix and any(part.isdigit() for part in name.split(".")):  # in a block, not the head
            if not bool(tensor.isfinite().all()):
                raise ValueError(f"{name} holds values that are not finite.")
            packed[name], packed[name + SCALE] = _pack_rows(tensor.float())
        else:
            packed[name] = tensor
            kept += [name.removesuffix(".weight")] * is_matrix
    group = {"targets": ["Linear"], "weights": dict(ROWS), "input_activations": None, "output_activations": None}
    return packed, {
        "quant_method": METHOD,
        "format": FORMATS[0],
        "quantization_status": "compressed",
        "run_compressed": False,  # transformers multiplies when it loads
        "config_groups": {"group_0": group},
        "ignore": kept,
    }


def rounded(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors by their names as they come back from being packed, float32 where they are."""
    packed, _ = pack(tensors)
    return {
        name: unpack(name, packed[name], packed[name + SCALE]) if name + SCALE in packed else packed[name]
        for name in tensors
    }


def pack_folder(folder: Path) -> None:
    """Pack a saved checkpoint in place: its `model.safetensors`, and its `config.json`, which says so from now on.

    Plain transformers loads it where compressed-tensors is installed; its sha256 is another one then.

    Raises:
        ValueError: as `pack`.
    """
    from safetensors.torch import load_file, save_file

    file, config, whole = folder / "model.safetensors", folder / "config.json", folder / "model.partial"
    tensors, packing = pack(load_file(file))
    save_file(tensors, whole, metadata={"format": "pt"})
    content = json.loads(config.read_text(encoding="utf-8")) | {"quantization_config": packing}
    whole.replace(file)  # what is not packed may still be read from the old one
    config.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _pack_rows(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(rows, columns) to int8 of that shape, and float32 scales (rows, 1)."""
    import torch

    largest = weight.abs().amax(dim=1, keepdim=True)
    scale = largest / LARGEST
    scale[scale == 0] = 1.0
    whole = (weight / scale).round_()
    error = (whole * scale).sub_(weight).abs_().amax(dim=1)
    # A row that was packed before comes so near that the scale it was made with is one of the next floats.
    for row in torch.nonzero((error > 0) & (error < scale[:, 0] / 1000)).flatten().tolist():
        for steps in range(-NEIGHBOURS, NEIGHBOURS + 1):
            tried = (scale[row].view(torch.int32) + steps).view(torch.float32)
            if torch.equal(whole[row] * tried, weight[row]):
                scale[row] = tried
                break
    return whole.to(torch.int8), scale
