"""Serving over HTTP: queries, lists and resources, pages, slow and concurrent clients, a shared store."""
