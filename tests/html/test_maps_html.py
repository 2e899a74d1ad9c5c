"""What the app says about maps."""

import numpy as np
from PIL import Image

from virtus.html.maps import map_caption, side_by_side, trust_line
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
    assert "Bright is more" not in signed
    assert "Bright is more" in map_caption(Explanation("rollout", UNEVEN, None))


def test_a_trust_line_tells_by_words_and_class_whether_a_map_is_better_than_chance():
    good, poor = trust_line(GOOD), trust_line(POOR)
    assert 'class="trust good"' in good
    assert "This map is better than chance (p=0.02)." in good
    assert 'class="trust poor"' in poor
    assert "This map is no better than chance" in poor
    assert "being held against" in trust_line(None)
    empty = Faithfulness(0.0, 0.0, p_value=1.0, beats_centre=False, num_random=0)
    assert ">The map is empty: " in trust_line(empty)


def test_side_by_side_has_a_figure_with_a_trust_line_for_each_method():
    overlays = [(Explanation(name, UNEVEN, None), Image.new("RGB", (4, 4))) for name in ("rollout", "eigencam")]
    html = side_by_side(overlays, {"rollout": GOOD})
    assert html.count("<figure>") == html.count("data:image/png;base64,") == 2
    assert html.count("better than chance") == 1
    assert html.count("is being measured") == 1
