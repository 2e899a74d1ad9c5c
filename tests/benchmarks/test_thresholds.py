import csv

import numpy as np
import pytest

from benchmarks.calibration.thresholds import CALIBRATE, Figures, choose, in_words, measure, read_runs
from virtus.checkpoints import ThresholdRule

COLUMNS = "run,file,label,source,kind,part,margin".split(",")


@pytest.fixture
def runs(tmp_path):
    """A kind left out whose fakes lie between the reals and the fakes that calibrated, each picture with two looks."""
    lines = []
    for part, num in ((CALIBRATE, 40), ("judge", 20)):
        for index, shift in enumerate(np.linspace(-1, 1, num)):
            kinds = [("real", "photo", -4.0), ("fake", "swap", 4.0), *([("fake", "drawn", -2.5)] * (part == "judge"))]
            for label, kind, mean in kinds:
                margins = (mean + shift, mean + shift / 2)
                lines += [("drawn", f"{part} {kind} {index}", label, "web", kind, part, m) for m in margins]
    with (tmp_path / "runs.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, *lines])
    return read_runs(tmp_path / "runs.csv")


def test_what_a_rule_does_on_the_kind_left_out(runs):
    (run,) = runs
    assert sum(run.left_out) == 40
    mild, strict = (measure(run, ThresholdRule(real_share=share)) for share in (1.0, 0.2))
    assert mild.reals == {"web": (0, 40)}
    assert (mild.left_out, mild.fakes) == ((40, 40), (0, 40))
    assert strict.left_out == (0, 40)
    assert strict.decided[0] < mild.decided[0]
    assert mild.worst_source(40) == mild.worst_source(41) == (0, 40)


def test_the_member_is_chosen_on_the_other_runs():
    mild, strict = (Figures({}, (errors, 100), (0, 0), (decided, 100)) for errors, decided in ((20, 90), (5, 60)))
    assert choose([[mild, strict], [strict, strict]], [0]) == 1
    assert choose([[mild, strict], [strict, mild]], [1]) == 0
    assert choose([[mild, mild], [mild, mild]], [0, 1]) == 1  # none keeps the limit


def test_intervals_of_clopper_and_pearson():
    assert in_words((0, 20)) == f"0.0% (0.0% to {1 - 0.025 ** (1 / 20):.1%})"
    assert in_words((20, 20)) == f"100.0% ({0.025 ** (1 / 20):.1%} to 100.0%)"
    assert in_words((0, 0)) == "-"
