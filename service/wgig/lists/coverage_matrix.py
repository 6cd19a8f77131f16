"""The coverage matrix: how each row is measured by each criterion, in two layers.

The layer of the papers has the number of papers that assess the row by the criterion, and their verdicts.
Rows are issues, categories or stakeholder groups. The layer of the judgments has what the Background Report
says of an issue by a criterion, and whose view it is. The layers are never merged into one verdict. The
matrix is available as HTML, SVG, JSON, CSV and RDF. HTML and SVG show at most 200 rows, the others all.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pyoxigraph as ox

from ..rdf.labels import best_text
from ..rdf.namespaces import RDFS_LABEL
from ..store.labels import build_language_map
from ..text import serialize_csv_rows
from .counts import FLAG_CLUSTER, FLAG_DISPUTED, CellKey
from .fields import NAME_PATH
from .query import add_query_prefixes

# The criteria of the papers: the principles that section 7 of the template names, and the priority.
PAPER_CRITERIA_PATTERN = """{ SELECT DISTINCT ?thing WHERE {
  { ?item wgig:partOf+ doc:form\\/issue-paper ; wgig:namesPrinciple ?thing }
  UNION { ?thing a wgig:CrosscuttingPriority }
} }"""
# The order of the columns: section 7 of the template, with the kinds of involvement; others follow.
CRITERIA_ORDER = (
    "multilateralism",
    "transparency",
    "democracy",
    "coordination-capacity",
    "involvement",
    "involvement-governments",
    "involvement-private-sector",
    "involvement-civil-society",
    "involvement-international-organizations",
    "development",
    "accountability",
    "adequacy",
)
LAYER_PAPERS, LAYER_JUDGMENTS = "papers", "judgments"
COVERAGE_LAYERS = (LAYER_JUDGMENTS, LAYER_PAPERS)
VERDICT_NOT_ASSESSED = "not-assessed"
# The states of a cell of judgments that are no verdict.
STATE_DISPUTED, STATE_MIXED, STATE_NAMED = "disputed", "mixed", "named"

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
    "issue": RowDimension("issue", "issues", "issue", "?thing a wgig:Issue", ("assessments", "the_issue")),
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
class JudgedCell:
    """The judgments on an issue by a criterion: their number, in total, by verdict and by holder of the view.

    `disputed` counts the sides of disputes, `on_cluster` the judgments on a whole cluster of issues.
    """

    judgments: int
    verdicts: Mapping[str, int]
    holders: Mapping[str, int]
    disputed: int
    on_cluster: int

    @cached_property
    def state(self) -> str:
        """How the issue is judged: the name of the verdict if all agree, else one of the other states.

        STATE_DISPUTED if a judgment is a side of a dispute, STATE_MIXED if verdicts differ, STATE_NAMED if
        the criterion is named without a verdict.
        """
        if self.disputed:
            return STATE_DISPUTED
        names = {verdict.rpartition("/")[2] for verdict in self.verdicts} - {VERDICT_NOT_ASSESSED}
        if not names:
            return STATE_NAMED
        return names.pop() if len(names) == 1 else STATE_MIXED

    @property
    def is_cluster_only(self) -> bool:
        """Whether all judgments are on a whole cluster of issues."""
        return self.on_cluster == self.judgments


@dataclass(frozen=True)
class CoverageMatrix:
    """Rows, criteria, verdicts and holders by IRI with their labels, and the cells of each layer.

    Keys of `papers`: `(row,)` counts all papers of a row, `(row, criterion)` the papers that assess the row
    by the criterion, `(row, criterion, verdict)` the papers with that verdict. `judged` has the cells with
    judgments by row and criterion, `fitting` those with the judgments that fit the filters by verdict and
    holder. A layer that is not in `layers` has no cells. `kinds` has the criteria that are rolled up into
    each criterion. `options` has the values of the filters by parameter, with labels.
    """

    dimension: str
    rows: LabelsByIri
    criteria: LabelsByIri
    verdicts: LabelsByIri
    papers: Mapping[CellKey, int]
    holders: LabelsByIri = field(default_factory=dict)
    judged: Mapping[tuple[str, str], JudgedCell] = field(default_factory=dict)
    fitting: Mapping[tuple[str, str], JudgedCell] = field(default_factory=dict)
    layers: Collection[str] = (LAYER_PAPERS,)
    kinds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    options: Mapping[str, LabelsByIri] = field(default_factory=dict)

    @property
    def row_dimension(self) -> RowDimension:
        """The description of the rows."""
        return ROW_DIMENSIONS[self.dimension]

    @property
    def size(self) -> int:
        """The number of pairs of a row and a criterion."""
        return len(self.rows) * len(self.criteria)

    @cached_property
    def measured(self) -> int:
        """The number of pairs of a row and a criterion that at least one paper assesses."""
        return sum(len(cell) == 2 for cell in self.papers)

    @cached_property
    def unmeasured_rows(self) -> int:
        """The number of rows that have papers, but no paper that assesses the row by any criterion."""
        measured_rows = {cell[0] for cell in self.papers if len(cell) == 2}
        return sum(len(cell) == 1 and cell[0] not in measured_rows for cell in self.papers)

    @cached_property
    def cells_by_state(self) -> Counter[str]:
        """The number of cells with judgments by state."""
        return Counter(cell.state for cell in self.judged.values())

    @property
    def judged_count(self) -> int:
        """The number of pairs of a row and a criterion with a verdict, without those that are only named."""
        return len(self.judged) - self.cells_by_state[STATE_NAMED]

    @property
    def unjudged_rows(self) -> list[str]:
        """The rows without any judgment."""
        judged_rows = {row for row, _ in self.judged}
        return [row for row in self.rows if row not in judged_rows]


@dataclass(frozen=True)
class MatrixRequest:
    """What a matrix shows: the type of its rows, filters by parameter, layers, and whether kinds roll up."""

    dimension: str = "issue"
    filters: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    layers: Collection[str] = COVERAGE_LAYERS
    is_rolled_up: bool = False


def build_matrix_query(matrix_request: MatrixRequest, judged: Mapping[CellKey, int], base: str) -> str:
    """The SPARQL query for rows, criteria, verdicts and holders that the matrix may show.

    A result row has ?axis, ?thing, ?label and, if kinds of criteria are rolled up, ?broader. `judged` has the
    judgments by cell, with the criteria that occur.
    """
    filters = matrix_request.filters
    row_dimension = ROW_DIMENSIONS[matrix_request.dimension]
    categories = filters.get("category", ()) if matrix_request.dimension == "issue" else ()
    row_values = format_values_clause("thing", filters.get(row_dimension.key, ()))
    criteria_patterns = []
    if LAYER_PAPERS in matrix_request.layers:
        criteria_patterns.append(PAPER_CRITERIA_PATTERN)
    if LAYER_JUDGMENTS in matrix_request.layers and judged:
        judged_criteria = [ox.NamedNode(iri) for iri in sorted({cell[1] for cell in judged})]
        criteria_patterns.append(f"{{ {format_values_clause('thing', judged_criteria)} }}")
        if matrix_request.is_rolled_up:
            values = format_values_clause("kind", judged_criteria)
            criteria_patterns.append(f"{{ {values} ?kind skos:broader ?thing }}")
    category_path = "(wgig:category|wgig:cluster)/skos:broader*"
    patterns = {
        "rows": f"{row_values} {format_values_clause('category', categories)} "
        f"{f'?thing {category_path} ?category .' if categories else ''} {row_dimension.pattern}",
        "criteria": f"{{ {' UNION '.join(criteria_patterns)} }}"
        f"{' OPTIONAL { ?thing skos:broader ?broader }' if matrix_request.is_rolled_up else ''}"
        if criteria_patterns
        else "VALUES ?thing { }",
        "verdicts": "?thing a wgig:Verdict",
        "holders": "?thing skos:inScheme scheme:view-holders",
        "categories": "VALUES ?scheme { scheme:categories-2004 scheme:clusters-2005 } "
        "?thing skos:inScheme ?scheme",
    }
    union = " UNION ".join(f'{{ {pattern} BIND ("{axis}" AS ?axis) }}' for axis, pattern in patterns.items())
    return add_query_prefixes(
        f"SELECT DISTINCT ?axis ?thing ?label ?broader WHERE {{ {{ {union} }} "
        f"OPTIONAL {{ ?thing {NAME_PATH} ?label }} }}",
        base,
    )


def format_values_clause(variable: str, terms: Sequence[Any]) -> str:
    """The VALUES clause that restricts a variable to the terms; empty if there are no terms."""
    return f"VALUES ?{variable} {{ {' '.join(map(str, terms))} }}" if terms else ""


def build_coverage_matrix(
    matrix_request: MatrixRequest,
    result_rows: Sequence[Sequence[Any]],
    papers: Mapping[CellKey, int],
    judged: Mapping[CellKey, int],
) -> CoverageMatrix:
    """The matrix from the result rows of `build_matrix_query`, and papers and judgments by cell."""
    labels: dict[str, LabelsByIri] = {
        axis: {} for axis in ("rows", "criteria", "verdicts", "holders", "categories")
    }
    broader: dict[str, str] = {}
    for axis, thing, label, broader_thing in result_rows:
        texts = labels[axis.value].setdefault(thing.value, [])
        if isinstance(label, ox.Literal) and label not in texts:
            texts.append(label)
        if isinstance(broader_thing, ox.NamedNode):
            broader[thing.value] = broader_thing.value
    all_criteria = labels["criteria"]
    kind_of = {kind: whole for kind, whole in broader.items() if whole in all_criteria}
    selected = {kind_of.get(term.value, term.value) for term in matrix_request.filters.get("criterion", ())}
    shown_criteria = {
        iri: texts
        for iri, texts in sorted(all_criteria.items(), key=criterion_sort_key)
        if iri not in kind_of
    }
    criteria = {iri: texts for iri, texts in shown_criteria.items() if not selected or iri in selected}
    rows, verdicts, holders = (
        dict(sorted(labels[axis].items(), key=matrix_label_sort_key))
        for axis in ("rows", "verdicts", "holders")
    )
    kinds = defaultdict(list)
    for kind, whole in kind_of.items():
        kinds[whole].append(kind)
    judged_cells = build_judged_cells(replace(matrix_request, filters={}), rows, criteria, kind_of, judged)
    return CoverageMatrix(
        matrix_request.dimension,
        rows,
        criteria,
        verdicts,
        {
            cell: count
            for cell, count in papers.items()
            if LAYER_PAPERS in matrix_request.layers
            and cell[0] in rows
            and (len(cell) == 1 or cell[1] in criteria)
        },
        holders,
        judged_cells,
        build_judged_cells(matrix_request, rows, criteria, kind_of, judged)
        if matrix_request.filters.get("viewHolder") or matrix_request.filters.get("verdict")
        else judged_cells,
        matrix_request.layers,
        kinds,
        {
            "viewHolder": holders,
            "verdict": verdicts,
            "criterion": shown_criteria,
            "category": dict(sorted(labels["categories"].items())),
        },
    )


def build_judged_cells(
    matrix_request: MatrixRequest,
    rows: Collection[str],
    criteria: Collection[str],
    kind_of: Mapping[str, str],
    judged: Mapping[CellKey, int],
) -> dict[tuple[str, str], JudgedCell]:
    """The cells with judgments that fit the filters by verdict and holder, by row and criterion.

    `kind_of` has the criterion that a kind is part of.
    """
    if LAYER_JUDGMENTS not in matrix_request.layers:
        return {}
    selected_holders, selected_verdicts = (
        {term.value for term in matrix_request.filters.get(name, ())} for name in ("viewHolder", "verdict")
    )
    cells: dict[tuple[str, str], list[tuple[str, str, str, int]]] = {}
    for (issue, criterion, verdict, holder, flags), number in judged.items():
        key = issue, kind_of.get(criterion, criterion)
        if (
            key[0] in rows
            and key[1] in criteria
            and (not selected_holders or holder in selected_holders)
            and (not selected_verdicts or verdict in selected_verdicts)
        ):
            cells.setdefault(key, []).append((verdict, holder, flags, number))
    return {key: count_judgments(cell) for key, cell in cells.items()}


def count_judgments(judgments: Sequence[tuple[str, str, str, int]]) -> JudgedCell:
    """The cell with these judgments, each with its verdict, holder, flags and number."""
    verdicts, holders = Counter[str](), Counter[str]()
    for verdict, holder, _, number in judgments:
        if verdict:
            verdicts[verdict] += number
        if holder:
            holders[holder] += number
    return JudgedCell(
        sum(number for *_, number in judgments),
        verdicts,
        holders,
        sum(number for *_, flags, number in judgments if FLAG_DISPUTED in flags),
        sum(number for *_, flags, number in judgments if FLAG_CLUSTER in flags),
    )


def criterion_sort_key(item: tuple[str, list[ox.Literal]]) -> tuple[int, tuple[str, str]]:
    """The sort key of a criterion with its labels: its position in CRITERIA_ORDER, then its label."""
    name = item[0].rpartition("/")[2]
    position = CRITERIA_ORDER.index(name) if name in CRITERIA_ORDER else len(CRITERIA_ORDER)
    return position, matrix_label_sort_key(item)


def matrix_label_sort_key(item: tuple[str, list[ox.Literal]]) -> tuple[str, str]:
    """The sort key of an IRI with its labels: the best label without regard to case, then the IRI."""
    return best_text(item[1]).value.casefold(), item[0]


def serialize_matrix_json(matrix: CoverageMatrix) -> bytes:
    """The matrix as JSON: rows, criteria, verdicts, holders, and all cells, empty ones included."""
    axes = {
        matrix.row_dimension.plural: matrix.rows,
        "criteria": matrix.criteria,
        "verdicts": matrix.verdicts,
    }
    if LAYER_JUDGMENTS in matrix.layers:
        axes["viewHolders"] = matrix.holders
    members: dict[str, list[dict[str, Any]]] = {
        name: [{"id": iri, "label": build_language_map(texts)} for iri, texts in labels.items()]
        for name, labels in axes.items()
    }
    if LAYER_PAPERS in matrix.layers:
        for row_member in members[matrix.row_dimension.plural]:
            row_member["papers"] = matrix.papers.get((row_member["id"],), 0)
    cells = [
        {
            matrix.row_dimension.key: row,
            "criterion": criterion,
            **(build_papers_json(matrix, row, criterion) if LAYER_PAPERS in matrix.layers else {}),
            **(build_judged_json(matrix, row, criterion) if LAYER_JUDGMENTS in matrix.layers else {}),
        }
        for row in matrix.rows
        for criterion in matrix.criteria
    ]
    return json.dumps({**members, "cells": cells}, ensure_ascii=False).encode() + b"\n"


def build_papers_json(matrix: CoverageMatrix, row: str, criterion: str) -> dict[str, Any]:
    """The members of a cell on its papers."""
    return {
        "papers": matrix.papers.get((row, criterion), 0),
        "verdicts": {
            verdict: matrix.papers[row, criterion, verdict]
            for verdict in matrix.verdicts
            if (row, criterion, verdict) in matrix.papers
        },
    }


def build_judged_json(matrix: CoverageMatrix, row: str, criterion: str) -> dict[str, Any]:
    """The members of a cell on the judgments that fit the filters; `judged` is missing if there are none."""
    cell = matrix.fitting.get((row, criterion))
    if cell is None:
        return {"judgments": 0}
    return {
        "judgments": cell.judgments,
        "judged": {
            "state": cell.state,
            "verdicts": dict(cell.verdicts),
            "viewHolders": dict(cell.holders),
            "disputed": cell.disputed,
            "clusterOnly": cell.is_cluster_only,
        },
    }


def serialize_matrix_csv(matrix: CoverageMatrix) -> bytes:
    """The matrix as CSV: a line for each cell.

    The columns on papers are their number, in total and by verdict. Those on judgments are their number, the
    state of the cell, the numbers by verdict and by holder of the view, the sides of disputes, and whether
    all are on a whole cluster of issues.
    """
    verdict_names = [verdict.rpartition("/")[2] for verdict in matrix.verdicts]
    holder_names = [holder.rpartition("/")[2] for holder in matrix.holders]
    key = matrix.row_dimension.key
    has_papers, has_judgments = LAYER_PAPERS in matrix.layers, LAYER_JUDGMENTS in matrix.layers
    header: list[object] = [key, f"{key}Label", "criterion", "criterionLabel"]
    if has_papers:
        header += ["papers", *verdict_names]
    if has_judgments:
        header += ["judgments", "judged", *(f"judged-{name}" for name in verdict_names)]
        header += [*(f"view-{name}" for name in holder_names), "disputed", "clusterOnly"]
    rows = [header]
    criterion_labels = {criterion: best_text(texts).value for criterion, texts in matrix.criteria.items()}
    for row, row_texts in matrix.rows.items():
        row_label = best_text(row_texts).value
        for criterion, label in criterion_labels.items():
            line: list[object] = [row, row_label, criterion, label]
            if has_papers:
                line.append(matrix.papers.get((row, criterion), 0))
                line += [matrix.papers.get((row, criterion, verdict), 0) for verdict in matrix.verdicts]
            if has_judgments:
                cell = matrix.fitting.get((row, criterion), NO_JUDGMENTS)
                line += [cell.judgments, cell.state if cell.judgments else ""]
                line += [cell.verdicts.get(verdict, 0) for verdict in matrix.verdicts]
                line += [cell.holders.get(holder, 0) for holder in matrix.holders]
                line += [cell.disputed, "true" if cell.judgments and cell.is_cluster_only else "false"]
            rows.append(line)
    return serialize_csv_rows(rows)


NO_JUDGMENTS = JudgedCell(0, {}, {}, 0, 0)


def iter_matrix_triples(matrix: CoverageMatrix, base: str) -> Iterator[ox.Triple]:
    """The matrix as RDF: `wgig:measuredAgainst` from issues to criteria, and the labels of both."""
    measured_against = ox.NamedNode(f"{base}ontology#measuredAgainst")
    for issue, criterion in (cell for cell in matrix.papers if len(cell) == 2):
        yield ox.Triple(ox.NamedNode(issue), measured_against, ox.NamedNode(criterion))
    for iri, texts in (matrix.rows | matrix.criteria).items():
        for text in texts:
            yield ox.Triple(ox.NamedNode(iri), RDFS_LABEL, text)
