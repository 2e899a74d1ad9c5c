"""How faces are found, and what several in a picture make of its outcome."""
