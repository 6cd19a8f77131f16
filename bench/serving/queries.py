"""The queries that all servers get: each in as many variants as needed, all of the same cost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import pyoxigraph as ox

from ..data import generate
from ..measure.client import NONE, request

JSON, TURTLE = "application/sparql-results+json", "text/turtle"
SEED = 1
# As wide everywhere, so that all texts of a question, and all answers, are equally long.
DIGITS = 7
PREFIXES = """PREFIX cito: <http://purl.org/spar/cito/>
PREFIX wgig: <https://w3id.org/wgig/ontology#>
"""


@dataclass(frozen=True)
class Question:
    """A query, and how many times as fast as `oxigraph serve` we are to be at least, where there is a goal.

    In its text, `_N` is another number each time, and `PAPER` another paper.
    """

    name: str
    query: str
    repeated: float | None = 15.0
    first: float | None = None  # asked for the first time, in memory
    beyond: float | None = None  # asked for the first time, where the graph does not fit memory
    accept: str = JSON
    same: bool = True  # all servers give the very same rows, not just as many
    page: str = ""  # what is asked of ours in place of the query

    def text(self, number: int, papers: int) -> str:
        """The query, other for each number, over so many papers."""
        return filled(PREFIXES + self.query, number, papers)

    def request(self, path: str, number: int, papers: int, fields: Mapping[str, str] = NONE) -> bytes:
        """The request to a server whose queries go to a path."""
        query = urlencode({"query": self.text(number, papers)})
        return request(f"{path}?{query}", self.accept, fields)

    def own_request(self, path: str, number: int, papers: int, fields: Mapping[str, str] = NONE) -> bytes:
        """The request to our service."""
        if not self.page:
            return self.request(path, number, papers, fields)
        return request(filled(self.page, number, papers), self.accept, fields)


def filled(text: str, number: int, papers: int) -> str:
    """A text with its number and its paper."""
    return text.replace("_N", f"_{number:0{DIGITS}}").replace(
        "PAPER", f"made-up-{SEED}-{number % papers + 1}"
    )


QUESTIONS = [
    Question(
        "ASK",
        "ASK { <https://w3id.org/wgig/id/paper/PAPER> wgig:issue ?issue_N }",
        repeated=2.5,
        first=0.35,
    ),
    Question(
        "one thing",
        "SELECT ?is_N ?what_N WHERE { <https://w3id.org/wgig/id/paper/PAPER> ?is_N ?what_N }",
        repeated=5,
        first=0.7,
    ),
    Question(
        "three-way join, LIMIT 100",
        """SELECT ?paper_N ?criterion_N ?cited_N WHERE {
             ?paper_N wgig:assessment ?assessment_N .
             ?assessment_N wgig:criterion ?criterion_N ; cito:cites ?cited_N .
           } LIMIT 100""",
        first=1.7,
        beyond=0.85,
        same=False,
    ),
    Question(
        "coverage matrix",
        """SELECT ?issue_N ?criterion_N ?verdict_N (COUNT(?paper_N) AS ?papers_N) WHERE {
             ?paper_N wgig:issue ?issue_N ; wgig:assessment ?assessment_N .
             ?assessment_N wgig:criterion ?criterion_N ; wgig:verdict ?verdict_N .
           } GROUP BY ?issue_N ?criterion_N ?verdict_N""",
        first=2.5,
        beyond=0.85,
    ),
    Question(
        "property path",
        """SELECT ?paper_N ?part_N WHERE {
             ?paper_N wgig:issue <https://w3id.org/wgig/id/issue/spam> .
             ?paper_N (wgig:assessment|wgig:judges)+ ?part_N .
           }""",
        first=1.7,
        beyond=0.85,
    ),
    Question(
        "text filter",
        """SELECT ?paper_N ?text_N WHERE {
             ?paper_N wgig:issueDescription ?text_N .
             FILTER(CONTAINS(LCASE(STR(?text_N)), "timetable of the reform beyond the larger cities"))
           }""",
        beyond=0.85,
    ),
    Question(
        "100,000 rows",
        "SELECT ?thing_N ?is_N ?what_N WHERE { ?thing_N ?is_N ?what_N } LIMIT 100000",
        first=1.7,
        beyond=0.85,
        same=False,
    ),
    Question(
        "COUNT",
        "SELECT (COUNT(*) AS ?statements_N) WHERE { ?thing_N ?is_N ?what_N }",
        first=2.5,
        beyond=0.85,
    ),
    Question(
        "whole graph as Turtle",
        """CONSTRUCT { ?thing_N ?is_N ?what_N }
           WHERE { GRAPH <https://w3id.org/wgig/graph/paper/PAPER> { ?thing_N ?is_N ?what_N } }""",
        first=1.3,
        accept=TURTLE,
    ),
    Question(
        "/doc, or DESCRIBE",
        "DESCRIBE <https://w3id.org/wgig/id/paper/PAPER>",
        first=1.0,
        accept=TURTLE,
        same=False,
        page="/doc/paper/PAPER",
    ),
]
BY_NAME = {one.name: one for one in QUESTIONS}
ROWS = BY_NAME["100,000 rows"]


def rows(question: Question, body: bytes) -> list[tuple[str, ...]]:
    """What an answer holds, in an order of its own: rows of values, or statements, or yes or no.

    Types of literals are left out, as servers write the same ones differently. Raises ValueError, SyntaxError
    or KeyError for what cannot be read.
    """
    if question.accept == TURTLE:
        triples = {(str(one.subject), str(one.predicate), value(one.object)) for one in read(body)}
        return sorted(triples)
    found = json.loads(body)
    if "boolean" in found:
        return [(str(found["boolean"]).lower(),)]
    names = found["head"]["vars"]
    return sorted(tuple(value(row[name]["value"]) for name in names) for row in found["results"]["bindings"])


def read(body: bytes) -> Sequence[ox.Triple]:
    """The statements of an answer in Turtle."""
    return [quad.triple for quad in ox.parse(body, ox.RdfFormat.TURTLE, base_iri=generate.BASE)]


def value(term: object) -> str:
    """The text of a term, without its type. True is written as 1 in places, also as the answer to ASK."""
    text = str(getattr(term, "value", term))
    return {"1": "true", "0": "false"}.get(text, text)
