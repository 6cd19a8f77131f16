"""Document: a file to check, with its text, its triples, and the position of each triple in the text.

`read_rdf` reads the RDF formats. `papers.readers.read_paper_document`, in a package above this one, reads
Markdown and Word, too. Both are of the type `DocumentReader`: they raise Problem 400 with line and column for
a file that cannot be read, 413 for too many triples. Positions (`triple_positions`, `slots`) are character
offsets. Those of triples are computed only when a finding needs them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain, islice

import pyoxigraph as ox

from ..i18n import gettext_noop
from ..problems import Problem
from ..rdf.formats import JSON_LD, RDF_XML, Format
from ..rdf.jsonld_context import KNOWN_CONTEXTS, RemoteContextError, parse_inlining_context
from ..rdf.namespaces import PAPER_NAMESPACE
from ..rdf.parsing import check_brackets, check_jsonld_contexts, check_xml
from ..rdf.positions import find_triple_positions
from ..rdf.positions_turtle import TriplePosition
from ..rdf.serialization import rdf_format
from ..rdf.syntax_errors import explain_syntax_error
from ..text import TextLines
from .results import Term

EMPTY_FILE_MESSAGE = gettext_noop("The file is empty.")


@dataclass(frozen=True)
class Document:
    """A file to check. `name` is the file name given by the sender.

    `find_positions` computes `triple_positions` on demand. `slots` are the headings and keys of a form below
    which a value is expected: their offsets by node and by the IRI of the property or criterion.
    """

    name: str
    text: str
    format: Format
    triples: Sequence[ox.Triple]
    find_positions: Callable[[], Sequence[TriplePosition]]
    slots: Mapping[tuple[ox.NamedNode, str], int] = field(default_factory=dict)

    @cached_property
    def numbers_by_subject(self) -> dict[Term, list[int]]:
        """The indexes in `triples` of the triples of each subject."""
        numbers: dict[Term, list[int]] = {}
        for number, triple in enumerate(self.triples):
            numbers.setdefault(triple.subject, []).append(number)
        return numbers

    @cached_property
    def numbers_by_object(self) -> dict[Term, list[int]]:
        """The indexes in `triples` of the triples with each object."""
        numbers: dict[Term, list[int]] = {}
        for number, triple in enumerate(self.triples):
            numbers.setdefault(triple.object, []).append(number)
        return numbers

    @cached_property
    def triples_by_property(self) -> dict[ox.NamedNode, list[ox.Triple]]:
        """The triples with each property."""
        triples: dict[ox.NamedNode, list[ox.Triple]] = {}
        for triple in self.triples:
            triples.setdefault(triple.predicate, []).append(triple)
        return triples

    @cached_property
    def object_nodes(self) -> set[ox.NamedNode | ox.BlankNode]:
        """The IRIs and blank nodes that are objects of triples."""
        return {
            node for triple in self.triples if not isinstance(node := triple.object, (ox.Literal, ox.Triple))
        }

    def iter_property_triples(self, properties: Iterable[ox.NamedNode]) -> Iterator[ox.Triple]:
        """The triples with one of these properties."""
        return chain.from_iterable(self.triples_by_property.get(property_, ()) for property_ in properties)

    def triples_about(self, node: Term) -> Iterator[ox.Triple]:
        """The triples with this subject."""
        return (self.triples[number] for number in self.numbers_by_subject.get(node, ()))

    def find_objects(self, node: Term, predicate: str) -> list[Term]:
        """The objects of a node's triples with this property IRI."""
        return [triple.object for triple in self.triples_about(node) if triple.predicate.value == predicate]

    def find_object_nodes(self, node: Term) -> set[Term]:
        """The IRIs and blank nodes that are objects of a node's triples."""
        return {
            target
            for triple in self.triples_about(node)
            if not isinstance(target := triple.object, ox.Literal)
        }

    @cached_property
    def text_lines(self) -> TextLines:
        """The lines of the text."""
        return TextLines(self.text)

    @cached_property
    def triple_positions(self) -> Sequence[TriplePosition]:
        """The position of each triple, in the order of the triples; empty if the format has no positions."""
        return self.find_positions()


# Called with file name, bytes, format, maximum number of triples, and base IRI for relative IRIs.
# Raises Problem 400 with line and column, 413 for too many triples.
DocumentReader = Callable[[str, bytes, Format, int, str], Document]


def read_rdf(
    name: str, data: bytes, format_: Format, max_triples: int, base: str = PAPER_NAMESPACE
) -> Document:
    """The document in the bytes of an RDF file.

    Raises Problem 400 with line and column for an invalid file, 413 for too many triples.
    """
    text = decode_document_text(data)
    triples = parse_document_triples(text, format_, max_triples, base)
    find_positions = partial(find_triple_positions, text, format_.media_type, triples, KNOWN_CONTEXTS)
    return Document(name, text, format_, triples, find_positions)


def decode_document_text(data: bytes) -> str:
    """The text in the bytes, without a byte order mark.

    Raises Problem 400 with line and column if it is not UTF-8 or has a NUL character.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise build_encoding_problem("is not valid UTF-8", data[: error.start].decode()) from error
    before, nul, _ = text.partition("\0")
    if nul:
        raise build_encoding_problem("has a NUL character", before)
    return text.removeprefix("\ufeff")


def build_encoding_problem(cause: str, before: str) -> Problem:
    """The Problem 400 for a file that cannot be read after the text `before`, with line and column."""
    position = TextLines(before).locate(len(before))
    place = f"in line {position.line}, column {position.column}"
    return Problem(400, f"The file {cause} {place}. Save it as text in UTF-8.", **position._asdict())


def collect_limited_triples(triples: Iterable[ox.Triple], max_triples: int) -> list[ox.Triple]:
    """The triples as a list. Raises Problem 413 for more than `max_triples`, without reading the rest."""
    collected = list(islice(triples, max_triples + 1))
    if len(collected) > max_triples:
        raise build_triple_limit_problem(max_triples)
    return collected


def build_triple_limit_problem(max_triples: int) -> Problem:
    """The Problem 413 for more triples than one check accepts."""
    return Problem(
        413,
        f"More than {max_triples} triples, the limit for one check; a paper has a few hundred. "
        "Check fewer papers at once, or increase WGIG_PAPER_TRIPLES.",
    )


def parse_document_triples(text: str, format_: Format, max_triples: int, base: str) -> list[ox.Triple]:
    """The triples of an RDF document, from all its graphs.

    Raises Problem 400 if it is invalid (with line and column) or uses RDF 1.2, 413 for too many triples.
    """
    try:
        if format_ is RDF_XML:
            check_xml(text.encode())
        elif format_ is JSON_LD:
            check_jsonld_contexts(text)
        else:
            check_brackets(text)
        triples = parse_inlining_context(
            text, lambda inlined_text: parse_limited_triples(inlined_text, format_, max_triples, base)
        )
    except MemoryError as error:
        raise Problem(
            413, f"The file is too large or too deeply nested for {format_.title}: {error}."
        ) from error
    except SyntaxError as error:
        raise build_syntax_problem(text, format_, error) from error
    if any(isinstance(triple.object, ox.Triple) for triple in triples):
        raise Problem(400, "The file has a triple term (RDF 1.2), which papers do not use. Remove it.")
    if any(isinstance(triple.object, ox.Literal) and triple.object.direction for triple in triples):
        raise Problem(
            400, "A text in the file has a base direction (RDF 1.2). Give only its language, such as @ar."
        )
    return triples


def parse_limited_triples(text: str, format_: Format, max_triples: int, base: str) -> list[ox.Triple]:
    """The triples that pyoxigraph parses from a text.

    Raises SyntaxError with the position of an error, and Problem 413 for more than `max_triples`.
    """
    quads = ox.parse(text, rdf_format(format_.media_type), base_iri=base)
    return collect_limited_triples((quad.triple for quad in quads), max_triples)


def build_syntax_problem(text: str, format_: Format, error: SyntaxError) -> Problem:
    """The Problem 400 for a text that is not valid in the format, with line, column and an excerpt.

    A caret below the excerpt marks the column.
    """
    if isinstance(error, RemoteContextError):
        return Problem(400, f"The file cannot be read: {error.msg}.")
    explained = explain_syntax_error(text, format_.media_type, error)
    detail, position = f"The file is not valid {format_.title}. {explained.message}", explained.position
    if not position:
        return Problem(400, detail, slug="syntax")
    members = {**position._asdict(), "excerpt": TextLines(text).excerpt(position)}
    if explained.insertion:
        members["correction"] = {"old": "", "new": explained.insertion}
    return Problem(400, detail, slug="syntax", **members)
