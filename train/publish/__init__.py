"""A run for others: its model card, its folder for the Hub, the upload."""
