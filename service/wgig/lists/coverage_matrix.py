"""The coverage matrix: how many papers assess what by which criterion, with their verdicts.

Given as a table with colors and words, as a picture, JSON, CSV and RDF. A page shows 200 rows, data formats
all.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pyoxigraph as ox

from ..i18n import marked
from ..pages.rendering import words
from ..rdf.namespaces import OUTSIDE, namespaces
from ..rdf.values import NAME
from ..resources.labels import by_language
from .counts import Cell
from .fields import NAMED
from .query import prefixed
from .results import best, nearest

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
    rows, criteria, verdicts = (dict(sorted(one.items(), key=sort_key)) for one in labels.values())
    shown = {
        cell: count
        for cell, count in papers.items()
        if cell[0] in rows and (len(cell) == 1 or cell[1] in criteria)
    }
    return Matrix(by, rows, criteria, verdicts, shown)


def sort_key(item: tuple[str, list[ox.Literal]]) -> tuple[str, str]:
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


MAX_SHOWN_ROWS = 200  # that are shown on a page; data has all
# What a cell says, by the class of its color: none of the papers on it measures by the criterion, …
TONES = {
    "adequate": marked("every verdict is adequate"),
    "partly-adequate": marked("every verdict is partly adequate"),
    "inadequate": marked("every verdict is inadequate"),
    "not-assessed": marked("a paper names the criterion and gives no judgment"),
    "mixed": marked("verdicts differ"),
    "unjudged": marked("a paper measures by the criterion, and its verdict is not known"),
    "none": marked("there are papers, and none is known to measure by the criterion"),
    "no-paper": marked("no paper is known"),
}


class Side(NamedTuple):
    """A row or column: its IRI, what it is called, how many papers stand there, where they are listed."""

    iri: str
    name: ox.Literal
    papers: int
    path: str


class Shown(NamedTuple):
    """A cell: the class of its color, how many papers in all and by verdict, where they and its query are."""

    tone: str
    papers: int
    verdicts: Sequence[tuple[ox.Literal, int]]
    path: str
    query: str


class View(NamedTuple):
    """The matrix, row by row; of many rows the first."""

    found: Matrix
    columns: Sequence[Side]
    rows: Sequence[tuple[Side, Sequence[Shown]]]
    tones: Mapping[str, str]

    @property
    def measured(self) -> list[tuple[Side, Side, Shown]]:
        """The cells that have papers, each with its row and column."""
        return [
            (row, column, one)
            for row, cells in self.rows
            for column, one in zip(self.columns, cells, strict=True)
            if one.papers
        ]

    @property
    def is_cut(self) -> bool:
        """Whether there are rows that are not shown."""
        return len(self.rows) < len(self.found.rows)


def view(found: Matrix, base: str, ranges: Sequence[str] = ()) -> View:
    """What is shown of a matrix to a reader of these languages."""
    known = namespaces(base)
    columns = [
        Side(iri, label_of_thing(iri, found.criteria, ranges), 0, name_in_address(iri, known["principle"]))
        for iri in found.criteria
    ]
    rows = []
    for iri in list(found.rows)[:MAX_SHOWN_ROWS]:
        name = name_in_address(iri, known[found.of.type])
        papers = found.papers.get((iri,), 0)
        path = f"/papers?{urlencode({found.of.key: name})}"
        row = Side(iri, label_of_thing(iri, found.rows, ranges), papers, path)
        rows.append((row, [cell(found, row, name, one, ranges) for one in columns]))
    there = {one.tone for _, cells in rows for one in cells}
    return View(found, columns, rows, {tone: says for tone, says in TONES.items() if tone in there})


def label_of_thing(iri: str, labels: Labels, ranges: Sequence[str]) -> ox.Literal:
    """What a thing is called for a reader of these languages, or else the end of its IRI in words."""
    texts = [one for one in labels[iri] if one.value]
    return nearest(texts, ranges) if texts else ox.Literal(words(iri))


def name_in_address(iri: str, start: str) -> str:
    """How a thing is named in an address: by the end of its IRI where that is known to be of its kind."""
    end = iri.removeprefix(start)
    return end if iri.startswith(start) and NAME.fullmatch(end) else iri


def cell(found: Matrix, row: Side, name: str, column: Side, ranges: Sequence[str]) -> Shown:
    """A cell of the matrix, its row and column under these names in addresses."""
    papers = found.papers.get((row.iri, column.iri), 0)
    verdicts = [
        (verdict, found.papers[row.iri, column.iri, verdict])
        for verdict in found.verdicts
        if (row.iri, column.iri, verdict) in found.papers
    ]
    example, parameter = found.of.example
    return Shown(
        tone(papers, [iri for iri, _ in verdicts], row.papers),
        papers,
        [(label_of_thing(iri, found.verdicts, ranges), count) for iri, count in verdicts],
        f"{row.path}&{urlencode({'criterion': column.path})}",
        f"/queries/{example}?{urlencode({parameter: name, 'the_criterion': column.path})}",
    )


def tone(papers: int, verdicts: Sequence[str], there: int) -> str:
    """The class of the color of a cell with so many papers and these verdicts, in a row of so many papers."""
    if not papers:
        return "none" if there else "no-paper"
    if not verdicts:
        return "unjudged"
    end = verdicts[0].rpartition("/")[2]
    return end if len(verdicts) == 1 and end in TONES else "mixed"
