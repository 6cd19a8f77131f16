"""Serving over HTTP: queries, lists and things, pages, slow and many clients, a remote store."""
