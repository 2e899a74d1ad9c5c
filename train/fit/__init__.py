"""From a recipe and samples to a checkpoint."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from train.fit.novelty import add_novelty, thin
    from train.fit.record import is_begun
    from train.fit.trainer import fit

__getattr__, __all__ = offer(__name__, __file__)
