"""A run for others: its model card, its folder for the Hub, the upload."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from train.publish.card import write_card
    from train.publish.hub import Target, upload
    from train.publish.hub_folder import write_folder

__getattr__, __all__ = offer(__name__, __file__)
