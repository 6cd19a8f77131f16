"""Checking papers: one by one, many from disk, and by the million."""
