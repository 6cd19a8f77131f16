"""The queries that all servers get. Each has variants: other texts for the same work."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import pyoxigraph as ox

from ..data import generate
from ..measure.client import NO_FIELDS, build_request

JSON, TURTLE = "application/sparql-results+json", "text/turtle"
SEED = 1  # of the generated papers
# Numbers are padded, so that all variants of a query, and all their results, are equally long.
NUMBER_DIGITS = 7
PREFIXES = """PREFIX cito: <http://purl.org/spar/cito/>
PREFIX wgig: <https://w3id.org/wgig/ontology#>
"""


@dataclass(frozen=True)
class Question:
    """A query, and its goals: the minimum speed of ours relative to `oxigraph serve`, None for no goal.

    In its text, `_N` stands for the number of the variant, and `PAPER` for a paper.
    """

    name: str
    query: str
    repeated_goal: float | None = 15.0
    first_goal: float | None = None  # first request, from memory
    from_disk_goal: float | None = None  # first request, from disk
    accept: str = JSON
    has_same_rows: bool = True  # whether all servers must return the same rows, not only the same number
    page: str = ""  # the path that ours gets instead of the query

    def text(self, number: int, papers: int) -> str:
        """Variant `number` of the query, for a store with so many papers."""
        return fill_variant(PREFIXES + self.query, number, papers)

    def request(self, path: str, number: int, papers: int, fields: Mapping[str, str] = NO_FIELDS) -> bytes:
        """The request to a server that accepts queries at a path."""
        query = urlencode({"query": self.text(number, papers)})
        return build_request(f"{path}?{query}", self.accept, fields)

    def own_request(
        self, path: str, number: int, papers: int, fields: Mapping[str, str] = NO_FIELDS
    ) -> bytes:
        """The request to our service."""
        if not self.page:
            return self.request(path, number, papers, fields)
        return build_request(fill_variant(self.page, number, papers), self.accept, fields)


def fill_variant(text: str, number: int, papers: int) -> str:
    """A text in which `_N` and `PAPER` are replaced."""
    return text.replace("_N", f"_{number:0{NUMBER_DIGITS}}").replace(
        "PAPER", f"made-up-{SEED}-{number % papers + 1}"
    )


QUESTIONS = [
    Question(
        "ASK",
        "ASK { <https://w3id.org/wgig/id/paper/PAPER> wgig:issue ?issue_N }",
        repeated_goal=2.5,
        first_goal=0.8,
    ),
    Question(
        "ASK, false",
        "ASK { <https://w3id.org/wgig/id/paper/PAPER> wgig:noSuchProperty ?nothing_N }",
        repeated_goal=2.5,
        first_goal=0.8,
    ),
    Question(
        "one resource",
        "SELECT ?is_N ?what_N WHERE { <https://w3id.org/wgig/id/paper/PAPER> ?is_N ?what_N }",
        repeated_goal=5,
        first_goal=1.0,
    ),
    # With another group, the process that speaks HTTP does not evaluate the query itself.
    Question(
        "ASK, by a worker",
        "ASK { { <https://w3id.org/wgig/id/paper/PAPER> wgig:issue ?issue_N } }",
        repeated_goal=2.5,
        first_goal=0.45,
    ),
    Question(
        "ASK, false, by a worker",
        "ASK { { <https://w3id.org/wgig/id/paper/PAPER> wgig:noSuchProperty ?nothing_N } }",
        repeated_goal=2.5,
        first_goal=0.45,
    ),
    Question(
        "one resource, by a worker",
        "SELECT ?is_N ?what_N WHERE { { <https://w3id.org/wgig/id/paper/PAPER> ?is_N ?what_N } }",
        repeated_goal=5,
        first_goal=0.65,
    ),
    Question(
        "three-way join, LIMIT 100",
        """SELECT ?paper_N ?criterion_N ?cited_N WHERE {
             ?paper_N wgig:assessment ?assessment_N .
             ?assessment_N wgig:criterion ?criterion_N ; cito:cites ?cited_N .
           } LIMIT 100""",
        first_goal=1.7,
        from_disk_goal=0.85,
        has_same_rows=False,
    ),
    # The engine begins with the type, as it is the first of the patterns of the same form.
    Question(
        "join with the largest pattern first",
        """SELECT ?paper_N ?assessment_N WHERE {
             ?assessment_N a wgig:Assessment ;
                 wgig:criterion <https://w3id.org/wgig/id/principle/transparency> .
             ?paper_N wgig:assessment ?assessment_N ; wgig:issue <https://w3id.org/wgig/id/issue/spam> .
           }""",
        first_goal=4,
    ),
    Question(
        "FILTER EXISTS with a join",
        """SELECT ?issue_N WHERE {
             <https://w3id.org/wgig/id/paper/PAPER> wgig:issue ?issue_N .
             FILTER EXISTS { ?other_N wgig:issue ?issue_N ; wgig:assessment/wgig:criterion ?criterion_N }
           }""",
        first_goal=4,
    ),
    Question(
        "coverage matrix",
        """SELECT ?issue_N ?criterion_N ?verdict_N (COUNT(?paper_N) AS ?papers_N) WHERE {
             ?paper_N wgig:issue ?issue_N ; wgig:assessment ?assessment_N .
             ?assessment_N wgig:criterion ?criterion_N ; wgig:verdict ?verdict_N .
           } GROUP BY ?issue_N ?criterion_N ?verdict_N""",
        first_goal=5,
        from_disk_goal=0.85,
    ),
    Question(
        "coverage matrix by category",
        """SELECT ?category_N ?criterion_N ?verdict_N (COUNT(?paper_N) AS ?papers_N) WHERE {
             ?paper_N wgig:category ?category_N ; wgig:assessment ?assessment_N .
             ?assessment_N wgig:criterion ?criterion_N ; wgig:verdict ?verdict_N .
           } GROUP BY ?category_N ?criterion_N ?verdict_N""",
        first_goal=2.5,  # nothing of it is counted in advance
        from_disk_goal=0.85,
    ),
    Question(
        "property path",
        """SELECT ?paper_N ?part_N WHERE {
             ?paper_N wgig:issue <https://w3id.org/wgig/id/issue/spam> .
             ?paper_N (wgig:assessment|wgig:judges)+ ?part_N .
           }""",
        first_goal=1.7,
        from_disk_goal=0.85,
    ),
    Question(
        "text filter",
        """SELECT ?paper_N ?text_N WHERE {
             ?paper_N wgig:issueDescription ?text_N .
             FILTER(CONTAINS(LCASE(STR(?text_N)), "timetable of the reform beyond the larger cities"))
           }""",
        from_disk_goal=0.85,
    ),
    Question(
        "100,000 rows",
        "SELECT ?thing_N ?is_N ?what_N WHERE { ?thing_N ?is_N ?what_N } LIMIT 100000",
        first_goal=1.7,
        from_disk_goal=0.85,
        has_same_rows=False,
    ),
    Question(
        "COUNT",
        "SELECT (COUNT(*) AS ?statements_N) WHERE { ?thing_N ?is_N ?what_N }",
        first_goal=500,
        from_disk_goal=0.85,
    ),
    Question(
        "COUNT of a class",
        "SELECT (COUNT(?assessment_N) AS ?assessments_N) WHERE { ?assessment_N a wgig:Assessment }",
        first_goal=10,
        from_disk_goal=0.85,
    ),
    Question(
        "GROUP BY one property",
        """SELECT ?criterion_N (COUNT(?assessment_N) AS ?assessments_N) WHERE {
             ?assessment_N wgig:criterion ?criterion_N
           } GROUP BY ?criterion_N""",
        first_goal=10,
        from_disk_goal=0.85,
    ),
    Question(
        "whole graph as Turtle",
        """CONSTRUCT { ?thing_N ?is_N ?what_N }
           WHERE { GRAPH <https://w3id.org/wgig/graph/paper/PAPER> { ?thing_N ?is_N ?what_N } }""",
        first_goal=1.3,
        accept=TURTLE,
    ),
    Question(
        "/doc, or DESCRIBE",
        "DESCRIBE <https://w3id.org/wgig/id/paper/PAPER>",
        first_goal=1.0,
        accept=TURTLE,
        has_same_rows=False,
        page="/doc/paper/PAPER",
    ),
]
QUESTIONS_BY_NAME = {question.name: question for question in QUESTIONS}
ROWS_QUESTION = QUESTIONS_BY_NAME["100,000 rows"]


def parse_rows(question: Question, body: bytes) -> list[tuple[str, ...]]:
    """The sorted content of a result: rows of values, triples, or one row with true or false.

    Datatypes are left out, because servers write the same literals differently. If the result is in another
    format, raises ValueError, SyntaxError or KeyError.
    """
    if question.accept == TURTLE:
        return sorted(
            {
                (str(triple.subject), str(triple.predicate), term_text(triple.object))
                for triple in parse_turtle(body)
            }
        )
    result = json.loads(body)
    if "boolean" in result:
        return [(str(result["boolean"]).lower(),)]
    names = result["head"]["vars"]
    bindings = result["results"]["bindings"]
    return sorted(tuple(term_text(row[name]["value"]) for name in names) for row in bindings)


def parse_turtle(body: bytes) -> Sequence[ox.Triple]:
    """The triples of a Turtle document."""
    return [quad.triple for quad in ox.parse(body, ox.RdfFormat.TURTLE, base_iri=generate.BASE)]


def term_text(term: object) -> str:
    """The text of a term, without its datatype. Some servers write true as 1, also as the result of ASK."""
    text = str(getattr(term, "value", term))
    return {"1": "true", "0": "false"}.get(text, text)
