"""Verdicts, maps, clips and origins as HTML, for the app and for written reports; texts from outside are escaped."""
