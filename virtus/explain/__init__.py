"""Explanations: which patches of a face crop a verdict rests on, and whether a map says more than chance."""
