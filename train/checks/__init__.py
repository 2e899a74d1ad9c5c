"""What a data set would teach beside faces: copies, leaks, shortcuts."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from train.checks.audit import Audit, audit_data
    from train.checks.look import Look, look_first
    from train.checks.shortcuts import SHORTCUT, SUSPECT, Shortcut

__getattr__, __all__ = offer(__name__, __file__)
