"""The server: its start and its end, its looks, and the guards that stand before the app."""
