"""What a data set would teach beside faces: copies, leaks, shortcuts."""
