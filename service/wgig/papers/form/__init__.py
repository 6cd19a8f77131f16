"""The web form for papers. Fields are generated from the SHACL shapes, and converted from and to a graph.

A submitted form also contains the paper as it was opened, as N-Triples. For a field that was not changed, the
original statement is kept, as are statements without a field. Field names are derived from properties:
`title-1` and `title-1-language` of the paper, `forum-2-nature-1` of the second forum.
"""
