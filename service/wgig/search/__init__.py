"""Full-text search over names and texts of resources: index, ranking, snippets, OpenSearch, reconciliation.

Start with `routes`, then `index`.
"""
