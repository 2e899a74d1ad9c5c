"""Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391), by pytorch-grad-cam."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from virtus.detector import TrunkState


def gradcam(state: TrunkState, targets: Sequence[int]) -> np.ndarray:
    """ReLU of the activations weighted by the mean gradient of the target's logit, at the last block's first norm.

    That norm is the last place where the patches still reach the head: after the last attention only the head's own
    token does, and the map would be all zero. Only the tail is differentiated, without hooks, so threads may share a
    model.

    Args:
        targets: index in the logits for each crop.

    Returns:
        (N, grid_h, grid_w), float32, not negative; all 0 where nothing speaks for the target.
    """
    from pytorch_grad_cam import GradCAM  # it loads matplotlib and scikit-learn

    activations, gradients = (_on_grid(state, tokens) for tokens in tail_gradients(state, targets))
    cam = GradCAM(model=state.trunk.model, target_layers=[])
    maps = cam.get_cam_image(None, None, None, activations, gradients, False)
    return np.maximum(maps, 0).astype(np.float32)


def tail_gradients(state: TrunkState, targets: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Activations at `Trunk.tail_norm` and the gradient of each crop's target logit there, both (N, T, D)."""
    with torch.inference_mode(False), torch.enable_grad():
        hidden = state.tail_input.clone()  # a tensor made in inference mode cannot be differentiated; its copy can
        normed = state.trunk.tail_norm(hidden).detach().requires_grad_()
        logits = state.trunk.tail(hidden, normed)
        wanted = logits.gather(1, torch.tensor(list(targets), device=logits.device).view(-1, 1))
        (gradients,) = torch.autograd.grad(wanted.sum(), normed)
    return normed.detach(), gradients


def _on_grid(state: TrunkState, tokens: torch.Tensor) -> np.ndarray:
    """Tokens (N, T, D) to their patches as (N, D, grid_h, grid_w)."""
    patches = tokens[:, state.trunk.num_prefix_tokens :].transpose(1, 2)
    return patches.reshape(*patches.shape[:2], *state.trunk.grid_size).float().cpu().numpy()
