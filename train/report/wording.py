"""How reports say what their figures mean, and how a figure is written."""

from __future__ import annotations

from train.report.intervals import CONFIDENCE, NUM_DRAWS, THRESHOLD, Figure
from virtus.checkpoints import NUM_BINS
from virtus.results import Calibration

SHARES = ("judged", "reals_called_fake", "fakes_called_real", "inconclusive")
DIFFERENCE = "difference"
TITLES = {
    "judged": "judged",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "auc": "AUC",
    "ece": "ECE",
    "reals_called_fake": "reals called fake",
    "fakes_called_real": "fakes called real",
    "inconclusive": "inconclusive",
}
MEANINGS = (
    "Accuracy, macro F1 and AUC are over judged pictures, of p (the probability of fake, of the largest face); "
    f"accuracy and F1 call a picture fake from p = {THRESHOLD} on. The last three columns count outcomes as users "
    "get them, of all faces and with the checkpoint's own thresholds: reals called fake are a share of the judged "
    "real pictures, fakes called real of the judged fakes, inconclusive of all judged pictures."
)
INTERVALS = (
    f"Beside or below each figure: its {CONFIDENCE:.0%} interval, from {NUM_DRAWS} draws of whole groups (pictures "
    "of one person, video or photo) with replacement, within each source. They say how far the choice of pictures "
    "moves a figure, not how the checkpoint does on pictures of another kind. An interval without width only says "
    "that no draw saw another case; those of ECE lean upwards, because drawing adds noise to its bins. Of fewer "
    "than about 20 groups, take none to be exact."
)
PAIRED = (
    "The difference of AUC to A is taken draw by draw, on the same groups and the pictures that both judged: where its "
    "interval holds 0, these pictures do not tell which is better."
)
ERROR = (
    f"ECE: p is cut into {NUM_BINS} bins of equal width; in each, the mean p is held against the share of fakes, and "
    "the differences are averaged by how much lies in the bin (Guo et al. 2017, on p itself). Both classes are "
    "weighted to be equally frequent, as p takes them to be: where fakes are rare, fewer of the pictures with a "
    "high p are fakes."
)
ROBUSTNESS = (
    "Each picture is changed, then cropped where its face was found before the change: this measures the "
    "classifier, not the face finder. Pictures without a face are left out."
)
POOLED = (
    "These figures flatter the checkpoint: its recipe draws what it trains on from all pictures, those of the val "
    "splits too, so that some of the pictures here were trained on."
)


def figure_cell(name: str, figure: Figure) -> str | tuple[str, str]:
    """A figure and its interval; in per cent where it is a share, with its sign where it is a difference."""
    if figure.value is None:
        return "-"
    scale, value_form, end_form = (100, ".1f", ".1f") if name in SHARES else (1, ".4f", ".3f")
    sign, unit = "+" if name == DIFFERENCE else "", "%" if name in SHARES else ""
    value = f"{scale * figure.value:{sign}{value_form}}{unit}"
    if figure.low is None or figure.high is None:
        return value
    return value, f"{scale * figure.low:{sign}{end_form}} to {scale * figure.high:{sign}{end_form}}"


def difference_cell(value: float | None, clean: float | None) -> str | tuple[str, str]:
    """A figure and how far it is from another one."""
    return or_dash(value) if value is None or clean is None else (or_dash(value), f"{value - clean:+.3f}")


def or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def say_calibration(calibration: Calibration | None) -> str:
    """What the verdicts go by."""
    if calibration is None:
        return f"The checkpoint is not calibrated: its threshold is {THRESHOLD}."
    return (
        f"The checkpoint is calibrated with temperature {calibration.temperature:.3f} and bias "
        f"{calibration.bias:.3f}: real below "
        f"p = {calibration.real_below:.3f}, fake from {calibration.fake_above:.3f} on, inconclusive between."
    )
