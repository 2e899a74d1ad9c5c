"""Files damaged and forged in every way, through command line, API and app: `python -m benchmarks.bad_inputs`."""
