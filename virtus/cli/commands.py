"""The command line. Each command parses, calls the engine, and formats.

A command is a module whose `add` puts its options on the parser and names the function that runs it. Heavy libraries
are loaded when a command runs: `--help` answers at once.
"""

from __future__ import annotations

import argparse

from virtus import __version__
from virtus.cli import calibrate, doctor, evaluate, explain, explore, provenance, replay, scan, serve
from virtus.cli.terminal import exit_status

COMMANDS = (scan, explain, explore, replay, evaluate, calibrate, provenance, doctor, serve)


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status is 0 if all was judged, 1 if some was not, 2 for wrong use."""
    args = build_parser().parse_args(argv)
    return exit_status(lambda: args.run(args), "virtus")


def build_parser() -> argparse.ArgumentParser:
    """`run` is the function of the command; the rest are its own options."""
    parser = argparse.ArgumentParser(prog="virtus", description="Real or deepfake? And where did the model look?")
    parser.add_argument("--version", action="version", version=f"virtus {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
