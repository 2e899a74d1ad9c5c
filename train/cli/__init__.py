"""The commands of `python -m train`."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from train.cli.commands import add_commands

__getattr__, __all__ = offer(__name__, __file__)
