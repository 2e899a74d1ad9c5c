"""The figures of a report. p is the probability of fake; positive means fake."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Flags = Sequence[bool] | np.ndarray
Shares = Sequence[float] | np.ndarray
NUM_BINS = 15  # of p, as in Guo et al. 2017


def area_under_roc(is_fake: Flags, p_fake: Shares) -> float | None:
    """AUC of the ROC curve (0.5 is chance); None unless both classes are there."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(is_fake, p_fake)) if len(set(is_fake)) == 2 else None


def log_odds(p_fake: Shares) -> np.ndarray:
    """p as log-odds to four digits, for ranking: (N,), float64.

    The same picture in another batch, or on other threads, gets a p that differs by the noise of float32 arithmetic.
    What differs by no more is a tie, and no reason for another AUC.
    """
    p = np.clip(np.asarray(p_fake, dtype=float), 1e-300, 1 - 1e-16)
    return np.round(np.log(p) - np.log1p(-p), 4)


def classification_metrics(is_fake: Flags, p_fake: Shares, *, threshold: float = 0.5) -> dict:
    """Accuracy, macro F1, AUC and confusion matrix of judged pictures.

    Args:
        is_fake: the truth.
        p_fake: in [0, 1]; from `threshold` on a picture is called fake.

    Returns:
        `accuracy`, `macro_f1` (mean over the classes that occur in truth or answer) and `auc`, each None without the
        pictures it needs, and `confusion`: rows are the truth (real, fake), columns the answer (real, fake).
    """
    from sklearn.metrics import confusion_matrix, f1_score

    if not len(is_fake):
        return {"accuracy": None, "macro_f1": None, "auc": None, "confusion": [[0, 0], [0, 0]]}
    truth, called = np.asarray(is_fake, dtype=bool), np.asarray(p_fake) >= threshold
    return {
        "accuracy": float((truth == called).mean()),
        "macro_f1": float(f1_score(truth, called, average="macro")),
        "auc": area_under_roc(is_fake, log_odds(p_fake)),
        "confusion": confusion_matrix(truth, called, labels=[False, True]).tolist(),
    }


def reliability(
    is_fake: Flags, p_fake: Shares, *, num_bins: int = NUM_BINS, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """What a reliability diagram shows, with both classes weighted to be equally frequent, as p takes them to be.

    Args:
        is_fake: the truth.
        p_fake: in [0, 1]; bin k of n holds p in [k/n, (k+1)/n), the last one 1 too.
        weights: how often each picture counts; once by default.

    Returns:
        For each bin, (num_bins,) float64: its share of all, the mean p in it, and the share of fakes in it (these two
        NaN where it is empty). None unless both classes are there.
    """
    truth, p = np.asarray(is_fake, dtype=bool), np.asarray(p_fake, dtype=float)
    weights = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=float)
    fakes, reals = weights[truth].sum(), weights[~truth].sum()
    if not fakes or not reals:
        return None
    weights = weights / np.where(truth, 2 * fakes, 2 * reals)
    bins = np.minimum((p * num_bins).astype(int), num_bins - 1)
    share, p_sum, fake_sum = (np.bincount(bins, weights * of, num_bins) for of in (np.ones_like(p), p, truth))
    empty = np.full(num_bins, np.nan)
    mean_p, share_fake = (np.divide(of, share, out=empty.copy(), where=share > 0) for of in (p_sum, fake_sum))
    return share, mean_p, share_fake


def calibration_error(
    is_fake: Flags, p_fake: Shares, *, num_bins: int = NUM_BINS, weights: np.ndarray | None = None
) -> float | None:
    """Expected calibration error (Guo et al. 2017, arXiv:1706.04599) of p as the probability of fake.

    The mean over the bins of `reliability`, each by its share of all, of |mean p - share of fakes|. The paper bins the
    confidence in the class that was called; here p itself is binned, so that too low and too high are told apart. None
    unless both classes are there.
    """
    diagram = reliability(is_fake, p_fake, num_bins=num_bins, weights=weights)
    if diagram is None:
        return None
    share, mean_p, share_fake = diagram
    return float(np.nansum(share * np.abs(mean_p - share_fake)))
