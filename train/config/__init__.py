"""All that a training run depends on, and the recipes that set it."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from train.config.augmentation import Augmentation, augment, degrade_ordinarily
    from train.config.published import PUBLISHED, recipe_table
    from train.config.recipes import CLIP_BASE, CLIP_LARGE, DEIT_BASE, DEIT_TINY, DIMA806, RECIPES, VIT_BASE
    from train.config.settings import TrainConfig

__getattr__, __all__ = offer(__name__, __file__)
