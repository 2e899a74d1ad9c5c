"""`scan` on a Ray cluster: Ray Data hands paths to actors that hold the model, and their rows come back in order.

The only place that imports Ray and pyarrow, an extra. Call `require_ray` before importing `virtus.scans.ray.job`.
"""

from __future__ import annotations

import os

from virtus.errors import InputError

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # else Ray reports over the network that it is used
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # else its C++ part writes a warning for each actor on the terminal
}


def require_ray() -> None:
    """Load Ray, which sends nothing anywhere unless the environment says so.

    Raises:
        InputError: if it is not installed.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import pyarrow  # noqa: F401
        import ray.data  # noqa: F401
    except ImportError as exc:
        raise InputError(
            "--engine ray needs Ray, which is not installed: pip install 'virtus[ray]', or in a clone "
            "pip install -e '.[ray]'."
        ) from exc
