"""RDF without HTTP and the store: formats, limits on input, serialization, JSON-LD, namespaces, terms.

Read `formats` first. Also here: typed values, the SPARQL lexer, and the source positions of triples.
"""
