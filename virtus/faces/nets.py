"""The three nets of MTCNN (Zhang et al. 2016), with the weights that lie in facenet-pytorch's wheel.

The package itself is not imported: it brings torchvision, which takes longer to import than torch.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import nn

PACKAGE = "facenet_pytorch"


class Net(nn.Module):
    """Layers one after the other, then heads side by side, of which the first gives logits of no face and face."""

    def __init__(self, layers: dict[str, nn.Module], heads: dict[str, nn.Module]):
        super().__init__()
        self._layers, self._heads = tuple(layers), tuple(heads)
        for name, module in (layers | heads).items():
            self.add_module(name, module)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, 3, H, W), values in [-1, 1], to what the other heads give, then probabilities (N, 2, ...)."""
        values = pictures
        for name in self._layers:
            layer = getattr(self, name)
            if isinstance(layer, nn.Linear) and values.ndim == 4:
                values = values.permute(0, 3, 2, 1).flatten(1)  # trained by a library that counts columns first
            values = layer(values)
        logits, *others = (getattr(self, name)(values) for name in self._heads)
        return *others, logits.softmax(dim=1)


def proposing_net() -> Net:
    """Looks at every window of 12 pixels: offsets of the box (N, 4, H', W')."""
    layers = _convolutions([3, 10, 16, 32], kernels=(3, 3, 3), pools=(2,))
    return _with_weights(Net(layers, {"conv4_1": nn.Conv2d(32, 2, 1), "conv4_2": nn.Conv2d(32, 4, 1)}), "pnet")


def refining_net() -> Net:
    """Looks at 24x24 pixels: offsets (N, 4)."""
    layers = _convolutions([3, 28, 48, 64], kernels=(3, 3, 2), pools=(3, 3))
    layers |= {"dense4": nn.Linear(576, 128), "prelu4": nn.PReLU(128)}
    return _with_weights(Net(layers, {"dense5_1": nn.Linear(128, 2), "dense5_2": nn.Linear(128, 4)}), "rnet")


def output_net() -> Net:
    """Looks at 48x48 pixels: offsets (N, 4), and landmarks (N, 10), all x and then all y."""
    layers = _convolutions([3, 32, 64, 64, 128], kernels=(3, 3, 3, 2), pools=(3, 3, 2))
    layers |= {"dense5": nn.Linear(1152, 256), "prelu5": nn.PReLU(256)}
    heads = {"dense6_1": nn.Linear(256, 2), "dense6_2": nn.Linear(256, 4), "dense6_3": nn.Linear(256, 10)}
    return _with_weights(Net(layers, heads), "onet")


def _convolutions(channels: list[int], *, kernels: tuple[int, ...], pools: tuple[int, ...]) -> dict[str, nn.Module]:
    """A convolution and its PReLU for each kernel; after the first ones, a pool."""
    found: dict[str, nn.Module] = {}
    for at, kernel in enumerate(kernels):
        found[f"conv{at + 1}"] = nn.Conv2d(channels[at], channels[at + 1], kernel)
        found[f"prelu{at + 1}"] = nn.PReLU(channels[at + 1])
        if at < len(pools):
            found[f"pool{at + 1}"] = nn.MaxPool2d(pools[at], 2, ceil_mode=True)
    return found


def _with_weights(net: Net, name: str) -> Net:
    (folder,) = importlib.util.find_spec(PACKAGE).submodule_search_locations
    net.load_state_dict(torch.load(Path(folder) / "data" / f"{name}.pt", weights_only=True))
    return net.eval().requires_grad_(False)
