"""How the known papers stand by the template, section by section, as a table of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import pyoxigraph as ox

from ..labels import natural
from ..lookup import Row, rows
from ..namespaces import namespaces
from ..store import Store

# The papers themselves need not be in the graph: the assertion has the title, before what it asserts.
QUERY = """
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX earl: <http://www.w3.org/ns/earl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX wgig: <{base}ontology#>
SELECT ?whole ?paper ?label ?made_up ?met ?asked ?result ?section ?state FROM <{base}graph/conformance>
WHERE {{
  ?whole wgig:partsMet ?met ; wgig:partsAsked ?asked ; earl:subject ?paper ; rdfs:label ?label ;
         earl:result ?result .
  ?assertion dcterms:isPartOf ?whole ; earl:test ?test ; earl:result ?state .
  BIND(STRAFTER(STR(?test), "{form}") AS ?section)
  FILTER(?section IN ("0", "1", "2", "3", "4", "5", "6", "7", "8"))
  OPTIONAL {{ ?whole wgig:illustrative ?made_up }}
}}
ORDER BY ?whole ?section
"""
PASSED = "passed"


@dataclass(frozen=True)
class Standing:
    """A paper: whether it is made up and complete, how many parts of the template it has, and its sections.

    The result of a section is `passed`, `missing`, `faulty` or `untested`, in the order of the template.
    """

    iri: str
    title: ox.Literal
    assertion: str
    illustrative: bool
    complete: bool
    met: int
    parts: int
    sections: Sequence[str]


def standing(store: Store, base: str) -> list[Standing]:
    """The papers of which the graph says how they stand, by title; none where there is no such graph."""
    query = QUERY.format(base=base, form=namespaces(base)["form-issue-paper"])
    groups = groupby(rows(store, query), key=lambda row: row["whole"])
    return sorted((of_rows([*group]) for _, group in groups), key=lambda one: natural(one.title.value))


def of_rows(found: Sequence[Row]) -> Standing:
    """A paper, from the rows of its sections."""
    row = found[0]
    label = row["label"]
    return Standing(
        iri=row["paper"].value,
        title=ox.Literal(label.value.rpartition(", profile ")[0], language=label.language),
        assertion=row["whole"].value,
        illustrative="made_up" in row,
        complete=local_name(row["result"].value) == PASSED,
        met=int(row["met"].value),
        parts=int(row["asked"].value),
        sections=[local_name(one["state"].value) for one in found],
    )


def local_name(iri: str) -> str:
    """The end of the IRI of a result."""
    return iri.rpartition("/")[2]
