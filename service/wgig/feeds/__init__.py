"""Feeds that clients poll: Atom news, the calendar, the Linked Data Event Stream, and query results.

Read `news` first.
"""
