"""Small look-ups by SPARQL: the rows of a SELECT as terms, and IRIs as text of a query."""

import io
import re
from collections.abc import Iterable
from typing import Any

import pyoxigraph as ox

from .formats import JSON_RESULTS
from .view import Dataset, View

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
# The query says what each of its variables is, so a row does not.
Row = dict[str, Any]

FORBIDDEN = re.compile(r'[\x00-\x20<>"{}|^`\\]')
BATCH = 500  # IRIs in one query


def rows(store: View, query: str, *, union: bool = True) -> list[Row]:
    """The solutions of a SELECT, unbound variables left out.

    The default graph is the union of all graphs, or with `union=False` the unnamed graph alone.
    """
    out = io.BytesIO()
    store.query(query, JSON_RESULTS.media_type, out, Dataset(union=union))
    solutions = ox.parse_query_results(out.getvalue(), format=ox.QueryResultsFormat.JSON)
    assert isinstance(solutions, ox.QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    return [
        {name: term for name, term in zip(names, solution, strict=True) if term is not None}
        for solution in solutions
    ]


def table(body: bytes) -> list[tuple[Any, ...]]:
    """The rows in the TSV results of a SELECT, None for what is unbound."""
    found = cells(body)
    read = terms(cell for line in found for cell in line)
    return [tuple(map(read.get, line)) for line in found]


def solutions(body: bytes) -> list[Row]:
    """The solutions in the TSV results of a SELECT, unbound variables left out."""
    names = [one.removeprefix("?") for one in body.partition(b"\n")[0].decode().split("\t")]
    return [
        {name: term for name, term in zip(names, row, strict=True) if term is not None} for row in table(body)
    ]


def cells(body: bytes) -> list[list[str]]:
    """The cells in the TSV results of a SELECT as they are written, empty for what is unbound."""
    return [line.split("\t") for line in body.decode().split("\n")[1:-1]]


def terms(written: Iterable[str]) -> dict[str, Any]:
    """The terms that cells stand for. One that repeats is read once."""
    distinct = list(set(written) - {""})
    column = "\n".join(["?cell", *distinct, ""])
    read = ox.parse_query_results(column.encode(), format=ox.QueryResultsFormat.TSV)
    assert isinstance(read, ox.QuerySolutions)
    return {cell: row[0] for cell, row in zip(distinct, read, strict=True)}


def writable(iri: str) -> bool:
    """Whether the IRI can stand between angle brackets."""
    return not FORBIDDEN.search(iri)


def values(iris: Iterable[str]) -> str:
    """The IRIs as the inside of a VALUES block; one that cannot be written in SPARQL is left out."""
    return " ".join(f"<{iri}>" for iri in iris if writable(iri))
