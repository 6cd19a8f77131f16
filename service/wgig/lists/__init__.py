"""Lists of resources, and what is counted from them: tables, coverage, timeline, people, example queries.

Read `definitions` first: from the one description of a list come its query, JSON, CSV, schema and page.
"""
