"""The tab `Batch`: many photos or a zip of them in, a row for each out."""
