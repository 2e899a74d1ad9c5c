"""A scan on a Ray cluster: Ray Data hands paths to actors that hold the model, and their rows come back in order."""
