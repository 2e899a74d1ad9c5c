"""`recipes`: what there is to fit, side by side."""

from __future__ import annotations

import argparse


def add(commands) -> None:
    recipes = commands.add_parser("recipes", help="the recipes side by side, with published figures and known faults")
    recipes.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:  # noqa: ARG001  every command is called alike
    from train.config import recipe_table

    print(recipe_table())
    return 0
