"""All that a training run depends on, and the recipes that set it."""
