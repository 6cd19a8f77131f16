"""The coverage matrix: the number of papers and their verdicts for each row and criterion.

A row is an issue, a category or a stakeholder group. It is measured by a criterion if a paper assesses it by
that criterion. The matrix is available as HTML, SVG, JSON, CSV and RDF. HTML and SVG show at most 200 rows,
the other formats all.
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

# The criteria: the principles that section 7 of the paper template names, and the cross-cutting priority.
CRITERIA_PATTERN = """{ SELECT DISTINCT ?thing WHERE {
  { ?item wgig:partOf+ doc:form\\/issue-paper ; wgig:namesPrinciple ?thing }
  UNION { ?thing a wgig:CrosscuttingPriority }
} }"""

LabelsByIri = dict[str, list[ox.Literal]]


@dataclass(frozen=True)
class RowDimension:
    """The type of the rows of a matrix: issues, categories or stakeholder groups.

    `key` names a row in JSON and CSV, and the query parameter that filters rows by values of `type`.
    `plural` names the list of rows in JSON. `pattern` is the SPARQL pattern for the rows. `example_query`
    is the name of the example query that lists the papers of a cell, and of its parameter for the row.
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
    """Rows, criteria and verdicts by IRI with their labels, and the number of papers in each cell.

    Keys of `papers`: `(row,)` counts all papers of a row, `(row, criterion)` the papers that assess the row
    by the criterion, `(row, criterion, verdict)` the papers with that verdict.
    """

    dimension: str
    rows: LabelsByIri
    criteria: LabelsByIri
    verdicts: LabelsByIri
    papers: Mapping[CellKey, int]

    @property
    def row_dimension(self) -> RowDimension:
        """The description of the rows."""
        return ROW_DIMENSIONS[self.dimension]

    @property
    def size(self) -> int:
        """The number of pairs of a row and a criterion."""
        return len(self.rows) * len(self.criteria)

    @property
    def measured(self) -> int:
        """The number of pairs of a row and a criterion that at least one paper assesses."""
        return sum(len(cell) == 2 for cell in self.papers)

    @property
    def unmeasured_rows(self) -> int:
        """The number of rows that have papers, but no paper that assesses the row by any criterion."""
        measured_rows = {cell[0] for cell in self.papers if len(cell) == 2}
        return sum(len(cell) == 1 and cell[0] not in measured_rows for cell in self.papers)


def build_matrix_query(dimension: str, filters: Mapping[str, Sequence[Any]], base: str) -> str:
    """The SPARQL query for rows, criteria and verdicts that pass the filters: a result row per label."""
    row_dimension = ROW_DIMENSIONS[dimension]
    categories = filters.get("category", ()) if dimension == "issue" else ()
    row_values = format_values_clause("thing", filters.get(row_dimension.key, ()))
    patterns = {
        "rows": f"{row_values} {format_values_clause('category', categories)} "
        f"{'?thing wgig:category ?category .' if categories else ''} {row_dimension.pattern}",
        "criteria": f"{CRITERIA_PATTERN} {format_values_clause('thing', filters.get('criterion', ()))}",
        "verdicts": "?thing a wgig:Verdict",
    }
    union = " UNION ".join(f'{{ {pattern} BIND ("{axis}" AS ?axis) }}' for axis, pattern in patterns.items())
    return add_query_prefixes(
        f"SELECT ?axis ?thing ?label WHERE {{ {{ {union} }} OPTIONAL {{ ?thing {NAME_PATH} ?label }} }}", base
    )


def format_values_clause(variable: str, terms: Sequence[Any]) -> str:
    """The VALUES clause that restricts a variable to the terms; empty if there are no terms."""
    return f"VALUES ?{variable} {{ {' '.join(map(str, terms))} }}" if terms else ""


def build_coverage_matrix(
    dimension: str, result_rows: Sequence[Sequence[Any]], papers: Mapping[CellKey, int]
) -> CoverageMatrix:
    """The matrix from the result rows of `build_matrix_query` and the counts of papers by cell."""
    labels: dict[str, LabelsByIri] = {"rows": {}, "criteria": {}, "verdicts": {}}
    for axis, thing, label in result_rows:
        texts = labels[axis.value].setdefault(thing.value, [])
        if isinstance(label, ox.Literal) and label not in texts:
            texts.append(label)
    rows, criteria, verdicts = (
        dict(sorted(axis_labels.items(), key=matrix_label_sort_key)) for axis_labels in labels.values()
    )
    matrix_papers = {
        cell: count
        for cell, count in papers.items()
        if cell[0] in rows and (len(cell) == 1 or cell[1] in criteria)
    }
    return CoverageMatrix(dimension, rows, criteria, verdicts, matrix_papers)


def matrix_label_sort_key(item: tuple[str, list[ox.Literal]]) -> tuple[str, str]:
    """The sort key of an IRI with its labels: the best label without regard to case, then the IRI."""
    return best_text(item[1]).value.casefold(), item[0]


def serialize_matrix_json(matrix: CoverageMatrix) -> bytes:
    """The matrix as JSON: rows, criteria, verdicts, and all cells, empty ones included."""
    axes = {
        matrix.row_dimension.plural: matrix.rows,
        "criteria": matrix.criteria,
        "verdicts": matrix.verdicts,
    }
    members: dict[str, list[dict[str, Any]]] = {
        name: [{"id": iri, "label": build_language_map(texts)} for iri, texts in labels.items()]
        for name, labels in axes.items()
    }
    for row_member in members[matrix.row_dimension.plural]:
        row_member["papers"] = matrix.papers.get((row_member["id"],), 0)
    cells = [
        {
            matrix.row_dimension.key: row,
            "criterion": criterion,
            "papers": matrix.papers.get((row, criterion), 0),
            "verdicts": {
                verdict: matrix.papers[row, criterion, verdict]
                for verdict in matrix.verdicts
                if (row, criterion, verdict) in matrix.papers
            },
        }
        for row in matrix.rows
        for criterion in matrix.criteria
    ]
    return json.dumps({**members, "cells": cells}, ensure_ascii=False).encode() + b"\n"


def serialize_matrix_csv(matrix: CoverageMatrix) -> bytes:
    """The matrix as CSV: a line for each cell, with a column for all papers and one for each verdict."""
    verdict_names = [verdict.rpartition("/")[2] for verdict in matrix.verdicts]
    key = matrix.row_dimension.key
    rows: list[list[object]] = [[key, f"{key}Label", "criterion", "criterionLabel", "papers", *verdict_names]]
    for row, row_texts in matrix.rows.items():
        for criterion, texts in matrix.criteria.items():
            counts = [matrix.papers.get((row, criterion, verdict), 0) for verdict in matrix.verdicts]
            papers = matrix.papers.get((row, criterion), 0)
            labels = best_text(row_texts).value, best_text(texts).value
            rows.append([row, labels[0], criterion, labels[1], papers, *counts])
    return serialize_csv_rows(rows)


def iter_matrix_triples(matrix: CoverageMatrix, base: str) -> Iterator[ox.Triple]:
    """The matrix as RDF: `wgig:measuredAgainst` from issues to criteria, and the labels of both."""
    measured_against = ox.NamedNode(f"{base}ontology#measuredAgainst")
    for issue, criterion in (cell for cell in matrix.papers if len(cell) == 2):
        yield ox.Triple(ox.NamedNode(issue), measured_against, ox.NamedNode(criterion))
    for iri, texts in (matrix.rows | matrix.criteria).items():
        for text in texts:
            yield ox.Triple(ox.NamedNode(iri), RDFS_LABEL, text)


MAX_SHOWN_ROWS = 200  # on a page; data formats have all rows
# The tones of cells: the CSS class of the color, and its meaning.
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
    """The header of a row or column: its IRI, label, and value in query strings.

    For a row, also the number of its papers, and the path of the list of these papers.
    """

    iri: str
    name: ox.Literal
    query_value: str
    papers: int = 0
    path: str = ""


class MatrixCell(NamedTuple):
    """A cell: the CSS class of its color, and the numbers of its papers, in total and by verdict.

    `path` is the path of the list of its papers, `query` the path of the example query for them.
    """

    tone: str
    papers: int
    verdicts: Sequence[tuple[ox.Literal, int]]
    path: str
    query: str


class MatrixView(NamedTuple):
    """The matrix as a page shows it: the first MAX_SHOWN_ROWS rows, and the meanings of their tones."""

    coverage: CoverageMatrix
    columns: Sequence[MatrixHeader]
    rows: Sequence[tuple[MatrixHeader, Sequence[MatrixCell]]]
    tones: Mapping[str, str]

    @property
    def measured_cells(self) -> list[tuple[MatrixHeader, MatrixHeader, MatrixCell]]:
        """The cells that have papers, each with its row and column."""
        return [
            (row, column, cell)
            for row, cells in self.rows
            for column, cell in zip(self.columns, cells, strict=True)
            if cell.papers
        ]

    @property
    def is_cut(self) -> bool:
        """Whether some rows are not shown."""
        return len(self.rows) < len(self.coverage.rows)


def build_matrix_view(matrix: CoverageMatrix, base: str, ranges: Sequence[str] = ()) -> MatrixView:
    """The view of a matrix with labels in the best of the language ranges."""
    namespaces = namespaces_by_prefix(base)
    columns = [
        MatrixHeader(
            iri, matrix_label(iri, matrix.criteria, ranges), iri_query_value(iri, namespaces["principle"])
        )
        for iri in matrix.criteria
    ]
    rows = []
    for iri in list(matrix.rows)[:MAX_SHOWN_ROWS]:
        query_value = iri_query_value(iri, namespaces[matrix.row_dimension.type])
        papers = matrix.papers.get((iri,), 0)
        path = f"/papers?{urlencode({matrix.row_dimension.key: query_value})}"
        row = MatrixHeader(iri, matrix_label(iri, matrix.rows, ranges), query_value, papers, path)
        rows.append((row, [build_matrix_cell(matrix, row, column, ranges) for column in columns]))
    tones = {cell.tone for _, cells in rows for cell in cells}
    return MatrixView(
        matrix, columns, rows, {tone: meaning for tone, meaning in CELL_TONES.items() if tone in tones}
    )


def matrix_label(iri: str, labels: LabelsByIri, ranges: Sequence[str]) -> ox.Literal:
    """The best label for the language ranges; without labels, words made from the end of the IRI."""
    return best_text((label for label in labels[iri] if label.value), ranges, words_of_iri(iri))


def iri_query_value(iri: str, namespace: str) -> str:
    """The value for an IRI in a query string: its local name in the namespace, or else the whole IRI."""
    local_name = iri.removeprefix(namespace)
    return local_name if iri.startswith(namespace) and RESOURCE_NAME_PATTERN.fullmatch(local_name) else iri


def build_matrix_cell(
    matrix: CoverageMatrix, row: MatrixHeader, column: MatrixHeader, ranges: Sequence[str]
) -> MatrixCell:
    """The cell of a row and a column, with labels in the best of the language ranges."""
    papers = matrix.papers.get((row.iri, column.iri), 0)
    verdicts = [
        (verdict, matrix.papers[row.iri, column.iri, verdict])
        for verdict in matrix.verdicts
        if (row.iri, column.iri, verdict) in matrix.papers
    ]
    example, parameter = matrix.row_dimension.example_query
    return MatrixCell(
        cell_tone(papers, [iri for iri, _ in verdicts], row.papers),
        papers,
        [(matrix_label(iri, matrix.verdicts, ranges), count) for iri, count in verdicts],
        f"{row.path}&{urlencode({'criterion': column.query_value})}",
        f"/queries/{example}?{urlencode({parameter: row.query_value, 'the_criterion': column.query_value})}",
    )


def cell_tone(papers: int, verdicts: Sequence[str], row_papers: int) -> str:
    """The CSS class of the color of a cell with this number of papers and these verdicts, as IRIs.

    `row_papers` is the number of papers of its row.
    """
    if not papers:
        return "none" if row_papers else "no-paper"
    if not verdicts:
        return "unjudged"
    verdict = verdicts[0].rpartition("/")[2]
    return verdict if len(verdicts) == 1 and verdict in CELL_TONES else "mixed"
