"""What exploring a face costs: bytes, and how long each step takes, in the engine and in the page."""
