"""Written reports: a photo judged for others to check, kept as a page and as JSON, and run again."""
