"""Photos, zips and folders as they come from outside: looked at before they are decoded, and read within limits."""
