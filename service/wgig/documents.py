"""A file that somebody sends to be checked: its text, its triples, and where in the text each is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyoxigraph as ox

from .bodies import text
from .formats import DATASETS, GRAPHS, RDF_XML, Format
from .places import Spot, spots
from .problems import Problem
from .rdf import rdf_format
from .settings import Settings
from .wellformed import check as check_xml

MARKDOWN = Format("text/markdown", "md", "Markdown", "", ("text/x-markdown",))
WORD = Format("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx", "Word")
FORMATS = (*GRAPHS, *DATASETS, MARKDOWN, WORD)
SUFFIXES = {one.suffix: one for one in FORMATS} | {"markdown": MARKDOWN, "owl": RDF_XML, "json": GRAPHS[2]}

BASE = f"{Settings.base}id/paper/"  # relative IRIs are names of papers


@dataclass(frozen=True)
class Document:
    """A paper as it was sent. `name` is what its sender calls it, `written` finds the spots when asked."""

    name: str
    text: str
    format: Format
    triples: Sequence[ox.Triple]
    written: Callable[[], Sequence[Spot]]

    @cached_property
    def spots(self) -> Sequence[Spot]:
        """Where each triple is written, in the order of the triples; empty where that cannot be told."""
        return self.written()


def format_of(name: str) -> Format | None:
    """The format of a file by the ending of its name."""
    return SUFFIXES.get(name.rpartition(".")[2].lower())


def read(name: str, data: bytes, format_: Format) -> Document:
    """The document in the bytes. Raises Problem 400 with line and column, 413 for a huge Word file."""
    return READERS.get(format_, read_rdf)(name, data, format_)


def read_rdf(name: str, data: bytes, format_: Format) -> Document:
    """A document in a syntax of RDF."""
    source = text(data, "file").removeprefix("\ufeff")
    triples = parse(source, format_)
    return Document(name, source, format_, triples, lambda: spots(source, format_.media_type, triples))


def read_markdown(name: str, data: bytes, format_: Format) -> Document:
    """A paper in the Markdown form."""
    from . import markdown  # noqa: PLC0415  who sends RDF need not wait for it

    source = text(data, "file").removeprefix("\ufeff")
    triples, found = markdown.read(source)
    return Document(name, source, format_, triples, lambda: found)


def read_word(name: str, data: bytes, format_: Format) -> Document:
    """A paper in a Word file with the headings of the Markdown form. Nothing in it has a line."""
    from . import markdown, word  # noqa: PLC0415  who sends RDF need not wait for it

    source = word.to_markdown(data)
    triples, _ = markdown.read(source)
    return Document(name, source, format_, triples, list)


READERS: dict[Format, Callable[[str, bytes, Format], Document]] = {MARKDOWN: read_markdown, WORD: read_word}


def parse(source: str, format_: Format) -> list[ox.Triple]:
    """The triples of an RDF document, those of all its graphs. Raises Problem 400 with line and column."""
    try:
        if format_ is RDF_XML:
            check_xml(source.encode())
        found = [one.triple for one in ox.parse(source, rdf_format(format_.media_type), base_iri=BASE)]
    except SyntaxError as error:
        raise unreadable(source, format_, error) from error
    if any(isinstance(one.object, ox.Triple) for one in found):
        raise Problem(
            400, "The file says something about a statement (RDF 1.2). A paper has no use for that."
        )
    return found


def unreadable(source: str, format_: Format, error: SyntaxError) -> Problem:
    """The 400 that says where the text is no such format, with the line and a caret below the place."""
    detail = f"The file is no {format_.title}: {error.msg}."
    if not error.lineno:
        return Problem(400, detail, slug="syntax")
    lines = source.split("\n")
    line = lines[error.lineno - 1] if error.lineno <= len(lines) else ""
    column = min(error.offset or 1, len(line) + 1)
    start = max(0, column - 80)
    excerpt = f"{line[start : start + 120].rstrip()}\n{' ' * (column - 1 - start)}^"
    return Problem(400, detail, slug="syntax", line=error.lineno, column=error.offset or 1, excerpt=excerpt)
