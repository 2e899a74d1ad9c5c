"""Waiting for what another process or thread is about to do."""

import time

LIMIT_S = 60  # for what never comes; not a claim about speed


def wait_until(true) -> None:
    """Until the function says so."""
    limit = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.05)
