"""Starts the app: what `make demo` runs, and what a Hugging Face Space starts. Takes the options of `virtus serve`."""

import sys

from virtus.cli import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
