"""A classifier in minutes: logistic regression on class tokens of a base's last blocks, which stay as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from train.config import TrainConfig
from train.fit.model import StartingPoint
from train.fit.tokens import RowStore, TokenDataset, digest_of, fill_by
from train.pictures import FaceDataset, RowKind
from virtus.checkpoints import feature_of
from virtus.results import Label

NUM_BLOCKS = 4
STRENGTH = 0.01  # scikit-learn's C, on features of variance 1


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

    def _leave(self, pixel_values: torch.Tensor) -> np.ndarray:
        classifier = self.start.classifier
        hidden, rotation, kept = classifier.embed(pixel_values), classifier.rotation(), []
        num_prefix = classifier.config.num_prefix_tokens
        for layer in classifier.blocks:
            hidden = layer(hidden, rotation=rotation)
            kept = [*kept, feature_of(hidden, num_prefix, "class" if num_prefix else "patches")][-self.num_blocks :]
        return torch.stack(kept, dim=1).float().cpu().numpy()


def fit_frozen(features: np.ndarray, kinds: Sequence[RowKind], weights: Mapping[str, int] | None = None) -> Pipeline:
    """Logistic regression from features (N, F); `decision_function` gives margins, above 0 for fake.

    Args:
        kinds: of each row, of both classes some.
        weights: of strata, as `weigh` takes them.
    """
    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=500))
    is_fake = [kind.label is Label.FAKE for kind in kinds]
    return model.fit(features, is_fake, logisticregression__sample_weight=weigh(kinds, weights or {}))


def weigh(kinds: Sequence[RowKind], weights: Mapping[str, int]) -> np.ndarray:
    """Of each row, (N,), 1 in the mean: each class half of all, within it each stratum as much as another.

    Args:
        weights: how many times as much a stratum counts, as in `BalancedSampler`.
    """
    sizes = Counter((kind.label, kind.stratum) for kind in kinds)
    strata = Counter[Label]()
    for label, stratum in sizes:
        strata[label] += weights.get(stratum, 1)
    shares = {
        (label, stratum): weights.get(stratum, 1) / (size * strata[label] * len(strata))
        for (label, stratum), size in sizes.items()
    }
    return np.array([shares[kind.label, kind.stratum] for kind in kinds]) * len(kinds)
