"""A classifier at work.

Blocks are run one by one and without hooks, so that several threads can share a model. The residual stream and the
layer norms stay in float32; attention and MLP of all blocks but the last run in the compute dtype; the last block, the
final norm, the pooling and the head (the "tail") are float32 because explanations differentiate them.

In int8 a pass through those blocks that nothing looks into or differentiates is by `Int8Block`: that of a verdict, from
whose tokens every explanation starts. What looks into a block or differentiates it computes in float32, with the same
weights.
"""

from __future__ import annotations

import torch

from virtus.models.int8 import Int8Block
from virtus.models.vit import Classifier


class Trunk:
    """A frozen classifier on one device.

    Args:
        precision: of `virtus.models.architecture.PRECISIONS`, but for `auto`.

    Attributes:
        precision: by which it judges.
        dtype: of the weights of its blocks.
        num_prefix_tokens: tokens that are no patches, before them: class, distillation and register tokens.
        num_outputs: how many of the first tokens that leave the last block the head reads; all if None.
        num_heads: of each block's attention.
        grid_size: (grid_h, grid_w) of the patches.
    """

    def __init__(self, model: Classifier, *, device: torch.device, precision: str = "float32"):
        self.model = model.eval().requires_grad_(False).to(device)
        self.device, self.precision = device, precision
        self.dtype = torch.float32 if precision == "int8" else getattr(torch, precision)
        config, self.blocks = model.config, model.blocks
        self.num_prefix_tokens, self.num_outputs = config.num_prefix_tokens, model.num_outputs
        self.num_heads, self.grid_size = config.num_attention_heads, config.grid_size
        for block in self.blocks[:-1]:
            block.attention.to(self.dtype)
            block.mlp.to(self.dtype)
        self._int8_blocks = [Int8Block(block) for block in self.blocks[:-1]] if precision == "int8" else []

    def embed(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) to tokens (N, T, D), float32."""
        on_gpu = self.device.type == "cuda"
        if on_gpu and pixel_values.device.type == "cpu":
            pixel_values = pixel_values.pin_memory()  # from there the copy runs beside what the GPU still does
        return self.model.embed(pixel_values.to(self.device, torch.float32, non_blocking=on_gpu))

    def first_norm(self, index: int, hidden: torch.Tensor) -> torch.Tensor:
        """What a block's attention reads, (N, T, D). The last block's: where patches still reach every head."""
        return self.blocks[index].layernorm_before(hidden)

    def run_block(
        self,
        index: int,
        hidden: torch.Tensor,
        normed: torch.Tensor | None = None,
        *,
        attention: torch.Tensor | None = None,
        num_tokens: int | None = None,
        kept: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """One block on tokens (N, T, D).

        Args:
            normed: replaces what the block's first norm gives: a place to differentiate at.
            attention: replaces what `attention` gives: another such place.
            num_tokens: how many of the first tokens are wanted; all by default.
            kept: which of all tokens each of these is, (N, T); all of them by default.
        """
        looked_into = normed is not None or attention is not None or num_tokens is not None
        if index < len(self._int8_blocks) and not looked_into and not torch.is_grad_enabled():
            return self._int8_blocks[index](hidden, self.model.rotation(kept))
        return self.blocks[index](
            hidden,
            normed,
            attention=attention,
            num_tokens=num_tokens,
            rotation=self.model.rotation(kept),
        )

    def attention(self, index: int, normed: torch.Tensor, *, num_tokens: int | None = None) -> torch.Tensor:
        """softmax(Q K^T / sqrt(d)) of a block from what its first norm gives, float32.

        By hand, for explanations look at it: torch's kernel, by which blocks attend, does not hold it.

        Returns:
            (N, num_heads, T, T); with `num_tokens` only the rows of so many first tokens.
        """
        scores = self.blocks[index].attention.scores(normed, num_tokens, self.model.rotation())
        return torch.softmax(scores, dim=-1, dtype=torch.float32)

    def tail(self, hidden: torch.Tensor, normed: torch.Tensor | None = None) -> torch.Tensor:
        """Tokens that enter the last block (N, T, D) to logits (N, num_labels), float32."""
        return self.finish(self.run_block(len(self.blocks) - 1, hidden, normed, num_tokens=self.num_outputs))

    def finish(self, hidden: torch.Tensor, pooling: torch.Tensor | None = None) -> torch.Tensor:
        """Tokens that leave the last block, at least those that the head reads, to logits (N, num_labels), float32.

        Args:
            pooling: replaces what `pooling` gives where a learned query attends to the tokens.
        """
        return self.model.finish(hidden, pooling)

    def pooling(self, hidden: torch.Tensor) -> torch.Tensor:
        """How much each token that leaves the last block counts in what the heads read: see `Classifier.pooling`."""
        return self.model.pooling(hidden)

    def logits(self, hidden: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Tokens as `embed` gives them (N, T, D), mixed or some of such, to logits (N, num_labels), float32.

        Args:
            kept: which of all tokens each of these is, (N, T); all of them by default.
        """
        last = len(self.blocks) - 1
        for index in range(last + 1):
            num_tokens = self.num_outputs if index == last else None
            hidden = self.run_block(index, hidden, num_tokens=num_tokens, kept=kept)
        return self.finish(hidden)
