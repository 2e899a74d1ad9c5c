"""From a recipe and samples to a checkpoint."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from train.fit.left_out import (
        KindPlan,
        KindRun,
        MarginLine,
        check_kinds,
        fit_frozen_without,
        fit_without,
        open_frozen,
        plan,
    )
    from train.fit.material import Material, gather
    from train.fit.novelty import add_novelty, thin
    from train.fit.record import CONFIG, find_last_step, is_begun
    from train.fit.trainer import fit, rule_of

__getattr__, __all__ = offer(__name__, __file__)
