"""Read a paper in Markdown as RDF, with the place of each triple."""

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

MAX_PAPER_CHARACTERS = 250_000  # characters: the time to read them is felt


def check_paper_length(text: str) -> str:
    """The text. Raises Problem 413 where it is no paper by its length."""
    if len(text) > MAX_PAPER_CHARACTERS:
        raise Problem(
            413, f"The paper is longer than {MAX_PAPER_CHARACTERS} characters. Five pages have some 20000."
        )
    return text


def parse_paper_triples(text: str) -> tuple[list[ox.Triple], list[TriplePosition]]:
    """The triples of a paper, and where each is written. Raises Problem as `parse_paper_statements`."""
    about = parse_paper_statements(text)
    return list(about.spots), list(about.spots.values())


def parse_paper_statements(text: str) -> PaperStatements:
    """What a paper says, and where in the text it says so or has a place for it.

    What belongs to a heading stands at the heading, what belongs to the whole paper at its name in the head.
    A value that is merely wrong is read as it is, for the rules to find it. Raises Problem 400 with line and
    column for what the form has no place for.
    """
    head = FrontMatter(text)
    about = build_initial_statements(head)
    body = BodyReader(text, parse_outline(text, head.body_offset), about)
    named = list_paper_titles(head)
    if body.title:
        named.append((FrontMatterValue(body.title.title, body.title.offset), ""))
    titles = [(one, language or about.language) for one, language in named]
    english = (one for one, language in titles if language == "en")
    first = next(english, titles[0][0] if titles else None)
    about.title = first.words if first else about.slug
    add_paper_itself(about, titles)
    add_front_matter(head, about)
    body.read_sections()
    return about


def add_paper_itself(about: PaperStatements, titles: Sequence[tuple[FrontMatterValue, str]]) -> None:
    """State what the paper is, and its titles, each with its language."""
    paper, at = about.paper, about.node_offsets[about.paper]
    about.add_value(paper, "rdf:type", expand_curie("wgig:IssuePaper"), at)
    about.add_value(paper, "rdfs:label", ox.Literal(f"{PAPER_LABEL_PREFIX}{about.title}", language="en"), at)
    about.add_value(paper, "wgig:round", build_typed_literal("1", "integer"), at)
    for one, language in titles:
        about.add_value(paper, "dcterms:title", ox.Literal(one.words, language=language), one.offset)
