import numpy as np
import pytest

from benchmarks.calibration.draws import RULES, Looks, rows
from virtus.checkpoints import ThresholdRule


def drawn(distance: float) -> Looks:
    """600 pictures of 200 groups, whose classes lie so far from each other; their degraded copies are the same."""
    draw, is_fake = np.random.default_rng(0), np.arange(600) % 2 == 1
    margins = draw.normal(0, 1, 600) + np.where(is_fake, distance, -distance)
    groups = np.array([f"group {row // 3}" for row in range(600)])
    return Looks(np.stack([margins, margins], axis=1), is_fake, ["web"] * 600, ["real", "swaps"] * 300, groups)


def test_no_group_calibrates_and_is_judged():
    looks = drawn(1.0)
    calibrating, judged = looks.draw(0.4, seed=3)
    assert not set(looks.groups[calibrating]) & set(looks.groups[judged])
    assert (len(calibrating), len(judged)) == (180, 150)


def test_classes_far_apart_are_decided_and_near_ones_are_not():
    far, near = (np.array(drawn(distance).figures(ThresholdRule(), 0.9, seed=1)) for distance in (5.0, 0.2))
    assert far[1:4] == pytest.approx([1.0, 0.0, 0.0])
    assert near[1] < 0.3
    assert max(near[2:4]) < 0.12


def test_a_line_for_each_share_and_rule():
    lines = list(rows(drawn(2.0), RULES[:2], draws=2))
    assert len(lines) == 4
    assert lines[0].startswith("| fakes 2%, bounds of their own from 50 on | 180 | ")
    assert lines[0].count(" | ") == 5
