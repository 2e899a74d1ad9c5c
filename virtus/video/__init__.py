"""Clips: frames evenly spaced in time, the persons in them, a verdict on each."""
