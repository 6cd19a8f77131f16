"""Full-text search over labels and texts: index, ranking, snippets, OpenSearch and reconciliation.

Read `routes` first, then `index`.
"""
