"""One file a command: `add` puts its options on the parser, and names the function that runs it."""

from train.cli import audit, calibrate, card, evaluate, fit, novelty, publish, recipes, swap

COMMANDS = (recipes, audit, fit, calibrate, evaluate, novelty, card, publish, swap)
