"""Parse a paper in Markdown to RDF, with the position of each triple in the text."""

from collections.abc import Sequence

import pyoxigraph as ox
from wgig_client.literals import build_typed_literal

from ...problems import Problem
from ...rdf.namespaces import expand_curie
from ...rdf.positions_turtle import TriplePosition
from ...text import TextLines
from .body import BodyReader
from .front_matter import (
    FrontMatter,
    FrontMatterValue,
    add_front_matter,
    build_initial_statements,
    list_paper_titles,
)
from .graph import PAPER_LABEL_PREFIX
from .outline import parse_outline
from .statements import PaperStatements

MAX_PAPER_CHARACTERS = 250_000  # a longer paper takes noticeably long to parse


def check_paper_length(text: str) -> None:
    """Raise Problem 413 if the text is too long for a paper."""
    if len(text) > MAX_PAPER_CHARACTERS:
        raise Problem(
            413,
            f"The paper is longer than {MAX_PAPER_CHARACTERS} characters. Five pages have about "
            "20,000 characters.",
        )


def parse_paper_triples(text: str) -> tuple[list[ox.Triple], list[TriplePosition]]:
    """The triples of a paper, and the position of each. Raises the Problems of `parse_paper_statements`."""
    statements = parse_paper_statements(text)
    return list(statements.positions_by_triple), list(statements.positions_by_triple.values())


def check_encodable(text: str) -> None:
    """Raise Problem 400 with line and column if the text has a lone surrogate, which UTF-8 cannot encode."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        position = TextLines(text).locate(error.start)
        detail = (
            f"Line {position.line}, column {position.column}: this is an incomplete character (an "
            "unpaired surrogate). Remove it."
        )
        raise Problem(400, detail, slug="syntax", **position._asdict()) from error


def parse_paper_statements(text: str) -> PaperStatements:
    """The statements of a paper, with positions and slots, which the module `statements` explains.

    A statement that a heading implies has the position of the heading. A statement that every paper has is at
    the paper name in the front matter. An invalid value is kept, so that the check reports it. Raises Problem
    400 with line and column for text that does not fit the template.
    """
    check_encodable(text)
    front_matter = FrontMatter(text)
    statements = build_initial_statements(front_matter)
    body = BodyReader(text, parse_outline(text, front_matter.body_offset), statements)
    tagged_titles = list_paper_titles(front_matter)
    if body.title:
        tagged_titles.append((FrontMatterValue(body.title.title, body.title.offset), ""))
    titles = [(title, language or statements.language) for title, language in tagged_titles]
    english_titles = (title for title, language in titles if language == "en")
    label_title = next(english_titles, titles[0][0] if titles else None)
    statements.title = label_title.text if label_title else statements.slug
    add_paper_itself(statements, titles)
    add_front_matter(front_matter, statements)
    body.read_sections()
    return statements


def add_paper_itself(statements: PaperStatements, titles: Sequence[tuple[FrontMatterValue, str]]) -> None:
    """Add the type, label and round of the paper, and its titles with their languages."""
    paper, offset = statements.paper, statements.node_offsets[statements.paper]
    statements.add_value(paper, "rdf:type", expand_curie("wgig:IssuePaper"), offset)
    statements.add_value(
        paper, "rdfs:label", ox.Literal(f"{PAPER_LABEL_PREFIX}{statements.title}", language="en"), offset
    )
    statements.add_value(paper, "wgig:round", build_typed_literal("1", "integer"), offset)
    for title, language in titles:
        statements.add_value(paper, "dcterms:title", ox.Literal(title.text, language=language), title.offset)
