"""Limits of a server: from the command line, else the environment, else as fits those who can reach it."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass

from virtus.errors import InputError

CALLS_PER_MINUTE = 600  # a class of thirty behind one address, each with a photo every twenty seconds
MAX_DISK_GIB = 4
MAX_SESSIONS = 2000  # the ones longest unused go first; a call without a session has one until it is answered
TOOLS_PATH = "/gradio_api/mcp"  # where assistants look for tools on a Gradio app
MAX_TOOL_CALL_MIB = 16  # of a call with files in it
RATE_VARIABLE, DISK_VARIABLE = "VIRTUS_RATE_LIMIT", "VIRTUS_MAX_DISK_GIB"


@dataclass(frozen=True)
class Limits:
    """What visitors may.

    Attributes:
        calls_per_minute: calls and uploads of one client address; 0 for any number.
        max_disk_gib: of their files together.
    """

    calls_per_minute: int
    max_disk_gib: int

    @property
    def max_disk_bytes(self) -> int:
        return self.max_disk_gib * 2**30


def find_limits(calls_per_minute: int | None, max_disk_gib: int | None, *, host: str | None, share: bool) -> Limits:
    """What is None is looked up.

    Args:
        host: address to listen on; GRADIO_SERVER_NAME, else this machine alone, if None.

    Raises:
        InputError: if a variable of the environment is no number, or one that is given too small.
    """
    if calls_per_minute is None:
        calls_per_minute = _from_environment(RATE_VARIABLE, _usual_calls(host, share), least=0)
    if max_disk_gib is None:
        max_disk_gib = _from_environment(DISK_VARIABLE, MAX_DISK_GIB, least=1)
    if calls_per_minute < 0 or max_disk_gib < 1:
        raise InputError("Calls per minute are a whole number from 0 (any number) on, GiB of files one from 1 on.")
    return Limits(calls_per_minute, max_disk_gib)


def _usual_calls(host: str | None, share: bool) -> int:
    """No limit where only this machine asks; nor on a Space, whose visitors all seem to come from its own router."""
    host = host or os.environ.get("GRADIO_SERVER_NAME", "localhost")
    return CALLS_PER_MINUTE if (share or not _is_loopback(host)) and "SPACE_ID" not in os.environ else 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _from_environment(name: str, usual: int, *, least: int) -> int:
    text = os.environ.get(name, "").strip()
    if not text:
        return usual
    if not text.isdecimal() or int(text) < least:
        raise InputError(f"The environment variable {name} must be a whole number from {least} on, not {text!r}.")
    return int(text)
