"""The maps of a face: which is wanted, what can be set, what is said of it, and what there is to keep."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.maps.callbacks import MapCallbacks, tell_test
    from virtus.app.maps.controls import MapControls, add_map_controls
    from virtus.app.maps.exploration import write_exploration
    from virtus.app.maps.frame import MappedPhoto, key_of, no_photo, show_photo
    from virtus.app.maps.request import TARGETS, MapRequest

__getattr__, __all__ = offer(__name__, __file__)
