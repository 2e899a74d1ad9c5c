"""`serve`: the app."""

from __future__ import annotations

import argparse
import importlib.util

from virtus.cli.arguments import any_count, checkpoint_names, count, environment_port, model_options, port, prior_option
from virtus.cli.terminal import ALL_JUDGED
from virtus.errors import InputError


def add(commands) -> None:
    models = model_options(several="given again, others are offered beside the first, and compared with it")
    serve = commands.add_parser("serve", parents=[models, prior_option()], help="start the app")
    serve.set_defaults(run=run)
    host_help = "0.0.0.0 to be reached from other machines (default: GRADIO_SERVER_NAME, else 127.0.0.1)"
    serve.add_argument("--host", help=host_help)
    serve.add_argument("--port", type=port, help="(default: GRADIO_SERVER_PORT, else the first free one from 7860 on)")
    serve.add_argument("--share", action="store_true", help="make a public link, through Gradio's servers")
    serve.add_argument("--auth", metavar="USER:PASSWORD", help="ask for a login")
    rate_help = "calls and uploads a minute of one address, 0 for any number; 600 where others can reach the app"
    serve.add_argument("--rate-limit", type=any_count, metavar="N", help=rate_help)
    serve.add_argument("--max-disk", type=count, metavar="GIB", help="of visitors' files together; 4 by default")
    serve.add_argument("--mcp", action="store_true", help="offer the API to assistants too, as tools (needs mcp)")


def run(args: argparse.Namespace) -> int:
    found = environment_port()
    model, *others = checkpoint_names(args)
    if args.mcp and importlib.util.find_spec("mcp") is None:
        raise InputError("--mcp needs the package mcp. Install it: pip install -e '.[mcp]'.")
    from virtus.app import serve
    from virtus.app.server import ending_here

    with ending_here():
        serve(
            model=model,
            others=others,
            device=args.device,
            precision=args.precision,
            whole=args.whole_image,
            prior=args.prior,
            host=args.host,
            port=args.port or found,
            share=args.share,
            auth=_credentials(args.auth),
            mcp=args.mcp,
            calls_per_minute=args.rate_limit,
            max_disk_gib=args.max_disk,
        )
    return ALL_JUDGED


def _credentials(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    user, found, password = text.partition(":")
    if not (user and found and password):
        raise InputError("--auth takes USER:PASSWORD.")
    return user, password
