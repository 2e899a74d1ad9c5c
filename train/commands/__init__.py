"""One file a command: `add` puts its options on the parser, and names the function that runs it."""

from train.commands import audit, card, evaluate, fit, publish, recipes, swap

COMMANDS = (recipes, audit, fit, evaluate, card, publish, swap)
