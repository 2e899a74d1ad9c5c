"""A classifier in minutes: a linear discriminant on class tokens of a base's last blocks, which stay as they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from train.config import TrainConfig
from train.fit.model import StartingPoint
from train.fit.tokens import RowStore, TokenDataset, digest_of, fill_by
from train.pictures import FaceDataset, RowKind
from virtus.checkpoints import feature_of
from virtus.results import Label

NUM_BLOCKS = 4
RIDGE = 0.1  # of features of variance 1
SOURCES_COUNT = {Label.REAL: 3.0, Label.FAKE: 0.3}  # how much differences between strata do, beside those within them


class FrozenBase:
    """Features of pictures, computed once for each and kept.

    Args:
        kept: folder for them.
    """

    def __init__(self, config: TrainConfig, start: StartingPoint, *, kept: Path):
        self.config, self.start = config, start
        self.num_blocks = min(NUM_BLOCKS, len(start.classifier.blocks))
        settings = [config.data, self.num_blocks, asdict(config.augmentation), start.transform.to_config()]
        tensors = [tensor for _, tensor in sorted(start.classifier.state_dict().items())]
        shape = (self.num_blocks, start.classifier.config.hidden_size)
        self.store = RowStore(kept / digest_of(settings, tensors) / "features.float16", shape)

    def features(self, pictures: FaceDataset, *, clean_looks: bool = False) -> np.ndarray:
        """The class token, or where there is none the patches' mean, behind the last blocks: float32 (N, blocks, D).

        Args:
            pictures: of a training set its first draw; with `clean_looks` degraded, and behind these all clean.
        """
        config = self.config
        tokens = TokenDataset(pictures, self.store, clean_looks=clean_looks)
        fill_by(self._leave, tokens, self.start.classifier, bf16=config.bf16, num_workers=config.num_workers)
        rows = [self.store[pictures.name(row, number)] for number in tokens.numbers for row in range(len(pictures))]
        return np.stack(rows).astype(np.float32) if rows else np.empty((0, *self.store.shape), np.float32)

    def _leave(self, _: Sequence[str], pixel_values: torch.Tensor) -> np.ndarray:
        classifier = self.start.classifier
        hidden, rotation, kept = classifier.embed(pixel_values), classifier.rotation(), []
        num_prefix = classifier.config.num_prefix_tokens
        for layer in classifier.blocks:
            hidden = layer(hidden, rotation=rotation)
            kept = [*kept, feature_of(hidden, num_prefix, "class" if num_prefix else "patches")][-self.num_blocks :]
        return torch.stack(kept, dim=1).float().cpu().numpy()


@dataclass(frozen=True)
class Discriminant:
    """Logit of fake minus real: a linear function of features.

    Attributes:
        weights, means: (F,); at the means the logit is `bias`.
    """

    weights: np.ndarray
    means: np.ndarray
    bias: float

    def margins(self, features: np.ndarray) -> np.ndarray:
        """(N, F) to (N,), above 0 for fake."""
        return (features - self.means) @ self.weights + self.bias


def fit_frozen(
    features: np.ndarray, kinds: Sequence[RowKind], weights: Mapping[str, int] | None = None
) -> Discriminant:
    """Fit Fisher's discriminant that takes what tells one source from another for noise.

    Logistic regression finds whatever parts the pictures that it is shown, and much of that is how sources differ. Here
    the scatter is that within the strata, their mean, plus that between those of a class: of reals more, for how they
    differ says nothing of a fake; of fakes less, for kinds differ by what gives them away (within-class covariance
    normalisation, Hatch, Kajarekar, Stolcke 2006; the ridge after Friedman 1989).

    Args:
        features: (N, F).
        kinds: of each row, of both classes some.
        weights: of strata in the mean of their class, as in `BalancedSampler`; 1 where one is not named, none at 0.
    """
    weights = weights or {}
    means, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    spread[spread == 0] = 1  # a feature that is always the same
    rows = {label: _rows_by_stratum(kinds, label, weights) for label in Label}
    num_strata, centres = sum(map(len, rows.values())), dict[Label, np.ndarray]()
    scatter = RIDGE * np.eye(features.shape[1])
    for label, of_class in rows.items():
        strata = [(features[members] - means) / spread for members in of_class.values()]
        middles = np.stack([stratum.mean(axis=0) for stratum in strata])
        centres[label] = np.average(middles, axis=0, weights=[weights.get(stratum, 1) for stratum in of_class])
        apart = middles - centres[label]
        scatter += SOURCES_COUNT[label] * apart.T @ apart / len(apart)
        for stratum in strata:
            scatter += np.cov(stratum, rowvar=False, bias=True) / num_strata
    slopes = np.linalg.solve(scatter, centres[Label.FAKE] - centres[Label.REAL])
    bias = -slopes @ (centres[Label.FAKE] + centres[Label.REAL]) / 2
    return Discriminant(slopes / spread, means, float(bias))


def _rows_by_stratum(kinds: Sequence[RowKind], label: Label, weights: Mapping[str, int]) -> dict[str, list[int]]:
    rows = defaultdict[str, list[int]](list)
    for row, kind in enumerate(kinds):
        if kind.label is label and weights.get(kind.stratum, 1):
            rows[kind.stratum].append(row)
    return dict(rows)
