"""Whole copies of a store: made while it is written, checked, and put back."""
