"""Citations of resources, graphs and query results, and the content that a citation refers to.

Read `routes` first, then `resolve`.
"""
