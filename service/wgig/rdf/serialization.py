"""Parsing and serialization of triples in the RDF formats.

Output is stable: each triple once, in reading order (by subject, its type first, then by property), with only
the prefixes that are used. Blank nodes are renamed apart on input. Triples can be given as the engine stores
them, because it normalizes numbers and booleans.

Some formats cannot express everything, such as triple terms in JSON-LD or some IRIs and characters in XML.
The engine then fails with its own message, or writes output that no parser can read; both become
UnserializableError (406).
"""

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from xml.parsers import expat

import pyoxigraph as ox

from ..problems import Problem
from .formats import (
    CSV,
    JSON_LD,
    JSON_RESULTS,
    N_TRIPLES,
    PLAIN_XML,
    RDF_XML,
    TSV,
    TURTLE,
    XML_RESULTS,
    Format,
)
from .namespaces import RDF_TYPE_IRI, namespaces_by_prefix, shorten_iri
from .parsing import FORBIDDEN_XML_BYTES, check_xml
from .parsing import check_jsonld_contexts as check_json_ld

XML_MEDIA_TYPES = (PLAIN_XML.media_type, RDF_XML.media_type, XML_RESULTS.media_type)
SERIALIZER_NAMES = ("RDF/XML", "JSON-LD")  # one of which the engine names when it cannot go on


class UnserializableError(Problem):
    """The 406 for a format that has no way to write something."""

    def __init__(self, why: str, media_type: str) -> None:
        """What cannot be written in the format of this media type."""
        self.reason = why
        others = (JSON_RESULTS, CSV, TSV) if media_type == XML_RESULTS.media_type else (TURTLE, N_TRIPLES)
        types = [one.media_type for one in others]
        sentence = f"This cannot be written as {media_type}: {why}. Ask for one of: {', '.join(types)}."
        super().__init__(406, sentence, offered=types)


@contextmanager
def translate_serializer_errors(media_type: str) -> Iterator[None]:
    """Around the writing of a format. Raises UnserializableError where the engine says that it cannot."""
    try:
        yield
    except OSError as error:
        if error.errno is None and str(error).startswith(SERIALIZER_NAMES):
            raise UnserializableError(str(error), media_type) from error
        raise


class OutputChecker:
    """Looks at what is written in a format. Raises UnserializableError where no parser could read it."""

    def __init__(self, media_type: str) -> None:
        """Begin before the first byte."""
        self.media_type = media_type
        self.is_xml = media_type in XML_MEDIA_TYPES
        # A name may be none in the eyes of a parser that knows namespaces, such as that of <http://x.org/1>.
        self.parser = (
            expat.ParserCreate(namespace_separator=" ") if media_type == RDF_XML.media_type else None
        )
        self.last_bytes = b""

    def feed(self, piece: bytes | bytearray) -> None:
        """Take the next bytes."""
        if self.is_xml and (found := FORBIDDEN_XML_BYTES.search(self.last_bytes + piece)):
            why = f"a text holds character U+{ord(found[0].decode()):04X}, which XML cannot hold"
            raise UnserializableError(why, self.media_type)
        self.last_bytes = bytes(piece[-2:])  # a character may be cut in two
        if self.parser:
            try:
                self.parser.Parse(bytes(piece), False)
            except expat.ExpatError as error:
                why = "a property has an IRI that no XML name can be made of"
                raise UnserializableError(why, self.media_type) from error


def check_output_readable(body: bytes, media_type: str) -> None:
    """Raises UnserializableError where a whole body cannot be read as what it says it is."""
    OutputChecker(media_type).feed(body)


TYPE_IN_TRIPLE = f" <{RDF_TYPE_IRI}> "
MAX_TRIPLE_TERM_DEPTH = 100  # triple terms; what looks into them goes one step deeper for each


def rdf_format(media_type: str) -> ox.RdfFormat:
    """The engine's RDF format of a media type."""
    found = ox.RdfFormat.from_media_type(media_type)
    if found is None:
        raise ValueError(f"no RDF format is called {media_type}")
    return found


def parse_graph_document(data: bytes, media_type: str, base: str | None = None) -> list[ox.Triple]:
    """The triples of a graph document, blank nodes renamed apart. Raises SyntaxError with line and column."""
    if media_type == RDF_XML.media_type:
        check_xml(data)
    text = data.removeprefix(BOM_UTF8)
    if media_type == JSON_LD.media_type:
        check_json_ld(text.decode("utf-8", "replace"))
    parsed = ox.parse(
        text, rdf_format(media_type), base_iri=base, without_named_graphs=True, rename_blank_nodes=True
    )
    return [check_triple_depth(one.triple) for one in parsed]


def check_triple_depth(triple: ox.Triple) -> ox.Triple:
    """The triple. Raises SyntaxError where too many triples stand within one another in it."""
    inner, depth = triple.object, 0
    while isinstance(inner, ox.Triple):
        inner, depth = inner.object, depth + 1
        if depth > MAX_TRIPLE_TERM_DEPTH:
            raise SyntaxError(f"more than {MAX_TRIPLE_TERM_DEPTH} triple terms stand within one another")
    return triple


def build_quad(triple: ox.Triple, graph: ox.NamedNode | ox.DefaultGraph) -> ox.Quad:
    """The triple in a graph."""
    return ox.Quad(triple.subject, triple.predicate, triple.object, graph)


def normalize_triples(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    """The triples as the engine gives them back: it writes a number or truth value in one way only."""
    return (one.triple for one in normalize_quads(triples, ox.DefaultGraph()))


def normalize_quads(triples: Iterable[ox.Triple], graph: ox.NamedNode | ox.DefaultGraph) -> Iterable[ox.Quad]:
    """The triples in a graph, as the engine gives them back."""
    store = ox.Store()
    store.extend(build_quad(one, graph) for one in triples)
    return store


def reword_literal(text: ox.Literal, words: str) -> ox.Literal:
    """A literal of other words, in the language or of the datatype of this one."""
    kind = {"language": text.language} if text.language else {"datatype": text.datatype}
    return ox.Literal(words, **kind)


def serialize_triples(triples: Iterable[ox.Triple], format_: Format, base: str) -> bytes:
    """The triples, each once and in a stable order, in an RDF format; `base` is the base IRI of the graph.

    Raises UnserializableError where the format has no way to write one of them.
    """
    ordered = sorted(dict.fromkeys(triples), key=reading_order)  # as they come, they are nearly so
    prefixes = used_prefixes(ordered, base)
    with translate_serializer_errors(format_.media_type):
        body = ox.serialize(ordered, format=rdf_format(format_.media_type), prefixes=prefixes) or b""
    check_output_readable(body, format_.media_type)
    return body


def serialize_n_triples(triples: Iterable[ox.Triple]) -> bytes:
    """The triples as N-Triples, in the order in which they come."""
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""


def serialize_n_quads(quads: Iterable[ox.Quad]) -> bytes:
    """The quads as N-Quads, in the order in which they come."""
    return ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b""


def parse_n_quads(text: str | bytes) -> Iterator[ox.Quad]:
    """The quads of N-Quads; blank nodes keep their names."""
    return ox.parse(text, format=ox.RdfFormat.N_QUADS)


def reading_order(triple: ox.Triple) -> str:
    """By subject, its type first, then by property."""
    return str(triple).replace(TYPE_IN_TRIPLE, "  ", 1)


def used_prefixes(triples: Iterable[ox.Triple], base: str) -> dict[str, str]:
    """The prefixes with which at least one IRI of the triples can be written."""
    iris = set[str]()
    for term in {term for triple in triples for term in triple}:
        if isinstance(term, ox.NamedNode):
            iris.add(term.value)
        elif isinstance(term, ox.Literal):
            iris.add(term.datatype.value)
    used = {name.partition(":")[0] for iri in iris if (name := shorten_iri(iri, base)) != iri}
    return {prefix: namespace for prefix, namespace in namespaces_by_prefix(base).items() if prefix in used}
