"""From a photo, a comparison or a labelled folder to reports: what all the doors call."""
