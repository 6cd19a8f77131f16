"""Lists of resources and statistics about them: tables, coverage, timeline, people, example queries.

Read `definitions` first: one definition of a list yields its query, JSON, CSV, schema and page.
"""
