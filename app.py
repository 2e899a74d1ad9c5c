"""Starts the app: what `make demo` runs, and what a Hugging Face Space starts."""

import sys

from virtus.arguments import environment_port
from virtus.errors import VirtusError

if __name__ == "__main__":
    try:
        port = environment_port()
        from virtus.ui import serve

        serve(port=port)
    except VirtusError as exc:
        sys.exit(f"virtus: {exc}")
