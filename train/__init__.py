"""Makes the checkpoints that `virtus` loads, and says how good they are. It imports `virtus`, never the reverse."""
