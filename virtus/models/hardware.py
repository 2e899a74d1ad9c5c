"""Where and how precisely to compute."""

from __future__ import annotations

import torch

from virtus.errors import InputError
from virtus.models.architecture import PRECISIONS
from virtus.models.int8 import multiplies_exactly

LEAST_INT8_WIDTH = 768  # of tokens: at 192 what int8 saves is less than what writing them in it costs


def resolve_device(name: str = "auto") -> torch.device:
    """`auto` is CUDA, then MPS, then the CPU; other names as torch has them ("cuda:1").

    Raises:
        InputError: for a device that this machine does not have.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except Exception as exc:  # each backend raises its own kind
        raise InputError(f"There is no device {name!r} here. Use auto or cpu.") from exc
    return device


def resolve_precision(name: str, device: torch.device, *, width: int) -> str:
    """`auto` is bfloat16 where the hardware multiplies such matrices faster, else int8 where that is, else float32.

    Args:
        width: of the model's tokens: int8 is faster only for wide ones.

    Raises:
        InputError: for a precision that there is not, or not here.
    """
    if name not in PRECISIONS:
        raise InputError(f"There is no precision {name!r}. Use one of {', '.join(PRECISIONS)}.")
    if name == "int8" and not has_int8_units(device):
        raise InputError(
            "int8 needs a CPU with AVX512-VNNI or AVX-VNNI, and the CPU as device. Use auto or float32 instead."
        )
    if name != "auto":
        return name
    if has_bfloat16_units(device):
        return "bfloat16"
    return "int8" if width >= LEAST_INT8_WIDTH and has_int8_units(device) else "float32"


def has_bfloat16_units(device: torch.device) -> bool:
    """CUDA from Ampere on; CPUs with AMX, or with AVX512-BF16 (measured: 4 times float32's matrix rate on Zen 5)."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
    return False


def has_int8_units(device: torch.device) -> bool:
    """CPUs with AVX512-VNNI or AVX-VNNI, where oneDNN may use them."""
    if device.type != "cpu":
        return False
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_vnni") or capabilities.get("avx_vnni")) and multiplies_exactly()


def crops_at_once(device: torch.device) -> int:
    """How many go through a model together: on a CPU few, so that what is between two layers stays in its cache."""
    return 4 if device.type == "cpu" else 64
