"""Reports drawn on photos: boxes and outcomes, heatmaps as overlays, pictures inside a page."""
