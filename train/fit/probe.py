"""A linear probe of several blocks (Alain & Bengio 2016), written into the weights of the classifier that it reads.

What tells a fake is in the class token of some blocks, and is gone from that of the last one, which is all that a head
reads. Every block can carry a number past the others: for each activation f of these families f(x) - f(-x) = x, so
that two neurons of an MLP hand on a linear function of what it reads to the last bit of the arithmetic, in a channel
that nothing else writes or reads. The layout of the checkpoint stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from train.config import TrainConfig
from train.data import fraction
from train.fit.frozen import fit_frozen
from train.fit.model import StartingPoint
from train.fit.tokens import Missing, RowStore, TokenDataset, digest_of, fill_store
from train.pictures import RowKind
from virtus.errors import DataError
from virtus.models import MLP, Block, Classifier

HEIGHT = 4.0  # standard deviations of a token's other channels that one of the probe's margins takes
NUM_MEASURED = 256  # rows by which that is measured
NUM_FITTED = 32768  # rows, about, that a probe is fitted on: one of 26,000 carries further than one of 9,000


@dataclass(frozen=True)
class Probe:
    """Logit of fake minus real by what the last B MLPs read: the sum of weights (features - means), plus bias.

    Attributes:
        weights, means: (B, D).
        spread: standard deviation of the margins that it was fitted on.
        channel: that carries it, and has no weight.
    """

    weights: np.ndarray
    means: np.ndarray
    bias: float
    spread: float
    channel: int

    def margins(self, features: np.ndarray) -> np.ndarray:
        """(N, B, D) to (N,)."""
        return np.einsum("nbd,bd->n", features - self.means, self.weights) + self.bias


def start_from_probe(config: TrainConfig, start: StartingPoint, training: TokenDataset) -> None:
    """Fit a probe of the blocks from `cached_block` on to the training part, and write it into the classifier.

    Args:
        start: as `check_probe` takes it.
        training: tokens that enter the first of these blocks; beside them the features are kept.
    """
    classifier, names, first_block = start.classifier, _taken(training), config.cached_block
    store = _keep_features(config, classifier, training.store, names)
    features = np.stack([store[name] for name in names]).astype(np.float32)
    some = list(names)[:: max(1, len(names) // NUM_MEASURED)]
    hidden = torch.from_numpy(np.stack([training.store[name] for name in some])).float()
    channel = idlest_channel(classifier, hidden, first_block)
    probe = fit_probe(features, list(names.values()), channel, config.source_weights)
    write_probe(classifier, probe, hidden, first_block)
    margins = torch.from_numpy(probe.margins(np.stack([store[name] for name in some])))
    read_probe(classifier, probe, hidden, margins, first_block)


def _keep_features(config: TrainConfig, classifier: Classifier, tokens: RowStore, names: Iterable[str]) -> RowStore:
    """What its MLPs read of those tokens, computed where it is not kept yet; other weights have another file."""

    def read(_: Iterable[str], hidden: torch.Tensor) -> np.ndarray:
        return read_by_mlps(classifier, hidden.float(), config.cached_block).float().cpu().numpy()

    shape = (len(classifier.blocks) - config.cached_block, classifier.config.hidden_size)
    digest = digest_of([], [tensor for _, tensor in sorted(classifier.state_dict().items())])
    store = RowStore(tokens.file.with_name(f"features-{digest}.float16"), shape)
    missing = Missing(store, {name: (name,) for name in names}, tokens.__getitem__)
    fill_store(store, missing, read, classifier, bf16=config.bf16)
    return store


def _taken(training: TokenDataset) -> dict[str, RowKind]:
    """Names and kinds of the looks that the probe is fitted on: by a hash, so that runs of other rows take the same."""
    share = NUM_FITTED / (len(training) * len(training.numbers))
    looks = ((row, training.pictures.name(row, number)) for number in training.numbers for row in range(len(training)))
    return {name: training.kinds[row] for row, name in looks if fraction(f"probe {name}") < share}


def check_probe(classifier: Classifier) -> None:
    """Refuse what has no place for a probe.

    Raises:
        DataError: saying what is needed.
    """
    config = classifier.config
    plain = all(isinstance(block.mlp, MLP) and block.mlp.fc1.bias is not None for block in classifier.blocks)
    reads_class_token = config.pooling == "cls" and classifier.layernorm is not None and len(classifier.heads) == 1
    if not plain or config.layer_scale or not reads_class_token:
        raise DataError(f"probe=true needs plain MLPs and one head on a normed class token; {config.name} has none.")


def fit_probe(
    features: np.ndarray, kinds: list[RowKind], channel: int, weights: Mapping[str, int] | None = None
) -> Probe:
    """The discriminant of `fit_frozen` on (N, B, D); `channel` is left out."""
    shape, features = features.shape[1:], features.copy()
    features[:, :, channel] = 0
    fitted = fit_frozen(features.reshape(len(features), -1), kinds, weights)
    probe = Probe(fitted.weights.reshape(shape), fitted.means.reshape(shape), fitted.bias, 1.0, channel)
    return replace(probe, spread=float(probe.margins(features).std()))


@torch.no_grad()
def idlest_channel(classifier: Classifier, hidden: torch.Tensor, first_block: int) -> int:
    """The one through which least is read, by the mean square of its share in what queries, keys, values and MLPs sum.

    Args:
        hidden: tokens that enter `first_block`, (N, T, D).
    """
    shares = torch.zeros(hidden.shape[2])
    for block, before, after in _read_by_blocks(classifier, hidden, first_block):
        for read, readers in zip((before, after), _readers(block), strict=True):
            weights = torch.cat([reader.weight for reader in readers])
            shares += (read.flatten(0, 1).square().mean(dim=0) * weights.square().sum(dim=0)).cpu()
    return int(shares.argmin())


@torch.no_grad()
def write_probe(classifier: Classifier, probe: Probe, hidden: torch.Tensor, first_block: int) -> None:
    """Let the probe's channel carry a standard score of the margin, and nothing else write or read it.

    What was read of it in the mean goes into the readers' biases.
    """
    channel, reads = probe.channel, _read_by_blocks(classifier, hidden, first_block)
    levels = [[read[:, :, channel].mean() for read in (before, after)] for _, before, after in reads]
    blocks = classifier.blocks[first_block:]
    for block, levels_here, weight, mean in zip(blocks, levels, probe.weights, probe.means, strict=True):
        mlp = block.mlp
        assert isinstance(mlp, MLP)
        for level, readers in zip(levels_here, _readers(block), strict=True):
            for reader in readers:
                if reader.bias is not None:
                    reader.bias.add_(reader.weight[:, channel] * level)
                reader.weight[:, channel] = 0
        for writer in (block.attention.o_proj, mlp.fc2):
            writer.weight[channel] = 0
            if writer.bias is not None:
                writer.bias[channel] = 0
        row, centre = weight / probe.spread, (weight * mean).sum() / probe.spread
        for neuron, sign in zip(_idlest(mlp), (1, -1), strict=True):
            mlp.fc1.weight[neuron], mlp.fc1.bias[neuron] = sign * torch.from_numpy(row).float(), -sign * centre
            mlp.fc2.weight[:, neuron] = 0
            mlp.fc2.weight[channel, neuron] = sign


@torch.no_grad()
def read_probe(
    classifier: Classifier, probe: Probe, hidden: torch.Tensor, margins: torch.Tensor, first_block: int
) -> None:
    """Give the channel its height beside the others, and let the head read the margin from it.

    Args:
        hidden: tokens that enter `first_block`, (N, T, D).
        margins: what the probe says of them, (N,).
    """
    (head,), norm, channel = classifier.heads, classifier.layernorm, probe.channel
    assert norm is not None
    hidden, margins = hidden.to(head.weight.device), margins.to(head.weight.device)
    height = HEIGHT * float(classifier.run_blocks(hidden, first_block=first_block)[:, 0].std(dim=1).mean())
    for block in classifier.blocks[first_block:]:
        assert isinstance(block.mlp, MLP)
        block.mlp.fc2.weight[channel] *= height  # only the two neurons' are left
    norm.weight[channel], norm.bias[channel] = 1, 0
    carried = norm(classifier.run_blocks(hidden, first_block=first_block)[:, 0])[:, channel].double()
    columns = torch.stack([carried, torch.ones_like(carried)], dim=1)
    slope, offset = torch.linalg.lstsq(columns, margins.double()).solution.tolist()
    head.weight.zero_()
    head.weight[:, channel] = torch.tensor([-slope / 2, slope / 2])
    head.bias.copy_(torch.tensor([-offset / 2, offset / 2]))


def read_by_mlps(classifier: Classifier, hidden: torch.Tensor, first_block: int) -> torch.Tensor:
    """What the MLP of each block reads of the class token: (N, T, D) that enter `first_block` to (N, B, D)."""
    return torch.stack([after[:, 0] for _, _, after in _read_by_blocks(classifier, hidden, first_block)], dim=1)


def _read_by_blocks(
    classifier: Classifier, hidden: torch.Tensor, first_block: int
) -> Iterator[tuple[Block, torch.Tensor, torch.Tensor]]:
    """Each block, what its attention reads, (N, T, D), and its MLP: the same, in the last block of the class token."""
    rotation, hidden = classifier.rotation(), hidden.to(next(classifier.parameters()).device)
    for index, block in enumerate(classifier.blocks[first_block:], first_block + 1):
        num_tokens = 1 if index == len(classifier.blocks) else None
        before = block.layernorm_before(hidden)
        between = block.attended(hidden, before, num_tokens=num_tokens, rotation=rotation)
        after = block.layernorm_after(between)
        yield block, before, after
        if num_tokens is None:
            hidden = between + block.mlp(after)


def _readers(block: Block) -> tuple[list[nn.Linear], list[nn.Linear]]:
    """What reads behind each of its two norms."""
    attention, mlp = block.attention, block.mlp
    assert isinstance(mlp, MLP)
    return [attention.q_proj, attention.k_proj, attention.v_proj], [mlp.fc1]


def _idlest(mlp: MLP) -> list[int]:
    """The two neurons that do least, by the lengths of their weights."""
    return (mlp.fc1.weight.norm(dim=1) * mlp.fc2.weight.norm(dim=0)).argsort()[:2].tolist()
