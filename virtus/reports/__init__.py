"""Written reports: a photo judged for others to check, kept as a page and as JSON, and run again."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.reports.document import WrittenReport, check_place, draft, set_down, with_tested_maps
    from virtus.reports.record import ReportSettings, read_record
    from virtus.reports.replay import replay_record

__getattr__, __all__ = offer(__name__, __file__)
