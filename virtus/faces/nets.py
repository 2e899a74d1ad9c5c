"""MTCNN's three nets (Zhang et al. 2016), with the weights that lie in facenet-pytorch's wheel.

The channels of a pixel lie side by side in memory, and what stands between the first convolutions runs over whole rows
of them: torch's own PReLU and max pool took a third of the first net's time. The package itself is not imported: it
brings torchvision, which takes longer to import than torch.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

PACKAGE = "facenet_pytorch"  # in its wheel lie the weights
AnyNet = TypeVar("AnyNet", bound=nn.Module)
Seams = Sequence[tuple[int, int, int]]
"""Left column (even), width and height of each of several pictures side by side."""
STRIP_PIXELS, STRIP_ROWS = (
    24_000,
    74,
)  # looked at together: at most, but so many rows; a core's cache holds their values
STRIDE, WINDOW = 2, 12  # pixels of the scaled picture, of the first net


class Convolutions(nn.Module):
    """Convolutions without a border, each with its PReLU, and after the first ones a max pool of stride 2."""

    def __init__(self, channels: Sequence[int], *, kernels: Sequence[int], pools: Sequence[int]):
        super().__init__()
        self._pools = (*pools, *[0] * (len(kernels) - len(pools)))
        for at, kernel in enumerate(kernels):
            self.add_module(f"conv{at + 1}", nn.Conv2d(channels[at], channels[at + 1], kernel))
            self.add_module(f"prelu{at + 1}", nn.PReLU(channels[at + 1]))

    def convolve(self, pictures: Tensor, seams: Seams = ()) -> Tensor:
        """(N, H, W, 3), values in [-1, 1], to (N, H', W', C)."""
        values = pictures
        for at, window in enumerate(self._pools, 1):
            values = self.get_submodule(f"conv{at}")(values.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
            values = rectified(values, self.get_parameter(f"prelu{at}.weight"))
            if at == 1:
                _cut_apart(values, seams)
            if window:
                values = pooled(values, window) if at == 1 else _pooled_small(values, window)
        return values


class ProposingNet(Convolutions):
    """Looks at every window of 12 pixels, two pixels apart."""

    def __init__(self) -> None:
        super().__init__([3, 10, 16, 32], kernels=(3, 3, 3), pools=(2,))
        self.conv4_1, self.conv4_2 = nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)

    def forward(self, picture: Tensor, seams: Seams = ()) -> tuple[Tensor, Tensor]:
        """(H, W, 3) to what it sees of each window, (H', W', 32), and the probability of a face (H', W').

        With `seams` what it sees of windows inside of each of the pictures side by side is what it would see in that
        picture alone.
        """
        rows = max(STRIP_ROWS, STRIP_PIXELS // picture.shape[1] // STRIDE * STRIDE)
        tops = range(0, max(len(picture) - WINDOW + STRIDE, STRIDE), rows - WINDOW + STRIDE)
        strips = (
            (picture[None, top : top + rows], [(x, width, height - top) for x, width, height in seams]) for top in tops
        )
        values = torch.cat([self.convolve(*strip)[0] for strip in strips])
        return values, probability(functional.linear(values, self.conv4_1.weight.flatten(1), self.conv4_1.bias))

    def offsets(self, values: Tensor) -> Tensor:
        """(N, 32) of some windows to (N, 4): where the face's box lies, in sides of the window."""
        return functional.linear(values, self.conv4_2.weight.flatten(1), self.conv4_2.bias)


class LookingNet(Convolutions):
    """Looks at cut-outs of one size, each as a whole."""

    def __init__(self, channels: Sequence[int], widths: Sequence[int], *, kernels: Sequence[int], pools: Sequence[int]):
        """Take `widths` behind the convolutions: of what comes in, of what the heads see, of what each head says."""
        super().__init__(channels, kernels=kernels, pools=pools)
        layer, (num_inputs, width, *heads) = len(kernels) + 1, widths
        self._layers = f"dense{layer}", f"prelu{layer}"
        self._heads = tuple(f"dense{layer + 1}_{at + 1}" for at in range(len(heads)))
        modules = (nn.Linear(num_inputs, width), nn.PReLU(width), *(nn.Linear(width, count) for count in heads))
        for name, module in zip(self._layers + self._heads, modules, strict=True):
            self.add_module(name, module)

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """(N, side, side, 3) to the probabilities (N,), then what the other heads say, (N, 4) offsets first."""
        values = self.convolve(pictures).transpose(1, 2).flatten(1)  # trained by a library that counts columns first
        for name in self._layers:
            values = self.get_submodule(name)(values)
        logits, *others = (self.get_submodule(name)(values) for name in self._heads)
        return probability(logits), *others


def _cut_apart(values: Tensor, seams: Seams) -> None:
    """Hide from a pool what lies behind the last row and column of each picture: windows of 3 pixels on its edge."""
    for left, width, height in seams:
        values[:, max(height - 2, 0) : max(height - 1, 0), left : left + width] = -torch.inf
        values[:, : max(height, 0), left + width - 2 : left + width - 1] = -torch.inf


def rectified(values: Tensor, slopes: Tensor) -> Tensor:
    """PReLU of (N, H, W, C) by the slopes (C,) of negative values, over whole rows."""
    rows = values.flatten(2).flatten(0, 1)
    return functional.prelu(rows, slopes.expand(values.shape[2], -1).flatten()).view_as(values)


def pooled(values: Tensor, window: int) -> Tensor:
    """Max pool of (N, H, W, C) by a window of 2 or 3, stride 2, the last one perhaps smaller. Overwrites `values`."""
    for dim in (1, 2):
        start = (slice(None),) * dim
        even, odd = values[*start, ::2], values[*start, 1::2]
        if window == 3:
            _raise(odd, even[*start, 1:], dim)
            even = even.narrow(dim, 0, odd.shape[dim])
        _raise(even, odd, dim)
        values = even
    return values.contiguous()


def _pooled_small(values: Tensor, window: int) -> Tensor:
    """The same of few values, where torch's own is faster."""
    return functional.max_pool2d(values.permute(0, 3, 1, 2), window, 2, ceil_mode=True).permute(0, 2, 3, 1)


def _raise(values: Tensor, others: Tensor, dim: int) -> None:
    """To those of the others that are larger; of what is longer, the end is left alone."""
    count = min(values.shape[dim], others.shape[dim])
    values, others = values.narrow(dim, 0, count), others.narrow(dim, 0, count)
    torch.maximum(values, others, out=values)


def probability(logits: Tensor) -> Tensor:
    """(..., 2) logits of no face and face to the probability of a face (...)."""
    return (logits[..., 1] - logits[..., 0]).sigmoid()


def proposing_net() -> ProposingNet:
    return _with_weights(ProposingNet(), "pnet")


def refining_net() -> LookingNet:
    """Looks at 24x24 pixels."""
    return _with_weights(LookingNet([3, 28, 48, 64], [576, 128, 2, 4], kernels=(3, 3, 2), pools=(3, 3)), "rnet")


def output_net() -> LookingNet:
    """Looks at 48x48 pixels; a second head gives landmarks (N, 10), all x and then all y."""
    net = LookingNet([3, 32, 64, 64, 128], [1152, 256, 2, 4, 10], kernels=(3, 3, 3, 2), pools=(3, 3, 2))
    return _with_weights(net, "onet")


def _with_weights(net: AnyNet, name: str) -> AnyNet:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{PACKAGE}, whose wheel holds MTCNN's weights, is not installed")
    net.load_state_dict(torch.load(Path(spec.origin).parent / "data" / f"{name}.pt", weights_only=True))
    return net.eval().requires_grad_(False).to(memory_format=torch.channels_last)
