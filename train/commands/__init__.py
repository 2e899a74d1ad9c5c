"""One file a command: `add` puts its options on the parser, and names the function that runs it."""

from train.commands import audit, card, evaluate, fit, novelty, publish, recipes, swap

COMMANDS = (recipes, audit, fit, evaluate, novelty, card, publish, swap)
