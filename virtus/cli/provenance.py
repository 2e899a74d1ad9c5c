"""`provenance`: what a picture's file says of its own origin."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from virtus.cli.terminal import ALL_JUDGED


def add(commands) -> None:
    provenance = commands.add_parser(
        "provenance", help="say what a picture's file says of its own origin: camera, programs, generators, credentials"
    )
    provenance.set_defaults(run=run)
    provenance.add_argument("image", type=Path, help="a picture; nothing is fetched and no place or person is shown")
    provenance.add_argument("--json", action="store_true", help="as JSON instead of sentences")


def run(args: argparse.Namespace) -> int:
    from virtus.media import read_file
    from virtus.provenance import read_provenance

    found = read_provenance(read_file(args.image))
    print(json.dumps(found.to_json()) if args.json else "\n".join(found.lines()))
    return ALL_JUDGED
