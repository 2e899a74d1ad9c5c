"""Training pictures: their faces, what is done to them, and fakes made here."""
