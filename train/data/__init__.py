"""What users give as their data, as samples, and what each of them is for."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from train.data.kinds import BLENDED, SWAPPED, Kinds, fakes_like, is_left_out, is_made, kind_of, pattern_of
    from train.data.load import load_samples
    from train.data.processes import spread
    from train.data.samples import Sample, Unreadable, count_table, find_samples, take_evenly
    from train.data.splits import (
        Parts,
        assign_splits,
        check_groups,
        crossing_groups,
        divide,
        fraction,
        part_of,
        split_for,
        split_pooled,
    )

__getattr__, __all__ = offer(__name__, __file__)
