"""Backups of a store: made while it is in use, verified, and restored."""
