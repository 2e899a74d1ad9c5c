"""What several tabs show and ask alike."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.widgets.drop_zone import PHOTO, Taken, add_drop_zone
    from virtus.app.widgets.face_lists import leaving_list
    from virtus.app.widgets.faster import faster_button, no_offer, offer_faster, taking_fast
    from virtus.app.widgets.inputs import taking
    from virtus.app.widgets.pictures import (
        CROP_SIDE,
        FADE_IN,
        boxed_photo,
        map_pair,
        map_slider,
        show_boxed,
        write_picture,
    )
    from virtus.app.widgets.verdict_settings import add_verdict_settings, checkpoint_chooser, expected_share

__getattr__, __all__ = offer(__name__, __file__)
