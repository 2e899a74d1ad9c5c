"""Faces in a photo, the one crop that training and inference share, and what makes a verdict on it less sure."""
