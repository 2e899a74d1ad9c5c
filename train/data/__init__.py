"""What users give as their data, as samples, and what each of them is for."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from train.data.parts import Parts, divide, split_for
    from train.data.samples import Sample, Unreadable, count_table, find_samples, load_samples
    from train.data.split import assign_splits, check_groups, crossing_groups, part_of

__getattr__, __all__ = offer(__name__, __file__)
