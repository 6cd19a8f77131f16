"""Checking any RDF graph against shapes that the sender chose, instead of papers against the template.

The shapes are untrusted: they are read within limits, and their SPARQL is admitted like any other.
"""
