"""What the bytes of a picture say of its origin, read offline and apart from the verdict."""
