"""The tab `About`: who judges here, and how good that is by its own model card."""
