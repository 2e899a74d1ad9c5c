"""The commands of `python -m train`, a file each."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from train.cli.commands import COMMANDS

__getattr__, __all__ = offer(__name__, __file__)
