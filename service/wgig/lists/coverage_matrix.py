"""The coverage matrix: how many papers assess what by which criterion, with their verdicts.

Given as a table with colors and words, as a picture, JSON, CSV and RDF. A page shows 200 rows, data formats
all.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pyoxigraph as ox

from ..i18n import gettext_noop
from ..rdf.labels import best_text, words_of_iri
from ..rdf.namespaces import RDFS_LABEL, namespaces_by_prefix
from ..rdf.values import RESOURCE_NAME_PATTERN
from ..resources.labels import build_language_map
from ..text import serialize_csv_rows
from .counts import CellKey
from .fields import NAME_PATH
from .query import add_query_prefixes

# The criteria are those that section 7 of the template names, and the development priority.
CRITERIA_PATTERN = """{ SELECT DISTINCT ?thing WHERE {
  { ?item wgig:partOf+ doc:form\\/issue-paper ; wgig:namesPrinciple ?thing }
  UNION { ?thing a wgig:CrosscuttingPriority }
} }"""

LabelsByIri = dict[str, list[ox.Literal]]


@dataclass(frozen=True)
class RowDimension:
    """What stands beside the matrix, under the name by which it is asked for.

    `key` is what one of them is called in JSON and CSV, and the filter that chooses some, of the type `type`;
    `plural` what all are called. `pattern` says what they are, `example_query` the query of a cell with its
    parameter.
    """

    key: str
    plural: str
    type: str
    pattern: str
    example_query: tuple[str, str]


ROW_DIMENSIONS = {
    "issue": RowDimension(
        "issue", "issues", "issue", "?thing a wgig:Issue", ("coverage-matrix", "the_issue")
    ),
    "category": RowDimension(
        "category",
        "categories",
        "category",
        "?thing a wgig:Category FILTER EXISTS { ?member wgig:category ?thing }",
        ("assessments", "the_category"),
    ),
    "stakeholder-group": RowDimension(
        "stakeholderGroup",
        "stakeholderGroups",
        "group",
        "?thing a wgig:StakeholderGroup",
        ("assessments", "the_group"),
    ),
}


@dataclass(frozen=True)
class CoverageMatrix:
    """Rows, criteria and verdicts by IRI with their labels, and how many papers there are in each cell.

    A cell is a row, for all papers that stand there; a row and a criterion, for those that measure by it;
    with a verdict, those that give it.
    """

    dimension: str
    rows: LabelsByIri
    criteria: LabelsByIri
    verdicts: LabelsByIri
    papers: Mapping[CellKey, int]

    @property
    def row_dimension(self) -> RowDimension:
        """What the rows are."""
        return ROW_DIMENSIONS[self.dimension]

    @property
    def size(self) -> int:
        """How many pairs of a row and a criterion there are."""
        return len(self.rows) * len(self.criteria)

    @property
    def measured(self) -> int:
        """How many of them a paper measures."""
        return sum(len(cell) == 2 for cell in self.papers)

    @property
    def unmeasured_rows(self) -> int:
        """How many rows have papers, and none that measures."""
        judged = {cell[0] for cell in self.papers if len(cell) == 2}
        return sum(len(cell) == 1 and cell[0] not in judged for cell in self.papers)


def build_matrix_query(by: str, chosen: Mapping[str, Sequence[Any]], base: str) -> str:
    """The query for the rows, criteria and verdicts that are chosen: a row for each of their labels."""
    of = ROW_DIMENSIONS[by]
    category = chosen.get("category", ()) if by == "issue" else ()
    things = format_values_clause("thing", chosen.get(of.key, ()))
    parts = {
        "rows": f"{things} {format_values_clause('in', category)} "
        f"{'?thing wgig:category ?in .' if category else ''} {of.pattern}",
        "criteria": f"{CRITERIA_PATTERN} {format_values_clause('thing', chosen.get('criterion', ()))}",
        "verdicts": "?thing a wgig:Verdict",
    }
    sides = " UNION ".join(f'{{ {pattern} BIND ("{side}" AS ?side) }}' for side, pattern in parts.items())
    return add_query_prefixes(
        f"SELECT ?side ?thing ?label WHERE {{ {{ {sides} }} OPTIONAL {{ ?thing {NAME_PATH} ?label }} }}", base
    )


def format_values_clause(variable: str, terms: Sequence[Any]) -> str:
    """That a variable is one of the terms, where there are any."""
    return f"VALUES ?{variable} {{ {' '.join(map(str, terms))} }}" if terms else ""


def build_coverage_matrix(
    by: str, sides: Sequence[Sequence[Any]], papers: Mapping[CellKey, int]
) -> CoverageMatrix:
    """The matrix of what the rows of the query name."""
    labels: dict[str, LabelsByIri] = {"rows": {}, "criteria": {}, "verdicts": {}}
    for side, thing, label in sides:
        texts = labels[side.value].setdefault(thing.value, [])
        if isinstance(label, ox.Literal) and label not in texts:
            texts.append(label)
    rows, criteria, verdicts = (dict(sorted(one.items(), key=label_sort_key)) for one in labels.values())
    shown = {
        cell: count
        for cell, count in papers.items()
        if cell[0] in rows and (len(cell) == 1 or cell[1] in criteria)
    }
    return CoverageMatrix(by, rows, criteria, verdicts, shown)


def label_sort_key(item: tuple[str, list[ox.Literal]]) -> tuple[str, str]:
    """What a thing with its labels is sorted by."""
    return best_text(item[1]).value.casefold(), item[0]


def serialize_matrix_json(found: CoverageMatrix) -> bytes:
    """The matrix as JSON: what stands beside it and above it, and its cells, the empty ones among them."""
    sides = {found.row_dimension.plural: found.rows, "criteria": found.criteria, "verdicts": found.verdicts}
    things: dict[str, list[dict[str, Any]]] = {
        name: [{"id": iri, "label": build_language_map(texts)} for iri, texts in labels.items()]
        for name, labels in sides.items()
    }
    for one in things[found.row_dimension.plural]:
        one["papers"] = found.papers.get((one["id"],), 0)
    cells = [
        {
            found.row_dimension.key: row,
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


def serialize_matrix_csv(found: CoverageMatrix) -> bytes:
    """The matrix as a table: a row a cell, a column for the papers, and one for those with each verdict."""
    names = [one.rpartition("/")[2] for one in found.verdicts]
    key = found.row_dimension.key
    rows: list[list[object]] = [[key, f"{key}Label", "criterion", "criterionLabel", "papers", *names]]
    for row, row_texts in found.rows.items():
        for criterion, texts in found.criteria.items():
            counts = [found.papers.get((row, criterion, one), 0) for one in found.verdicts]
            papers = found.papers.get((row, criterion), 0)
            labels = best_text(row_texts).value, best_text(texts).value
            rows.append([row, labels[0], criterion, labels[1], papers, *counts])
    return serialize_csv_rows(rows)


def iter_matrix_triples(found: CoverageMatrix, base: str) -> Iterator[ox.Triple]:
    """Which issue is measured against which criterion, and the labels of both."""
    measured = ox.NamedNode(f"{base}ontology#measuredAgainst")
    for issue, criterion in (cell for cell in found.papers if len(cell) == 2):
        yield ox.Triple(ox.NamedNode(issue), measured, ox.NamedNode(criterion))
    for iri, texts in (found.rows | found.criteria).items():
        for text in texts:
            yield ox.Triple(ox.NamedNode(iri), RDFS_LABEL, text)


MAX_SHOWN_ROWS = 200  # that are shown on a page; data has all
# What a cell says, by the class of its color: none of the papers on it measures by the criterion, …
CELL_TONES = {
    "adequate": gettext_noop("every verdict is adequate"),
    "partly-adequate": gettext_noop("every verdict is partly adequate"),
    "inadequate": gettext_noop("every verdict is inadequate"),
    "not-assessed": gettext_noop("a paper names the criterion and gives no judgment"),
    "mixed": gettext_noop("verdicts differ"),
    "unjudged": gettext_noop("a paper measures by the criterion, and its verdict is not known"),
    "none": gettext_noop("there are papers, and none is known to measure by the criterion"),
    "no-paper": gettext_noop("no paper is known"),
}


class MatrixHeader(NamedTuple):
    """A row or column: its IRI, what it is called, how many papers stand there, where they are listed."""

    iri: str
    name: ox.Literal
    papers: int
    path: str


class MatrixCell(NamedTuple):
    """A cell: the class of its color, how many papers in all and by verdict, where they and its query are."""

    tone: str
    papers: int
    verdicts: Sequence[tuple[ox.Literal, int]]
    path: str
    query: str


class MatrixView(NamedTuple):
    """The matrix, row by row; of many rows the first."""

    coverage: CoverageMatrix
    columns: Sequence[MatrixHeader]
    rows: Sequence[tuple[MatrixHeader, Sequence[MatrixCell]]]
    tones: Mapping[str, str]

    @property
    def measured(self) -> list[tuple[MatrixHeader, MatrixHeader, MatrixCell]]:
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
        return len(self.rows) < len(self.coverage.rows)


def build_matrix_view(found: CoverageMatrix, base: str, ranges: Sequence[str] = ()) -> MatrixView:
    """What is shown of a matrix to a reader of these languages."""
    known = namespaces_by_prefix(base)
    columns = [
        MatrixHeader(
            iri, matrix_label(iri, found.criteria, ranges), 0, iri_address_name(iri, known["principle"])
        )
        for iri in found.criteria
    ]
    rows = []
    for iri in list(found.rows)[:MAX_SHOWN_ROWS]:
        name = iri_address_name(iri, known[found.row_dimension.type])
        papers = found.papers.get((iri,), 0)
        path = f"/papers?{urlencode({found.row_dimension.key: name})}"
        row = MatrixHeader(iri, matrix_label(iri, found.rows, ranges), papers, path)
        rows.append((row, [build_matrix_cell(found, row, name, one, ranges) for one in columns]))
    there = {one.tone for _, cells in rows for one in cells}
    return MatrixView(
        found, columns, rows, {tone: says for tone, says in CELL_TONES.items() if tone in there}
    )


def matrix_label(iri: str, labels: LabelsByIri, ranges: Sequence[str]) -> ox.Literal:
    """What a thing is called for a reader of these languages, or else the end of its IRI in words."""
    return best_text((one for one in labels[iri] if one.value), ranges, words_of_iri(iri))


def iri_address_name(iri: str, start: str) -> str:
    """How a thing is named in an address: by the end of its IRI where that is known to be of its kind."""
    end = iri.removeprefix(start)
    return end if iri.startswith(start) and RESOURCE_NAME_PATTERN.fullmatch(end) else iri


def build_matrix_cell(
    found: CoverageMatrix, row: MatrixHeader, name: str, column: MatrixHeader, ranges: Sequence[str]
) -> MatrixCell:
    """A cell of the matrix, its row and column under these names in addresses."""
    papers = found.papers.get((row.iri, column.iri), 0)
    verdicts = [
        (verdict, found.papers[row.iri, column.iri, verdict])
        for verdict in found.verdicts
        if (row.iri, column.iri, verdict) in found.papers
    ]
    example, parameter = found.row_dimension.example_query
    return MatrixCell(
        cell_tone(papers, [iri for iri, _ in verdicts], row.papers),
        papers,
        [(matrix_label(iri, found.verdicts, ranges), count) for iri, count in verdicts],
        f"{row.path}&{urlencode({'criterion': column.path})}",
        f"/queries/{example}?{urlencode({parameter: name, 'the_criterion': column.path})}",
    )


def cell_tone(papers: int, verdicts: Sequence[str], there: int) -> str:
    """The class of the color of a cell with so many papers and these verdicts, in a row of so many papers."""
    if not papers:
        return "none" if there else "no-paper"
    if not verdicts:
        return "unjudged"
    end = verdicts[0].rpartition("/")[2]
    return end if len(verdicts) == 1 and end in CELL_TONES else "mixed"
