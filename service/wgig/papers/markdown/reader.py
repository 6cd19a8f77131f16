"""Read a paper in Markdown as RDF, with the position of each triple."""

from collections.abc import Sequence

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.literals import build_typed_literal
from ...rdf.namespaces import expand_curie
from ...rdf.positions_turtle import TriplePosition
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

MAX_PAPER_CHARACTERS = 250_000  # characters; longer ones would take noticeably long to read


def check_paper_length(text: str) -> str:
    """The text. Raises Problem 413 where it is too long for a paper."""
    if len(text) > MAX_PAPER_CHARACTERS:
        raise Problem(
            413, f"The paper is longer than {MAX_PAPER_CHARACTERS} characters. Five pages have about 20000."
        )
    return text


def parse_paper_triples(text: str) -> tuple[list[ox.Triple], list[TriplePosition]]:
    """The triples of a paper, and the spot of each. Raises Problem as `parse_paper_statements`."""
    statements = parse_paper_statements(text)
    return list(statements.spots), list(statements.spots.values())


def parse_paper_statements(text: str) -> PaperStatements:
    """The statements of a paper, with their spots and slots.

    The position of what a heading implies is the heading, that of what applies to the whole paper is its name
    in the front matter. An invalid value is read as it is, for the rules to find it. Raises Problem 400 with
    line and column for what has no place in the template.
    """
    front_matter = FrontMatter(text)
    statements = build_initial_statements(front_matter)
    body = BodyReader(text, parse_outline(text, front_matter.body_offset), statements)
    raw_titles = list_paper_titles(front_matter)
    if body.title:
        raw_titles.append((FrontMatterValue(body.title.title, body.title.offset), ""))
    titles = [(title, language or statements.language) for title, language in raw_titles]
    english = (title for title, language in titles if language == "en")
    label_title = next(english, titles[0][0] if titles else None)
    statements.title = label_title.words if label_title else statements.slug
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
        statements.add_value(paper, "dcterms:title", ox.Literal(title.words, language=language), title.offset)
