"""`audit`: what a data set would teach beside faces."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands) -> None:
    audit = commands.add_parser("audit", help="what a data set would teach beside faces: copies, leaks, shortcuts")
    audit.set_defaults(run=run)
    audit.add_argument("data", type=Path, help="the same folder as for fit")
    audit.add_argument("--out", type=Path, metavar="DIR", help="write audit.json and audit.png there")
    audit.add_argument("--limit", type=int, default=0, help="look at so many pictures of each class; 0 for all")


def run(args: argparse.Namespace) -> int:
    from train.checks import audit_data

    findings = audit_data(args.data, limit=args.limit)
    print(findings.table())
    if args.out:
        findings.save(args.out)
    return 0
