"""What stands between a paper and its graph: each write is checked first, and refused if it does not conform.

The graph `graph/paper/<name>` is about the paper `id/paper/<name>`. The check runs where those of `/validate`
run, in a process with limits.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pyoxigraph as ox

from ..http.bodies import Part
from ..http.negotiation import negotiate
from ..problems import Problem
from ..rdf import formats, serialization
from ..rdf.formats import GRAPHS, HTML, JSON, N_TRIPLES, PROBLEM, Format, named
from ..rdf.namespaces import LOCAL, WGIG
from ..rdf.positions_turtle import Spot
from ..settings import Settings
from .check import OTHERS, reported, results_of
from .conformance_graph import PAPER, TYPE, Board, paper
from .documents import Document, Reader, read_rdf
from .engines import Result
from .findings import BLOCKING, Report
from .reports import WRITERS

HOME = "graph/paper/"
OFF = "off"
TYPES = (*GRAPHS, formats.MARKDOWN)
ASSESSMENT = ox.NamedNode(f"{WGIG}AssessmentPaper")  # of another form, for which there are no rules

NOWHERE = Spot(-1, -1, -1)  # of a triple that the author did not send

# Who reads HTML gets the problem as a page: the page of a report holds styles, which none of the service may.
REPORTS = tuple(one for one in WRITERS if one is not HTML)


class Submitted(NamedTuple):
    """What is sent to the graph of a paper, beside what is `there` already and stays, as N-Triples.

    An update sends no parts: all that the graph would hold is `there`. `read` reads the parts. A report on it
    is to be in this format and language.
    """

    graph: str
    parts: Sequence[Part]
    there: bytes
    read: Reader
    format: Format
    language: str
    settings: Settings


class Checked(NamedTuple):
    """What was sent, as N-Triples; or the report on what is wrong with it.

    And what the engine found in the paper, with the digest of what an assertion on it rests on.
    """

    triples: bytes = b""
    report: bytes = b""
    digest: str = ""
    results: frozenset[Result] = frozenset()


def guards(graph: str | None, base: str) -> bool:
    """Whether this is the graph of a paper."""
    return graph is not None and graph.startswith(base + HOME)


def report_format(accept: Sequence[str]) -> Format:
    """The format of a report for a client, by its Accept fields. No write is refused for them."""
    try:
        return negotiate(accept, (*REPORTS, PROBLEM, HTML))
    except Problem:
        return PROBLEM


def checked(todo: Submitted) -> Checked:
    """Check what the graph would hold.

    Raises Problem 400 with line and column where something does not parse, 422 where the graph would not
    describe the paper of its name, or where the report is to be a problem, 413 for too much.
    """
    sent = [read(part, todo) for part in todo.parts]
    lines = b"".join(map(apart, sent))
    profile = todo.settings.write_profile
    if profile == OFF:
        return Checked(lines)
    whole = sent[0] if len(sent) == 1 and not todo.there else joined(sent, lines, todo)
    has_rules = is_issue_paper(whole, todo)
    check_subjects(whole, todo)
    if not has_rules:
        return Checked(lines)
    results = results_of(whole, todo.settings.shacl)
    report = reported(whole, profile, results)
    if not report.conforms:
        return Checked(report=refusal(report, todo))
    digest = board(todo.settings.base, todo.settings.shacl).digest_of(
        [*serialization.as_stored(whole.triples)]
    )
    return Checked(lines, digest=digest, results=frozenset(results))


@cache
def board(base: str, by: str) -> Board:
    """The board on which the paper will stand."""
    return Board(base, by)


def read(part: Part, todo: Submitted) -> Document:
    """A document that was sent, read. Raises Problem 400, 413."""
    format_ = named(part.content_type, TYPES)
    name = part.name or f"paper.{format_.suffix}"
    return todo.read(name, part.body, format_, todo.settings.paper_triples, todo.graph)


def apart(document: Document) -> bytes:
    """The triples of a document as N-Triples, with blank nodes that no other document has."""
    return written(serialization.read(written(document.triples), N_TRIPLES.media_type))


def written(triples: Iterable[ox.Triple]) -> bytes:
    """The triples as N-Triples."""
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""


def joined(sent: Sequence[Document], lines: bytes, todo: Submitted) -> Document:
    """All that the graph would hold, as one document: what is there, then `lines`, which is what was sent.

    A place in it is one in the text of the only part that was sent. Nothing else has one: its author did not
    send what is there, and a report tells the name of one file alone. Raises Problem 413.
    """
    name = todo.graph.removeprefix(todo.settings.base + HOME)
    whole = read_rdf(name, todo.there + lines, N_TRIPLES, todo.settings.paper_triples)
    if len(sent) != 1:
        return replace(whole, written=tuple)
    (part,) = sent

    def spots() -> list[Spot]:
        before = len(whole.triples) - len(part.triples)  # N-Triples keep number and order of the triples
        return [NOWHERE] * before + list(part.spots) if part.spots else []

    return replace(part, triples=whole.triples, written=spots)


def is_issue_paper(document: Document, todo: Submitted) -> bool:
    """Whether the document describes the issue paper of the graph's name; if not, it is an assessment paper.

    Raises Problem 422 where it is neither, or describes another issue paper.
    """
    name = todo.graph.removeprefix(todo.settings.base + HOME)
    if not LOCAL.fullmatch(name):
        raise Problem(
            422, f"{name!r} is no name of a paper. Take letters, digits, hyphens, underscores and dots."
        )
    own = paper(name)
    kinds = {(one.subject, one.object) for one in document.along([TYPE])}
    others = [subject for subject, kind in kinds if kind == PAPER and subject != own]
    if others:
        raise Problem(
            422,
            f"The graph is about the paper {own}, and it would describe {others[0]}. Name one or the other.",
        )
    if not {(own, PAPER), (own, ASSESSMENT)} & kinds:
        raise Problem(
            422,
            f"The graph would not describe its paper. Say that {own} is a wgig:IssuePaper.",
            slug="no-paper",
        )
    return (own, PAPER) in kinds


def check_subjects(document: Document, todo: Submitted) -> None:
    """Raises Problem 422 where the document says something of what is not the paper's to describe."""
    own = paper(todo.graph.removeprefix(todo.settings.base + HOME)).value
    for one in document.described:
        iri = one.value if isinstance(one, ox.NamedNode) else own
        if iri not in (own, todo.graph) and not iri.startswith((f"{own}/", *OTHERS)):
            raise Problem(
                422,
                f"The graph is about the paper <{own}>, and it would say something of <{iri}>, which is "
                "neither a part of it nor somebody who took part. Leave that out.",
            )


def refusal(report: Report, todo: Submitted) -> bytes:
    """The report in the format that was asked for. Raises Problem 422 where that is a problem."""
    if todo.format in REPORTS:
        return WRITERS[todo.format]([report], todo.language)
    blocking = [
        one for one in report.findings if one.rule.severity in BLOCKING[report.profile] and not one.waiver
    ]
    raise Problem(
        422,
        f"The paper does not conform to the profile {report.profile}, and nothing was written. "
        f"{' '.join(one.rule.says(todo.language) for one in blocking[:1])}",
        report=json.loads(WRITERS[JSON]([report], todo.language)),
    )
