"""How far a face lies from those that a checkpoint was made for: a distance in the trunk's features.

The distance is Mahalanobis's, of the mean patch token half-way up the trunk, from the training pictures' own mean (Lee
et al. 2018, arXiv:1807.03888, without their classes), with a shrunk covariance (Ledoit and Wolf 2004). Block and
statistic were chosen by measurement: docs/benchmarks.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from virtus.checkpoints.sidecar import read_sidecar, write_sidecar
from virtus.errors import CheckpointError, DataError
from virtus.files import write_whole

FILE = "novelty.safetensors"
DEPTH = 5 / 12  # of the trunk: lower blocks know colours more than faces, higher ones only what tells real from fake
MAX_UNFAMILIAR = 0.02  # of the ordinary pictures of any source
MIN_PICTURES = 100  # held out: with fewer no bound on so rare an error says anything
MIN_OF_SOURCE = 20
MAX_DISTANCE = 1e9  # beyond it nothing would be unfamiliar
MAX_NUMBERS = 100_000  # in the whitening matrix: it goes into every clone


@dataclass(frozen=True)
class Novelty:
    """What the training pictures' features were like.

    Attributes:
        block: of the trunk: the tokens that enter it are looked at.
        mean: (D,), float32.
        whitening: (D, K), float32: K directions, each divided by the standard deviation along it.
        threshold: the distance from which a face is unlike them.
        num_pictures: that the threshold was fitted on.
        token: what is looked at of these tokens: the mean of the "patches", or the first one, "class".
    """

    block: int
    mean: torch.Tensor
    whitening: torch.Tensor
    threshold: float
    num_pictures: int = 0
    token: str = "patches"

    def measure(self, hidden: torch.Tensor, num_prefix_tokens: int = 0) -> list[float]:
        """Tokens that enter the block, (N, T, D), to N distances as shares of the threshold."""
        offset = feature_of(hidden, num_prefix_tokens, self.token) - self.mean.to(hidden.device)
        return ((offset @ self.whitening.to(offset.device)).norm(dim=1) / self.threshold).tolist()

    def digest(self) -> str:
        """Eight hexadecimal digits, the same for those that measure alike."""
        digest = hashlib.sha256(f"{self.block} {self.token} {self.threshold}".encode())
        for part in (self.mean, self.whitening):
            digest.update(part.cpu().numpy().tobytes())
        return digest.hexdigest()[:8]


def feature_of(hidden: torch.Tensor, num_prefix_tokens: int, token: str = "patches") -> torch.Tensor:
    """What the distance is of: (N, D) float32 from tokens (N, T, D)."""
    return hidden[:, 0].float() if token == "class" else hidden[:, num_prefix_tokens:].float().mean(1)


def block_of(num_blocks: int) -> int:
    """Where a trunk of so many blocks is looked at."""
    return round(num_blocks * DEPTH)


def fit_novelty(
    block: int,
    features: np.ndarray,
    held_out: np.ndarray,
    sources: Sequence[str] | None = None,
    token: str = "patches",
) -> Novelty:
    """Fit mean and covariance on training pictures, and the threshold on others.

    The threshold is conformal (Vovk et al. 2005): of new ordinary pictures of any of the sources, 2 % lie above it.

    Args:
        block: whose inputs the features are.
        features: (N, D), by `feature_of`, of training pictures, ordinary degradations among them.
        held_out: (M, D), of pictures that neither trained nor chose.
        sources: where each of these is from; those with fewer than 20 pictures count with the rest only.

    Raises:
        DataError: with fewer than 100 pictures of either.
    """
    if min(len(features), len(held_out)) < MIN_PICTURES:
        raise DataError(
            f"Novelty needs {MIN_PICTURES} faces to train and {MIN_PICTURES} to calibrate: add some pictures."
        )
    mean, whitening = _whiten(np.asarray(features, np.float64))
    distances = np.linalg.norm((held_out - mean) @ whitening, axis=1)
    threshold = _threshold(distances, np.asarray(sources if sources is not None else ["all"] * len(distances)))
    mean, whitening = (torch.from_numpy(part.astype(np.float32)) for part in (mean, whitening))
    return Novelty(block, mean, whitening, threshold, len(held_out), token)


def store_novelty(folder: Path, novelty: Novelty, *, sha256: str) -> None:
    """Write it beside the weights of that sha256; whatever else `virtus.json` says stays."""
    from safetensors.torch import save

    tensors = {"mean": novelty.mean, "whitening": novelty.whitening.contiguous()}
    write_whole(folder / FILE, save(tensors, metadata={"weights_sha256": sha256}))
    row = {"block": novelty.block, "threshold": novelty.threshold, "num_pictures": novelty.num_pictures}
    row |= {"token": novelty.token} if novelty.token != "patches" else {}
    write_sidecar(folder, read_sidecar(folder) | {"novelty": row})


@contextlib.contextmanager
def without_novelty(folder: Path) -> Iterator[None]:
    """The folder without what was fitted, which may be of earlier weights; back again if the block fails."""
    sidecar, file = read_sidecar(folder), folder / FILE
    statistics = file.read_bytes() if file.exists() else None
    try:
        if "novelty" in sidecar:
            write_sidecar(folder, {name: value for name, value in sidecar.items() if name != "novelty"})
        file.unlink(missing_ok=True)
        yield
    except BaseException:
        if statistics is not None:
            file.write_bytes(statistics)
        if "novelty" in sidecar:
            write_sidecar(folder, sidecar)
        raise


def read_novelty(folder: Path, sidecar: dict, *, sha256: str, num_blocks: int, width: int) -> Novelty | None:
    """What a checkpoint folder knows of novelty; None where its `virtus.json` says nothing of it.

    Args:
        sha256, num_blocks, width: of the weights beside it.

    Raises:
        CheckpointError: if it cannot be used, or was fitted with other weights than those of `sha256`.
    """
    from safetensors import SafetensorError, safe_open

    row = sidecar.get("novelty")
    if row is None:
        return None
    again = f"fit it again (python -m train novelty {folder} --data DATA)."
    try:
        with safe_open(folder / FILE, framework="pt") as file:
            weights = (file.metadata() or {}).get("weights_sha256")
            tensors = {name: file.get_tensor(name).float() for name in ("mean", "whitening")}
        novelty = Novelty(**tensors, **row)
        sound = _is_sound(novelty) and novelty.block < num_blocks and len(novelty.mean) == width
    except (OSError, SafetensorError, TypeError) as exc:
        raise CheckpointError(f"{FILE} or its entry in virtus.json cannot be used ({exc}): {again}") from exc
    if weights != sha256:
        raise CheckpointError(f"{FILE} was made with other weights than those beside it: {again}")
    if not sound:
        raise CheckpointError(f"{FILE} or its entry in virtus.json is out of range: {again}")
    return novelty


def _is_sound(novelty: Novelty) -> bool:
    whole = (
        type(novelty.block) is int
        and novelty.block >= 0
        and novelty.token in ("patches", "class")
        and 0 < novelty.threshold < MAX_DISTANCE
    )
    shaped = novelty.mean.ndim == 1 and novelty.whitening.ndim == 2 and len(novelty.mean) == len(novelty.whitening)
    return whole and shaped and all(bool(part.isfinite().all()) for part in (novelty.mean, novelty.whitening))


def _whiten(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean, and the strongest directions of the shrunk covariance, each scaled to unit variance."""
    from sklearn.covariance import LedoitWolf

    mean = features.mean(0)
    covariance = LedoitWolf(assume_centered=True).fit(features - mean).covariance_
    variances, directions = np.linalg.eigh(covariance)
    kept = min(len(mean), MAX_NUMBERS // len(mean))
    variances, directions = variances[::-1][:kept], directions[:, ::-1][:, :kept]
    return mean, directions / np.sqrt(np.maximum(variances, np.finfo(np.float32).tiny))


def _threshold(distances: np.ndarray, sources: np.ndarray) -> float:
    """The greatest of the bounds of all pictures together and of each source's own."""
    parts = [distances, *(distances[sources == source] for source in np.unique(sources))]
    return max(_upper(part) for part in parts if part is distances or len(part) >= MIN_OF_SOURCE)


def _upper(distances: np.ndarray) -> float:
    """The distance that a new one of the same kind is above with a chance of at most 2 %."""
    rank = math.ceil((len(distances) + 1) * (1 - MAX_UNFAMILIAR))
    return float(np.sort(distances)[min(rank, len(distances)) - 1])
