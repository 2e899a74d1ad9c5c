"""`publish`: a run to the Hugging Face Hub, with its card."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands) -> None:
    publish = commands.add_parser("publish", help="write a run's folder for the Hugging Face Hub, and upload it")
    publish.set_defaults(run=run)
    publish.add_argument("folder", type=Path, metavar="RUN", help="the --out of fit, with the report of evaluate in it")
    publish.add_argument("--repo", required=True, metavar="OWNER/NAME", help="repository on the Hub; made if need be")
    publish.add_argument("--private", action="store_true", help="only you may see it")
    publish.add_argument("--message", help="of the commit")
    publish.add_argument("--dry-run", action="store_true", help="write RUN/hub, say what would be sent, and stop")


def run(args: argparse.Namespace) -> int:
    from train.publish import Target, upload, write_folder

    target = Target(args.folder, args.repo, private=args.private, message=args.message)
    files = write_folder(target)
    for name, size in files:
        print(f"  {name:32} {size:>12,} bytes")
    print(f"{len(files)} files, {sum(size for _, size in files):,} bytes, in {target.folder}")
    if args.dry_run:
        print(f"Not sent. To send it to {args.repo}: {target.command}")
    else:
        print(f"published: {upload(target)}", flush=True)
    return 0
