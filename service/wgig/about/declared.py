"""The example queries as RDF, in the form of the SIB conventions, with the prefixes that they may use."""

from collections.abc import Iterator

import pyoxigraph as ox

from ..examples import examples
from ..namespaces import namespaces
from ..rdf import term
from ..sparql import form

TYPE = term("rdf:type")


def queries(base: str) -> Iterator[ox.Triple]:
    """Each example query: what it asks in words, its text, and where to send it."""
    for one in examples():
        node = ox.NamedNode(f"{base}queries/{one.name}")
        asks = form(one.text).lower()
        for type_ in ("SPARQLExecutable", f"SPARQL{asks.capitalize()}Executable"):
            yield ox.Triple(node, TYPE, term(f"sh:{type_}"))
        yield ox.Triple(node, term(f"sh:{asks}"), ox.Literal(one.text))
        yield ox.Triple(node, term("sh:prefixes"), ontology(base))
        yield ox.Triple(node, term("rdfs:label"), ox.Literal(one.title, language="en"))
        yield ox.Triple(node, term("rdfs:comment"), ox.Literal(one.question, language="en"))
        yield ox.Triple(node, term("schema:target"), ox.NamedNode(f"{base}sparql"))
        for keyword in one.keywords:
            yield ox.Triple(node, term("schema:keywords"), ox.Literal(keyword, language="en"))


def prefixes(base: str) -> Iterator[ox.Triple]:
    """Each prefix that the graph uses, declared by the ontology (SHACL, section 5.2.1)."""
    for prefix, namespace in namespaces(base).items():
        node = ox.NamedNode(f"{base}.well-known/sparql-examples#{prefix}")
        yield ox.Triple(ontology(base), term("sh:declare"), node)
        yield ox.Triple(node, TYPE, term("sh:PrefixDeclaration"))
        yield ox.Triple(node, term("sh:prefix"), ox.Literal(prefix))
        yield ox.Triple(node, term("sh:namespace"), ox.Literal(namespace, datatype=term("xsd:anyURI")))


def ontology(base: str) -> ox.NamedNode:
    """The IRI of the ontology."""
    return ox.NamedNode(f"{base}ontology")
