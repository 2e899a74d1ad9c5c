"""What the app says about maps."""

import numpy as np

from virtus.html.maps import map_caption, trust_line
from virtus.html.maps import test_progress as progress
from virtus.results import Explanation, Faithfulness, Label

FLAT, UNEVEN = np.zeros((2, 2), np.float32), np.eye(2, dtype=np.float32)
GOOD = Faithfulness(deletion=0.2, insertion=0.9, p_value=0.02, beats_centre=True, num_random=99)
POOR = Faithfulness(deletion=0.5, insertion=0.5, p_value=0.4, beats_centre=False, num_random=99)


def test_the_caption_tells_class_and_empty_maps():
    assert "“fake”" in map_caption(Explanation("gradcam", UNEVEN, Label.FAKE))
    assert "the map is empty" in map_caption(Explanation("gradcam", FLAT, Label.FAKE))
    assert "for no class" in map_caption(Explanation("rollout", UNEVEN, None))


def test_the_caption_of_a_signed_map_says_what_its_colours_are():
    signed = map_caption(Explanation("evidence", UNEVEN, None, signed=True))
    assert "fake against real" in signed
    assert "Vermilion speaks for fake, blue for real" in signed
    assert "The more colour, the more" not in signed
    assert "The more colour, the more" in map_caption(Explanation("rollout", UNEVEN, None))


def test_a_trust_line_tells_by_words_and_class_whether_a_map_is_better_than_chance():
    good, poor = trust_line(GOOD), trust_line(POOR, "This map of gradcam")
    assert 'class="trust good"' in good
    assert "This map is better than chance (p=0.02)." in good
    assert 'class="trust poor"' in poor
    assert "This map of gradcam is no better than chance" in poor
    empty = Faithfulness(0.0, 0.0, p_value=1.0, beats_centre=False, num_random=0)
    assert ">The map is empty: " in trust_line(empty)


def test_a_test_says_how_far_it_is():
    line = progress("This map of rollout", 3, 10)
    assert "This map of rollout is being held against 99 random ones" in line
    assert 'aria-valuemax="10" aria-valuenow="3"' in line
    assert "width: 30%" in line
