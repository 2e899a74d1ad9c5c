"""The tab `Batch`: many photos or a zip of them in, a row for each out."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.batch.tab import add_batch_tab

__getattr__, __all__ = offer(__name__, __file__)
