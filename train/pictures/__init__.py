"""Training pictures: their faces, what is done to them, and fakes made here."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from train.pictures.datasets import CLEAN, CropDataset, DegradedPhoto, FaceDataset, MadeDataset, TrainDataset
    from train.pictures.face_cache import FaceCache, Faces
    from train.pictures.forgery import PARTS, Forgery, self_blend, swap_part
    from train.pictures.samplers import BalancedSampler, CoupleSampler, PairSampler, RowKind

__getattr__, __all__ = offer(__name__, __file__)
