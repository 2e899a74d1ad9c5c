"""The tab `Analyze`: a photo in, a verdict for every face, and maps of what the model used."""
