"""The maps of a face: which is wanted, what can be set, and what is said of it."""
