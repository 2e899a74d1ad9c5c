"""The figures of a report. p is the probability of fake; positive means fake."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def area_under_roc(is_fake: Sequence[bool], p_fake: Sequence[float]) -> float | None:
    """AUC of the ROC curve (0.5 is chance); None unless both classes are there."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(is_fake, p_fake)) if len(set(is_fake)) == 2 else None


def classification_metrics(is_fake: Sequence[bool], p_fake: Sequence[float], *, threshold: float = 0.5) -> dict:
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
        "auc": area_under_roc(is_fake, p_fake),
        "confusion": confusion_matrix(truth, called, labels=[False, True]).tolist(),
    }
