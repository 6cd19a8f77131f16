"""Small bounded look-ups: the rows of a SELECT as terms, the labels of things, IRIs as text of a query."""

import io
import re
from collections.abc import Iterable
from typing import Any

import pyoxigraph as ox

from .store import Dataset, Store

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
# The query says what each of its variables is, so a row does not.
Row = dict[str, Any]

JSON = "application/sparql-results+json"
FORBIDDEN = re.compile(r'[\x00-\x20<>"{}|^`\\]')
LABELS = (
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://www.w3.org/2000/01/rdf-schema#label",
    "http://xmlns.com/foaf/0.1/name",
    "http://purl.org/dc/terms/title",
    "http://www.w3.org/2004/02/skos/core#altLabel",
)
# An alternative label stands in for the label only where it spells a name of another script in Latin letters.
LABELED = """PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?s ?p ?o {
  VALUES ?s { %s } VALUES ?p { %s }
  ?s ?p ?o
  FILTER(isLiteral(?o) && (?p != skos:altLabel || STRENDS(LCASE(LANG(?o)), "-latn")))
}"""
BATCH = 500


def rows(store: Store, query: str, *, union: bool = True) -> list[Row]:
    """The solutions of a SELECT, unbound variables left out.

    The default graph is the union of all graphs, or with `union=False` the unnamed graph alone.
    """
    out = io.BytesIO()
    store.query(query, JSON, out, Dataset(union=union))
    solutions = ox.parse_query_results(out.getvalue(), format=ox.QueryResultsFormat.JSON)
    assert isinstance(solutions, ox.QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    return [
        {name: term for name, term in zip(names, solution, strict=True) if term is not None}
        for solution in solutions
    ]


def writable(iri: str) -> bool:
    """Whether the IRI can stand between angle brackets."""
    return not FORBIDDEN.search(iri)


def values(iris: Iterable[str]) -> str:
    """The IRIs as the inside of a VALUES block; one that cannot be written in SPARQL is left out."""
    return " ".join(f"<{iri}>" for iri in iris if writable(iri))


def labels(store: Store, iris: Iterable[str]) -> dict[str, ox.Literal]:
    """The best label of each IRI that has one: English, else of no language, in Latin letters, or of any."""
    wanted = sorted(set(iris))
    best: dict[str, ox.Literal] = {}
    for start in range(0, len(wanted), BATCH):
        found = rows(store, LABELED % (values(wanted[start : start + BATCH]), values(LABELS)))
        for row in sorted(found, key=preference, reverse=True):
            best[row["s"].value] = row["o"]
    return best


def preference(row: Row) -> tuple[int, int, str]:
    """How far a label row is from what a reader of English wants; the smallest is best."""
    label = row["o"]
    language, _, script = (label.language or "").partition("-")
    return (
        {"en": 0, "": 1}.get(language, 2 if script == "latn" else 3),
        LABELS.index(row["p"].value),
        label.value,
    )


def natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """A sort key by which "paragraph 9" comes before "paragraph 10"."""
    pieces = re.split(r"([0-9]+)", text.casefold())
    return tuple(
        (piece.isdecimal(), int(piece) if piece.isdecimal() else 0, piece) for piece in pieces if piece
    )
