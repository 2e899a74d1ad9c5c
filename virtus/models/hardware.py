"""Where and how precisely to compute."""

from __future__ import annotations

import torch

from virtus.errors import InputError

PRECISIONS = ("auto", "float32", "bfloat16")


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


def resolve_precision(name: str, device: torch.device) -> torch.dtype:
    """`auto` is bfloat16 where the hardware multiplies such matrices faster, else float32."""
    if name not in PRECISIONS:
        raise InputError(f"There is no precision {name!r}. Use one of {', '.join(PRECISIONS)}.")
    if name == "auto":
        name = "bfloat16" if has_bfloat16_units(device) else "float32"
    return getattr(torch, name)


def has_bfloat16_units(device: torch.device) -> bool:
    """CUDA from Ampere on; CPUs with AMX, or with AVX512-BF16 (measured: 4 times float32's matrix rate on Zen 5)."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
    return False


def crops_at_once(device: torch.device) -> int:
    """How many go through a model together: on a CPU few, so that what is between two layers stays in its cache."""
    return 4 if device.type == "cpu" else 64
