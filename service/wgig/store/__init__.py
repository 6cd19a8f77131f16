"""The quad store: pyoxigraph with transactions, inference, crash recovery, and projections.

Read `store` first, then `transactions`. `view` reads; `transactions`, `commit`, `change` and `update` write:
`change` is the net change of a write; `update` predicts the net change of a SPARQL Update. `folder`,
`files`, `snapshot` and `recovery` handle files on disk, `errors` has the exceptions. `projection` is the
base class of data derived from the store, such as its `size`; `version_cache` caches results until the next
commit. `history` reads the versions of graphs. Packages: `inference` (rules), `changelog` (versions of
resources), `backup`.
"""
