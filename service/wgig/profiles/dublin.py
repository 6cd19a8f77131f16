"""Simple Dublin Core as XML, as the OAI Protocol for Metadata Harvesting has it (oai_dc)."""

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

import pyoxigraph as ox

NAMESPACE = "http://purl.org/dc/elements/1.1/"
OAI = "http://www.openarchives.org/OAI/2.0/oai_dc/"
ELEMENTS = [
    *("title", "creator", "subject", "description", "publisher", "contributor", "date", "type", "format"),
    *("identifier", "source", "language", "relation", "coverage", "rights"),
]
BEGIN = f"""<?xml version="1.0" encoding="UTF-8"?>
<oai_dc:dc xmlns:oai_dc="{OAI}"
           xmlns:dc="{NAMESPACE}"
           xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
           xsi:schemaLocation="{OAI} http://www.openarchives.org/OAI/2.0/oai_dc.xsd">
"""
END = "</oai_dc:dc>\n"


def xml(triples: Iterable[ox.Triple], iri: str) -> bytes:
    """What the triples say of the thing `iri` in the fifteen elements, in the order of the standard."""
    said = [one for one in triples if one.subject == ox.NamedNode(iri)]
    lines = {
        (ELEMENTS.index(name), element(name, one.object))
        for one in said
        if (name := one.predicate.value.removeprefix(NAMESPACE)) in ELEMENTS
    }
    return (BEGIN + "".join(line for _, line in sorted(lines)) + END).encode()


def element(name: str, value: object) -> str:
    """One element with its text, and the language of that."""
    text = value.value if isinstance(value, (ox.Literal, ox.NamedNode)) else str(value)
    language = value.language if isinstance(value, ox.Literal) else None
    mark = f" xml:lang={quoteattr(language)}" if language else ""
    return f"  <dc:{name}{mark}>{escape(text)}</dc:{name}>\n"
