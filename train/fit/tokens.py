"""PatchDropout (Liu et al. 2022, arXiv:2208.07220): a training step sees some of the patches of each picture."""

from __future__ import annotations

import torch
from transformers import PreTrainedModel


def drop_tokens(model: PreTrainedModel, keep: float) -> None:
    """From now on `model` keeps `keep` of the patch tokens while it trains, and all of them in evaluation.

    They are dropped after the position embeddings were added, so that each of the others knows its place; class and
    distillation tokens stay. What is saved is the same model as without it.
    """
    num_patches = model.base_model.embeddings.patch_embeddings.num_patches
    num_kept = max(1, round(keep * num_patches))

    def drop(module: torch.nn.Module, _, tokens: torch.Tensor) -> torch.Tensor:
        if not module.training:
            return tokens
        num_prefix = tokens.shape[1] - num_patches
        order = torch.rand(len(tokens), num_patches, device=tokens.device).argsort(1)[:, :num_kept] + num_prefix
        prefix = torch.arange(num_prefix, device=tokens.device).expand(len(tokens), -1)
        kept = torch.cat([prefix, order], 1)
        return tokens.gather(1, kept[:, :, None].expand(-1, -1, tokens.shape[2]))

    model.base_model.embeddings.register_forward_hook(drop)
