"""From a recipe and samples to a checkpoint."""
