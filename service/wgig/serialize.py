"""Triples as bytes in the syntaxes of RDF, with the prefixes that they use."""

from collections.abc import Iterable

import pyoxigraph as ox

from .formats import Format
from .namespaces import namespaces, shorten


def serialize(triples: Iterable[ox.Triple], format_: Format, base: str) -> bytes:
    """The triples, each once and in a stable order, in an RDF format; `base` is the base IRI of the graph.

    Raises ValueError where the format has no way to write one of them.
    """
    ordered = sorted(set(triples), key=reading_order)
    rdf_format = ox.RdfFormat.from_media_type(format_.media_type)
    assert rdf_format is not None
    try:
        return ox.serialize(ordered, format=rdf_format, prefixes=used_prefixes(ordered, base)) or b""
    except OSError as error:  # the engine's word for it
        raise ValueError(str(error)) from error


def reading_order(triple: ox.Triple) -> tuple[str, bool, str, str]:
    """By subject, its type first, then by property."""
    is_type = triple.predicate.value.endswith("#type")
    return str(triple.subject), not is_type, triple.predicate.value, str(triple.object)


def used_prefixes(triples: Iterable[ox.Triple], base: str) -> dict[str, str]:
    """The prefixes with which at least one IRI of the triples can be written."""
    known = namespaces(base)
    iris = {
        term.value
        for triple in triples
        for term in (
            triple.subject,
            triple.predicate,
            triple.object,
            getattr(triple.object, "datatype", None),
        )
        if isinstance(term, ox.NamedNode)
    }
    used = {short.partition(":")[0] for iri in iris if (short := shorten(iri, known)) != iri}
    return {prefix: namespace for prefix, namespace in known.items() if prefix in used}
