"""Class activation maps by pytorch-grad-cam, and the signed evidence that is their kin.

All look at the first norm of one block, the last by default: the last place where the patches reach the head whatever
it pools. After the last attention only the class token does where the head reads that alone, and every map would be 0;
where it reads the mean of the patches, or what a learned query attends to, they still go through one more block from
here. pytorch-grad-cam is handed activations and gradients; it puts no hooks on the model, so threads may share it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from virtus.checkpoints import TrunkState
from virtus.explain.gradients import block_index, norm_gradients
from virtus.results import Label


def cam(name: str) -> Callable[..., np.ndarray]:
    """A method of the family by the name of its class in `pytorch_grad_cam`."""

    def compute(state: TrunkState, targets: Sequence[Label], *, layer: int = -1) -> np.ndarray:
        """(N, grid_h, grid_w), float32, not negative: what speaks against the target is 0."""
        maps = _by_library(name, state, *norm_gradients(state, targets, layer=layer))
        return np.maximum(maps, 0)

    return compute


gradcam = cam("GradCAM")
gradcam_plus_plus = cam("GradCAMPlusPlus")
layercam = cam("LayerCAM")
hirescam = cam("HiResCAM")


def eigencam(state: TrunkState, _targets: Sequence[Label | None] = (), *, layer: int = -1) -> np.ndarray:
    """Projection of each patch on the first principal component of all (Muhammad & Yeasin 2020, arXiv:2008.00299).

    A component has no sign of its own. pytorch-grad-cam takes what the SVD happens to give; here the side that reaches
    further from the mean is the positive one (Chung & Ying 2025, doi:10.3390/app15137562, Eq. 13), the other is 0.

    Returns:
        (N, grid_h, grid_w), float32, not negative.
    """
    index = block_index(state, layer)
    with torch.inference_mode():
        normed = state.trunk.first_norm(index, state.block_inputs[index])
    maps = _by_library("EigenCAM", state, normed, normed)
    turned = -maps.min(axis=(1, 2), keepdims=True) > maps.max(axis=(1, 2), keepdims=True)
    return np.maximum(np.where(turned, -maps, maps), 0)


def evidence(state: TrunkState, _targets: Sequence[Label | None] = (), *, layer: int = -1) -> np.ndarray:
    """Gradient of the margin (see `margins_of`) times activation, summed over channels.

    To first order, what each patch adds to the margin: HiResCAM (Draelos & Carin 2020, arXiv:2011.08891) of the margin,
    with what it cuts off. Nothing is scaled, so values of one checkpoint can be compared between photos.

    Returns:
        (N, grid_h, grid_w), float32, in logits: above 0 speaks for fake, below 0 for real.
    """
    activations, gradients = norm_gradients(state, [Label.FAKE] * len(state), layer=layer)
    return _on_grid(state, (activations * gradients).sum(dim=-1, keepdim=True))[:, 0]


def _by_library(name: str, state: TrunkState, activations: torch.Tensor, gradients: torch.Tensor) -> np.ndarray:
    import pytorch_grad_cam  # it loads matplotlib and scikit-learn

    method = getattr(pytorch_grad_cam, name)(model=state.trunk.model, target_layers=[])
    on_grids = _on_grid(state, activations), _on_grid(state, gradients)
    return method.get_cam_image(None, None, None, *on_grids, False).astype(np.float32)


def _on_grid(state: TrunkState, tokens: torch.Tensor) -> np.ndarray:
    """Tokens (N, T, D) to their patches as (N, D, grid_h, grid_w), float32."""
    patches = tokens[:, state.trunk.num_prefix_tokens :].transpose(1, 2)
    return patches.unflatten(2, state.trunk.grid_size).float().cpu().numpy()
