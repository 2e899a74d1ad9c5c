"""The tab `Compare`: a photo in, and what several checkpoints say of the same faces, side by side."""
