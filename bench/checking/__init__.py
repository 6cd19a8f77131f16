"""Checking papers: one by one, many from disk, and in bulk on Spark."""
