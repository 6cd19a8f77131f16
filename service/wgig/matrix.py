"""The coverage matrix: how many papers measure what by each criterion, with what verdicts; and it as data."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox

from .labels import by_language
from .lists.found import best
from .lists.selection import prefixed
from .lists.table import NAMED
from .namespaces import OUTSIDE
from .sides import Cell

LABEL = ox.NamedNode(f"{OUTSIDE['rdfs']}label")

# The criteria are those that section 7 of the template names, and the development priority.
CRITERIA = """{ SELECT DISTINCT ?thing WHERE {
  { ?item wgig:partOf+ doc:form\\/issue-paper ; wgig:namesPrinciple ?thing }
  UNION { ?thing a wgig:CrosscuttingPriority }
} }"""

Labels = dict[str, list[ox.Literal]]


@dataclass(frozen=True)
class Rows:
    """What stands beside the matrix, under the name by which it is asked for.

    `key` is what one of them is called in JSON and CSV, and the filter that chooses some, of the type `type`;
    `plural` what all are called. `of` says what they are, `example` the query of a cell with its parameter.
    """

    key: str
    plural: str
    type: str
    of: str
    example: tuple[str, str]


ROWS = {
    "issue": Rows("issue", "issues", "issue", "?thing a wgig:Issue", ("coverage-matrix", "the_issue")),
    "category": Rows(
        "category",
        "categories",
        "category",
        "?thing a wgig:Category FILTER EXISTS { ?member wgig:category ?thing }",
        ("assessments", "the_category"),
    ),
    "stakeholder-group": Rows(
        "stakeholderGroup",
        "stakeholderGroups",
        "group",
        "?thing a wgig:StakeholderGroup",
        ("assessments", "the_group"),
    ),
}


@dataclass(frozen=True)
class Matrix:
    """Rows, criteria and verdicts by IRI with their labels, and how many papers there are in each cell.

    A cell is a row, for all papers that stand there; a row and a criterion, for those that measure by it;
    with a verdict, those that give it.
    """

    by: str
    rows: Labels
    criteria: Labels
    verdicts: Labels
    papers: Mapping[Cell, int]

    @property
    def of(self) -> Rows:
        """What the rows are."""
        return ROWS[self.by]

    @property
    def size(self) -> int:
        """How many pairs of a row and a criterion there are."""
        return len(self.rows) * len(self.criteria)

    @property
    def measured(self) -> int:
        """How many of them a paper measures."""
        return sum(len(cell) == 2 for cell in self.papers)

    @property
    def unseen(self) -> int:
        """How many rows have papers, and none that measures."""
        judged = {cell[0] for cell in self.papers if len(cell) == 2}
        return sum(len(cell) == 1 and cell[0] not in judged for cell in self.papers)


def named(by: str, chosen: Mapping[str, Sequence[Any]], base: str) -> str:
    """The query for the rows, criteria and verdicts that are chosen: a row for each of their labels."""
    of = ROWS[by]
    category = chosen.get("category", ()) if by == "issue" else ()
    parts = {
        "rows": f"{one_of('thing', chosen.get(of.key, ()))} {one_of('in', category)} "
        f"{'?thing wgig:category ?in .' if category else ''} {of.of}",
        "criteria": f"{CRITERIA} {one_of('thing', chosen.get('criterion', ()))}",
        "verdicts": "?thing a wgig:Verdict",
    }
    sides = " UNION ".join(f'{{ {pattern} BIND ("{side}" AS ?side) }}' for side, pattern in parts.items())
    return prefixed(
        f"SELECT ?side ?thing ?label WHERE {{ {{ {sides} }} OPTIONAL {{ ?thing {NAMED} ?label }} }}", base
    )


def one_of(variable: str, terms: Sequence[Any]) -> str:
    """That a variable is one of the terms, where there are any."""
    return f"VALUES ?{variable} {{ {' '.join(map(str, terms))} }}" if terms else ""


def matrix(by: str, sides: Sequence[Sequence[Any]], papers: Mapping[Cell, int]) -> Matrix:
    """The matrix of what the rows of the query name."""
    labels: dict[str, Labels] = {"rows": {}, "criteria": {}, "verdicts": {}}
    for side, thing, label in sides:
        texts = labels[side.value].setdefault(thing.value, [])
        if isinstance(label, ox.Literal) and label not in texts:
            texts.append(label)
    rows, criteria, verdicts = (dict(sorted(one.items(), key=called)) for one in labels.values())
    shown = {
        cell: count
        for cell, count in papers.items()
        if cell[0] in rows and (len(cell) == 1 or cell[1] in criteria)
    }
    return Matrix(by, rows, criteria, verdicts, shown)


def called(item: tuple[str, list[ox.Literal]]) -> tuple[str, str]:
    """What a thing with its labels is sorted by."""
    return first(item[1]).casefold(), item[0]


def first(texts: list[ox.Literal]) -> str:
    """The English label, or another; empty where there is none."""
    return min(texts, key=best).value if texts else ""


def as_json(found: Matrix) -> bytes:
    """The matrix as JSON: what stands beside it and above it, and its cells, the empty ones among them."""
    sides = {found.of.plural: found.rows, "criteria": found.criteria, "verdicts": found.verdicts}
    things: dict[str, list[dict[str, Any]]] = {
        name: [{"id": iri, "label": by_language(texts)} for iri, texts in labels.items()]
        for name, labels in sides.items()
    }
    for one in things[found.of.plural]:
        one["papers"] = found.papers.get((one["id"],), 0)
    cells = [
        {
            found.of.key: row,
            "criterion": criterion,
            "papers": found.papers.get((row, criterion), 0),
            "verdicts": {
                one: found.papers[row, criterion, one]
                for one in found.verdicts
                if (row, criterion, one) in found.papers
            },
        }
        for row in found.rows
        for criterion in found.criteria
    ]
    return json.dumps({**things, "cells": cells}, ensure_ascii=False).encode() + b"\n"


def as_csv(found: Matrix) -> bytes:
    """The matrix as a table: a row a cell, a column for the papers, and one for those with each verdict."""
    out = io.StringIO()
    table = csv.writer(out)
    names = [one.rpartition("/")[2] for one in found.verdicts]
    key = found.of.key
    table.writerow([key, f"{key}Label", "criterion", "criterionLabel", "papers", *names])
    for row, row_texts in found.rows.items():
        for criterion, texts in found.criteria.items():
            counts = [found.papers.get((row, criterion, one), 0) for one in found.verdicts]
            papers = found.papers.get((row, criterion), 0)
            table.writerow([row, first(row_texts), criterion, first(texts), papers, *counts])
    return out.getvalue().encode()


def as_triples(found: Matrix, base: str) -> Iterator[ox.Triple]:
    """Which issue is measured against which criterion, and the labels of both."""
    measured = ox.NamedNode(f"{base}ontology#measuredAgainst")
    for issue, criterion in (cell for cell in found.papers if len(cell) == 2):
        yield ox.Triple(ox.NamedNode(issue), measured, ox.NamedNode(criterion))
    for iri, texts in (found.rows | found.criteria).items():
        for text in texts:
            yield ox.Triple(ox.NamedNode(iri), LABEL, text)
