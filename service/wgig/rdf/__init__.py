"""RDF without HTTP and store: formats, parsing within limits, serialization, JSON-LD, namespaces and terms.

Read `formats` first. Also here: typed values, the SPARQL lexer, and the source positions of triples.
"""
