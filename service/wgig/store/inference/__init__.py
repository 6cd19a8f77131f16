"""Rule-based inference: rules are SPARQL CONSTRUCT queries, and their results fill one graph.

Read `inference` first. `incremental` computes the difference that follows from a change; `rule` parses the
rules for it.
"""
