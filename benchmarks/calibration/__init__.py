"""What p and the thresholds are worth: how they are fitted, and what else was tried."""
