"""RDF, independent of HTTP and of the store: formats, limits on input, serialization, JSON-LD, namespaces.

Read `formats` first. The package also has typed values, a SPARQL lexer, and the source positions of triples.
"""
