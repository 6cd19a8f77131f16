"""The web form for papers: generated from the shapes, filled from a graph, and converted back to a graph.

A submitted form has the paper as it was opened, as N-Triples, beside the fields. A field that was not changed
leaves its statement as it is, and statements without a field are kept. The names of the fields are derived
from properties: `title-1` and `title-1-language` of the paper, `forum-2-nature-1` of its second forum.
"""
