"""Virtus beside what a user would put together: `python -m benchmarks.speed`."""
