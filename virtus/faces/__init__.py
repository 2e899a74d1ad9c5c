"""Faces in a photo, the one crop that training and inference share, and what makes a verdict on it less sure."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.faces.cautions import find_cautions, is_too_close, unfamiliar
    from virtus.faces.find import (
        MIN_CONFIDENCE,
        MIN_FACE_SIDE,
        SURE_CONFIDENCE,
        crop_face,
        cut_out,
        find_faces,
        whole_image,
    )
    from virtus.faces.regions import BACKGROUND, name_cells

__getattr__, __all__ = offer(__name__, __file__)
