"""Read a paper in Markdown as RDF, with the place of each triple."""

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.positions_turtle import Spot
from .body import Body
from .front_matter import Head, Value, begun, state, titles
from .outline import outline
from .statements import Statements
from .values import iri, typed

LONGEST = 250_000  # characters: the time to read them is felt


def short(text: str) -> str:
    """The text. Raises Problem 413 where it is no paper by its length."""
    if len(text) > LONGEST:
        raise Problem(413, f"The paper is longer than {LONGEST} characters. Five pages have some 20000.")
    return text


def read(text: str) -> tuple[list[ox.Triple], list[Spot]]:
    """The triples of a paper and, for each, where in the text it is written. Raises Problem as `stated`."""
    about = stated(text)
    return list(about.spots), list(about.spots.values())


def stated(text: str) -> Statements:
    """What a paper says, and where in the text it says so or has a place for it.

    What belongs to a heading stands at the heading, what belongs to the whole paper at its name in the head.
    A value that is merely wrong is read as it is, for the rules to find it. Raises Problem 400 with line and
    column for what the form has no place for.
    """
    head = Head(text)
    about = begun(head)
    body = Body(text, outline(text, head.end), about)
    named = titles(head)
    if body.title:
        named.append((Value(body.title.title, body.title.at), ""))
    spoken = [(one, language or about.language) for one, language in named]
    about.title = next(
        (one.words for one, language in spoken if language == "en"),
        spoken[0][0].words if spoken else about.slug,
    )

    paper, at = about.paper, about.homes[about.paper]
    about.say(paper, "rdf:type", iri("wgig:IssuePaper"), at)
    about.say(paper, "rdfs:label", ox.Literal(f"Issue paper: {about.title}", language="en"), at)
    about.say(paper, "wgig:round", typed("1", "integer"), at)
    for one, language in spoken:
        about.say(paper, "dcterms:title", ox.Literal(one.words, language=language), one.at)
    state(head, about)
    body.state()
    return about
