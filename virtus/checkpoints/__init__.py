"""Checkpoints: fetched, examined, loaded, calibrated, and at work as a `Detector`."""
