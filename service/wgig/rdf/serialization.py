"""Parsing and serialization of triples in the RDF formats.

Output is stable: each triple once, in reading order (by subject, its type first, then by property), with only
the prefixes that are used. Blank nodes get new labels on input. Triples can be normalized as a pyoxigraph
store does: it writes numbers and booleans in canonical form.

Some formats cannot express some data, such as triple terms in JSON-LD, or some IRIs and characters in XML.
pyoxigraph then fails with its own message, or writes output that no parser can read; both become
UnserializableError (406).
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from xml.parsers import expat

import pyoxigraph as ox
from wgig_client.namespaces import namespaces_by_prefix

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
from .namespaces import RDF_TYPE_IRI, XSD_STRING, shorten_iri
from .parsing import FORBIDDEN_XML_BYTES, check_jsonld_contexts, check_xml

XML_MEDIA_TYPES = (PLAIN_XML.media_type, RDF_XML.media_type, XML_RESULTS.media_type)
SERIALIZER_NAMES = ("RDF/XML", "JSON-LD")  # error messages of pyoxigraph begin with them


class UnserializableError(Problem):
    """The Problem 406 for data that a format cannot express."""

    def __init__(self, reason: str, media_type: str) -> None:
        """Suggest other formats; `reason` is what the format of this media type cannot express."""
        self.reason = reason
        alternatives = (
            (JSON_RESULTS, CSV, TSV) if media_type == XML_RESULTS.media_type else (TURTLE, N_TRIPLES)
        )
        media_types = [format_.media_type for format_ in alternatives]
        detail = (
            f"This cannot be written as {media_type}: {reason}. Request one of: {', '.join(media_types)}."
        )
        super().__init__(406, detail, offered=media_types)


@contextmanager
def translate_serializer_errors(media_type: str) -> Iterator[None]:
    """Turn errors of pyoxigraph about data that the format cannot express into UnserializableError."""
    try:
        yield
    except OSError as error:
        if error.errno is None and str(error).startswith(SERIALIZER_NAMES):
            raise UnserializableError(str(error), media_type) from error
        raise


class OutputChecker:
    """Checks output as it is written. Raises UnserializableError if parsers could not read it."""

    def __init__(self, media_type: str) -> None:
        """Set up the check for a media type."""
        self.media_type = media_type
        self.is_xml = media_type in XML_MEDIA_TYPES
        # Only a parser with namespaces finds invalid names, such as that of the property <http://x.org/1>.
        self.parser = (
            expat.ParserCreate(namespace_separator=" ") if media_type == RDF_XML.media_type else None
        )
        self.last_bytes = b""

    def feed(self, chunk: bytes | bytearray) -> None:
        """Check the next bytes."""
        if self.is_xml and (match := FORBIDDEN_XML_BYTES.search(self.last_bytes + chunk)):
            reason = f"a text contains the character U+{ord(match[0].decode()):04X}, which XML does not allow"
            raise UnserializableError(reason, self.media_type)
        self.last_bytes = bytes(chunk[-2:])  # the bytes of a character may be in two chunks
        if self.parser:
            try:
                self.parser.Parse(bytes(chunk), False)
            except expat.ExpatError as error:
                reason = "the IRI of a property does not end in an XML name"
                raise UnserializableError(reason, self.media_type) from error


def check_output_readable(body: bytes, media_type: str) -> None:
    """Raise UnserializableError if parsers could not read a complete body of this media type."""
    OutputChecker(media_type).feed(body)


TYPE_IN_TRIPLE = f" <{RDF_TYPE_IRI}> "
TURTLE_PREFIXES_PATTERN = re.compile(rb"(?:@prefix .*\n)*")
MAX_TRIPLE_TERM_DEPTH = 100  # code that inspects triple terms recurses for each level


def rdf_format(media_type: str) -> ox.RdfFormat:
    """The pyoxigraph format of a media type. Raises ValueError if there is none."""
    format_ = ox.RdfFormat.from_media_type(media_type)
    if format_ is None:
        raise ValueError(f"no RDF format has the media type {media_type}")
    return format_


def parse_graph_document(
    data: bytes, media_type: str, base: str | None = None, max_triples: int | None = None
) -> list[ox.Triple]:
    """The triples of a document, with new blank node labels; only the first `max_triples` of them.

    Raises SyntaxError with line and column.
    """
    if media_type == RDF_XML.media_type:
        check_xml(data)
    text = data.removeprefix(BOM_UTF8)
    if media_type == JSON_LD.media_type:
        check_jsonld_contexts(text.decode("utf-8", "replace"))
    parsed = ox.parse(
        text, rdf_format(media_type), base_iri=base, without_named_graphs=True, rename_blank_nodes=True
    )
    return [check_triple_depth(quad.triple) for quad in islice(parsed, max_triples)]


def check_triple_depth(triple: ox.Triple) -> ox.Triple:
    """The triple, unchanged. Raises SyntaxError if its triple terms are nested too deeply."""
    nested, depth = triple.object, 0
    while isinstance(nested, ox.Triple):
        nested, depth = nested.object, depth + 1
        if depth > MAX_TRIPLE_TERM_DEPTH:
            raise SyntaxError(f"more than {MAX_TRIPLE_TERM_DEPTH} nested triple terms")
    return triple


def build_quad(triple: ox.Triple, graph: ox.NamedNode | ox.DefaultGraph) -> ox.Quad:
    """The triple as a quad in a graph."""
    return ox.Quad(triple.subject, triple.predicate, triple.object, graph)


def normalize_triples(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    """The distinct triples as a pyoxigraph store returns them: numbers and booleans are in canonical form."""
    return (quad.triple for quad in normalize_quads(triples, ox.DefaultGraph()))


def normalize_quads(triples: Iterable[ox.Triple], graph: ox.NamedNode | ox.DefaultGraph) -> list[ox.Quad]:
    """The distinct triples as quads in a graph, as a pyoxigraph store returns them.

    A store changes only literals with a datatype other than xsd:string, so only these pass through one, which
    takes a third of the time.
    """
    unchanged, others = dict[ox.Quad, None](), list[ox.Quad]()
    for triple in triples:
        quad, term = build_quad(triple, graph), triple.object
        is_typed = isinstance(term, ox.Literal) and not term.language and term.datatype != XSD_STRING
        if is_typed or isinstance(term, ox.Triple):
            others.append(quad)
        else:
            unchanged[quad] = None
    store = ox.Store()
    store.extend(others)
    return [*unchanged, *store]


def replace_literal_text(literal: ox.Literal, text: str) -> ox.Literal:
    """A literal with a new text and the language or datatype of `literal`."""
    literal_type = {"language": literal.language} if literal.language else {"datatype": literal.datatype}
    return ox.Literal(text, **literal_type)


def serialize_triples(triples: Iterable[ox.Triple], format_: Format, base: str, main_iri: str = "") -> bytes:
    """The triples, each once and in a stable order, in an RDF format; `base` is the base IRI of the graph.

    Those about `main_iri` are first; in Turtle, those about its parts follow, with a blank line after each
    subject. Raises UnserializableError if the format cannot express one of them.
    """
    has_parts = format_ is TURTLE and bool(main_iri)
    ordered = sort_for_reading(triples, main_iri, has_parts=has_parts)
    prefixes = find_used_prefixes(ordered, base)
    with translate_serializer_errors(format_.media_type):
        body = ox.serialize(ordered, format=rdf_format(format_.media_type), prefixes=prefixes) or b""
    check_output_readable(body, format_.media_type)
    return lay_out_turtle(body) if has_parts else body


def lay_out_turtle(body: bytes) -> bytes:
    """Turtle of pyoxigraph with its prefixes sorted, and a blank line before each subject.

    Only the statements about a subject end in a dot and a line break, as no text has a raw line break.
    """
    prefixes = TURTLE_PREFIXES_PATTERN.match(body)
    assert prefixes
    subjects = body[prefixes.end() :].replace(b" .\n", b" .\n\n").removesuffix(b"\n")
    return b"".join([*sorted(prefixes[0].splitlines(keepends=True)), b"\n", subjects]).lstrip()


def serialize_n_triples(triples: Iterable[ox.Triple]) -> bytes:
    """The triples as N-Triples, in their order."""
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""


def serialize_n_quads(quads: Iterable[ox.Quad]) -> bytes:
    """The quads as N-Quads, in their order."""
    return ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b""


def parse_n_quads(text: str | bytes) -> Iterator[ox.Quad]:
    """The quads of an N-Quads text; blank nodes keep their labels."""
    return ox.parse(text, format=ox.RdfFormat.N_QUADS)


def sort_for_reading(
    triples: Iterable[ox.Triple], main_iri: str = "", *, has_parts: bool = False
) -> list[ox.Triple]:
    """The triples, each once, by subject, its type first, then by property.

    Those about `main_iri` are first. If it `has_parts`, those about its parts, below its IRI, follow.
    """
    main_start, part_start = f"<{main_iri}> ", f"<{main_iri}/"

    def sort_key(text: str) -> str:
        text = text.replace(TYPE_IN_TRIPLE, "  ", 1)
        if main_iri and text.startswith(main_start):
            return "\0" + text
        return "\1" + text if has_parts and text.startswith(part_start) else text

    triples_by_text = {str(triple): triple for triple in triples}  # texts take less time to hash
    # Sorting is fast, as the input is nearly sorted.
    return [triples_by_text[text] for text in sorted(triples_by_text, key=sort_key)]


def find_used_prefixes(triples: Iterable[ox.Triple], base: str) -> dict[str, str]:
    """The namespaces, by prefix, that shorten at least one IRI of the triples."""
    iris = set[str]()
    for subject, predicate, object_ in triples:
        if isinstance(subject, ox.NamedNode):
            iris.add(subject.value)
        iris.add(predicate.value)
        if isinstance(object_, ox.NamedNode):
            iris.add(object_.value)
        elif isinstance(object_, ox.Literal):
            iris.add(object_.datatype.value)
    prefixes = {name.partition(":")[0] for iri in iris if (name := shorten_iri(iri, base)) != iri}
    return {
        prefix: namespace for prefix, namespace in namespaces_by_prefix(base).items() if prefix in prefixes
    }
