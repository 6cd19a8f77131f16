"""The quad store: pyoxigraph with transactions, inference, crash recovery, and projections.

Read `store` first, then `transactions`. `view` reads; `transactions`, `commit`, `change` and `update` write:
`change` is the net difference that a write made, `update` predicts that of a SPARQL update. `folder`,
`files`, `snapshot` and `recovery` are about the disk, `errors` about what goes wrong there. `projection` is
what follows commits beside the store, such as its `size`; `version_cache` keeps results until the next one.
`history` has the versions of graphs. Packages: `inference` (rules), `changelog` (versions of resources),
`backup`.
"""
