"""One file a command: `add` puts its options on the parser, and names the function that runs it.

Heavy libraries are loaded when a command runs: `--help` answers at once.
"""

from virtus.cli import calibrate, doctor, evaluate, explain, provenance, replay, scan, serve

COMMANDS = (scan, explain, replay, evaluate, calibrate, provenance, doctor, serve)
