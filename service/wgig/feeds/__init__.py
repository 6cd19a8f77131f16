"""Feeds that clients poll: Atom feeds of changes and of query results, calendar, Linked Data Event Stream.

Read `news` first.
"""
