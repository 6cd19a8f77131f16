"""Rule-based inference: rules are SPARQL CONSTRUCT queries, and their results fill one graph.

Read `inference` first. `incremental` computes the difference that follows from a change, `materialization`
all that follows from scratch. `rule` parses the rules, `plan` and `evaluation` evaluate them for both.
"""
