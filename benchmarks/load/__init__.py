"""Many visitors of the app at once: `python -m benchmarks.load`."""
