"""The form in which people write a paper: made from the shapes, filled from a graph, stated as one again.

What is sent holds the paper as it was opened, as N-Triples, beside the fields. A field that still says what
the form showed leaves its statement as it is, and so stays what no field shows. The names of the fields are
those of the properties: `title-1` and `title-1-language` of the paper, `forum-2-nature-1` of its second
forum.
"""
