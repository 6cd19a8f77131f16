"""Document: a file that is to be checked, with its text, its triples, and where in the text each is written.

`read_rdf` reads the RDF formats; `papers.readers.read_paper_document` adds Markdown and Word, which lie above
this package. Both are a `DocumentReader`: 400 with line and column where a file cannot be read, 413 for too
many triples. Positions (`spots`, `slots`) are offsets in characters, and are looked for only when a finding
needs them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain, islice

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.formats import JSON_LD, RDF_XML, Format
from ..rdf.jsonld_context import KNOWN_CONTEXTS, RemoteContextError, parse_inlining_context
from ..rdf.namespaces import PAPER_NAMESPACE
from ..rdf.parsing import check_brackets as check_nesting
from ..rdf.parsing import check_jsonld_contexts as check_json_ld
from ..rdf.parsing import check_xml
from ..rdf.positions import find_triple_positions
from ..rdf.positions_turtle import TriplePosition
from ..rdf.serialization import rdf_format
from ..text import TextLines, TextPosition
from .results import Term


@dataclass(frozen=True)
class Document:
    """A paper as it was sent. `name` is what its sender calls it, `find_spots` finds the spots when asked.

    `slots` are the places that a form keeps for what may be said: the offset of a heading or key by the node
    and by the IRI of the property or criterion. RDF has none.
    """

    name: str
    text: str
    format: Format
    triples: Sequence[ox.Triple]
    find_spots: Callable[[], Sequence[TriplePosition]]
    slots: Mapping[tuple[ox.NamedNode, str], int] = field(default_factory=dict)

    @cached_property
    def numbers_by_subject(self) -> dict[Term, list[int]]:
        """The nodes that something is said of, with the numbers of the triples that say it."""
        numbers: dict[Term, list[int]] = {}
        for number, triple in enumerate(self.triples):
            numbers.setdefault(triple.subject, []).append(number)
        return numbers

    @cached_property
    def numbers_by_object(self) -> dict[Term, list[int]]:
        """The nodes and literals that something leads to, with the numbers of the triples that do."""
        numbers: dict[Term, list[int]] = {}
        for number, triple in enumerate(self.triples):
            numbers.setdefault(triple.object, []).append(number)
        return numbers

    @cached_property
    def triples_by_property(self) -> dict[ox.NamedNode, list[ox.Triple]]:
        """The properties that are stated, with the triples that state them."""
        triples: dict[ox.NamedNode, list[ox.Triple]] = {}
        for triple in self.triples:
            triples.setdefault(triple.predicate, []).append(triple)
        return triples

    @cached_property
    def object_nodes(self) -> set[ox.NamedNode | ox.BlankNode]:
        """The nodes that statements lead to."""
        return {end for one in self.triples if not isinstance(end := one.object, (ox.Literal, ox.Triple))}

    def iter_property_triples(self, properties: Iterable[ox.NamedNode]) -> Iterator[ox.Triple]:
        """The triples that state one of the properties."""
        return chain.from_iterable(self.triples_by_property.get(one, ()) for one in properties)

    def triples_about(self, node: Term) -> Iterator[ox.Triple]:
        """The triples whose subject is a node."""
        return (self.triples[number] for number in self.numbers_by_subject.get(node, ()))

    def find_objects(self, node: Term, predicate: str) -> list[Term]:
        """The objects of a node along a property."""
        return [one.object for one in self.triples_about(node) if one.predicate.value == predicate]

    def find_object_nodes(self, node: Term) -> set[Term]:
        """The nodes that are objects of a node."""
        return {end for one in self.triples_about(node) if not isinstance(end := one.object, ox.Literal)}

    @cached_property
    def text_lines(self) -> TextLines:
        """The lines of the text."""
        return TextLines(self.text)

    @cached_property
    def spots(self) -> Sequence[TriplePosition]:
        """Where each triple is written, in the order of the triples; empty where that cannot be told."""
        return self.find_spots()


# Reads the bytes of a file with a name, in a format, with at most so many triples; relative IRIs go by the
# last argument. Raises Problem 400 with line and column, 413 for too much.
DocumentReader = Callable[[str, bytes, Format, int, str], Document]


def read_rdf(name: str, data: bytes, format_: Format, most: int, base: str = PAPER_NAMESPACE) -> Document:
    """The document in the bytes, in a syntax of RDF. Raises as a DocumentReader."""
    source = decode_document_text(data)
    triples = parse_document_triples(source, format_, most, base)
    written = partial(find_triple_positions, source, format_.media_type, triples, KNOWN_CONTEXTS)
    return Document(name, source, format_, triples, written)


def decode_document_text(data: bytes) -> str:
    """The text in the bytes. Raises Problem 400 with line and column where it is not UTF-8 or holds a NUL."""
    try:
        source = data.decode()
    except UnicodeDecodeError as error:
        raise build_encoding_problem(
            "is not UTF-8 here. Save it as UTF-8", data[: error.start].decode()
        ) from error
    before, nul, _ = source.partition("\0")
    if nul:
        raise build_encoding_problem(
            "holds a NUL character here. Take it out, and save the file as UTF-8", before
        )
    return source.removeprefix("\ufeff")


def build_encoding_problem(what: str, before: str) -> Problem:
    """The 400 that says what cannot be read after a text."""
    place = TextLines(before).locate(len(before))
    return Problem(400, f"The file {what}.", **place._asdict())


def collect_limited_triples(triples: Iterable[ox.Triple], most: int) -> list[ox.Triple]:
    """The triples. Raises Problem 413 where they are more than `most`, the rest of which is not read."""
    found = list(islice(triples, most + 1))
    if len(found) > most:
        raise build_triple_limit_problem(most)
    return found


def build_triple_limit_problem(most: int) -> Problem:
    """The 413 for more statements than are checked at once."""
    return Problem(
        413,
        f"More than {most} statements are too many to check at once, and a paper has some hundred. "
        "Check fewer papers, or set WGIG_PAPER_TRIPLES higher.",
    )


def parse_document_triples(source: str, format_: Format, most: int, base: str) -> list[ox.Triple]:
    """The triples of an RDF document, those of all its graphs. Raises Problem 400 with line and column."""
    try:
        if format_ is RDF_XML:
            check_xml(source.encode())
        elif format_ is JSON_LD:
            check_json_ld(source)
        else:
            check_nesting(source)
        found = parse_inlining_context(source, lambda text: parse_limited_triples(text, format_, most, base))
    except MemoryError as error:
        raise Problem(413, f"The file is more than can be read as {format_.title}: {error}.") from error
    except SyntaxError as error:
        raise build_syntax_problem(source, format_, error) from error
    if any(isinstance(one.object, ox.Triple) for one in found):
        raise Problem(
            400, "The file says something about a statement (RDF 1.2). A paper has no use for that."
        )
    if any(isinstance(one.object, ox.Literal) and one.object.direction for one in found):
        raise Problem(
            400, "A text of the file has a direction (RDF 1.2). Give it its language alone, such as @ar."
        )
    return found


def parse_limited_triples(source: str, format_: Format, most: int, base: str) -> list[ox.Triple]:
    """The triples that the engine finds in a text. Raises SyntaxError with its place."""
    found = ox.parse(source, rdf_format(format_.media_type), base_iri=base)
    return collect_limited_triples((one.triple for one in found), most)


def build_syntax_problem(source: str, format_: Format, error: SyntaxError) -> Problem:
    """The 400 that says where the text is no such format, with the line and a caret below the place."""
    if isinstance(error, RemoteContextError):
        return Problem(400, f"The file cannot be read: {error.msg}.")
    detail = f"The file is no {format_.title}: {error.msg}."
    if not error.lineno:
        return Problem(400, detail, slug="syntax")
    place = TextPosition(error.lineno, error.offset or 1)
    return Problem(400, detail, slug="syntax", **place._asdict(), excerpt=TextLines(source).excerpt(place))
