"""Whether maps point at what was altered: `python -m benchmarks.explanations`."""
