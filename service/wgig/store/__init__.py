"""The quad store: pyoxigraph with transactions, inference, crash recovery, and projections.

Read `store` first, then `transactions`. `view` reads; `transactions`, `commit`, `change` and `update` write:
`change` is the net difference that a write made, `update` predicts that of a SPARQL update. `folder`,
`files`, `snapshot` and `recovery` are about the disk, `errors` about what goes wrong there.
`projections` hold what is computed from the data, and `history` the versions of graphs. Packages: `inference`
(rules), `changelog` (versions of resources), `backup`.
"""
