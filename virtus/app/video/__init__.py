"""The tab `Video`: a clip in; a verdict for each person, and p of each frame."""
