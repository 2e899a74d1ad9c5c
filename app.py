"""Starts the app: what `make demo` runs, and what a Hugging Face Space starts."""

import sys

from virtus.errors import VirtusError
from virtus.ui import serve

if __name__ == "__main__":
    try:
        serve()
    except VirtusError as exc:
        sys.exit(f"virtus: {exc}")
