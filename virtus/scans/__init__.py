"""Scans of very many pictures: their rows, a file of them that is whole whatever happens, and where a scan goes on."""
