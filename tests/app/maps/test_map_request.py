import pytest

from virtus.app.maps.request import MapRequest
from virtus.errors import InputError
from virtus.explain.registry import EXPLAINERS


@pytest.mark.parametrize("method", EXPLAINERS)
def test_options_that_a_method_does_not_take_are_left_aside(method, make_checkpoint, make_image):
    from virtus.checkpoints.detector import Detector
    from virtus.checkpoints.load import load_checkpoint
    from virtus.faces.find import whole_image

    detector = Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))
    found = MapRequest(method, layer=-1, head=1, head_fusion="max").draw(detector.encode([whole_image(make_image())]))
    assert (found.method, found.heatmap.shape) == (method, (4, 4))


@pytest.mark.parametrize(
    "wrong", [{"method": "guess"}, {"target": "cat"}, {"opacity": 2}, {"opacity": True}, {"discard_ratio": "much"}]
)
def test_wrong_values_are_refused_when_asked_for(wrong):
    with pytest.raises(InputError):
        MapRequest(**wrong)
