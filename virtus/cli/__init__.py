"""The command line: a file for each command, which parses, calls the engine, and formats."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.cli.arguments import any_count, count
    from virtus.cli.commands import main
    from virtus.cli.terminal import STOPPED, exit_status

__getattr__, __all__ = offer(__name__, __file__)
