"""How good a checkpoint is, with intervals, as figures, plots and pages."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from train.report.assessment import assess, read_beside, val_share
    from train.report.comparison import compare, write_comparison
    from train.report.document import Table, to_markdown
    from train.report.evaluate import JudgedSample, as_judgements, held_out, judge, source_table
    from train.report.folder import make_folder, write_report
    from train.report.intervals import Figure, with_intervals
    from train.report.left_out import (
        begin_left_out,
        by_classifier,
        figures_of,
        folder_of,
        keep_runs,
        left_out_table,
        read_runs,
        write_left_out,
    )
    from train.report.plots import write_audit
    from train.report.wording import MEANINGS, POOLED, TITLES, figure_cell, or_dash

__getattr__, __all__ = offer(__name__, __file__)
