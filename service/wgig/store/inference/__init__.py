"""Rule-based inference: rules are SPARQL CONSTRUCT queries, and their results fill one graph.

Read `inference` first. `incremental` updates the graph from a change; `rule` analyzes the body of a rule for
it.
"""
