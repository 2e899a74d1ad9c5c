"""Training pictures: their faces, what is done to them, and fakes made here."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from train.pictures.blending import self_blend
    from train.pictures.crops import FaceCache, calm, spread
    from train.pictures.forgery import Forgery, swap_face
    from train.pictures.part_swap import PARTS, swap_part
    from train.pictures.transforms import CropDataset, Faces, TrainDataset

__getattr__, __all__ = offer(__name__, __file__)
