"""The coverage matrix as a page or picture shows it: rows, columns and cells with their states and links.

A matrix with the layer of the judgments shows a mark in each cell: the state of its judgments, with the
number of papers beside it. A matrix of papers alone shows their number and verdicts in words.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple
from urllib.parse import quote_plus, urlencode

import pyoxigraph as ox
from wgig_client.namespaces import RESOURCE_NAME_PATTERN, namespaces_by_prefix

from ..i18n import gettext_noop
from ..pages.names import short_criterion_name
from ..rdf.labels import best_text, words_of_iri
from .coverage_matrix import (
    LAYER_JUDGMENTS,
    STATE_DISPUTED,
    STATE_MIXED,
    STATE_NAMED,
    CoverageMatrix,
    JudgedCell,
    LabelsByIri,
)

MAX_SHOWN_ROWS = 200  # on a page; data formats have all rows
# The tones of cells of papers: the CSS class of the color, and its meaning.
CELL_TONES = {
    "adequate": gettext_noop("every verdict is adequate"),
    "partly-adequate": gettext_noop("every verdict is partly adequate"),
    "inadequate": gettext_noop("every verdict is inadequate"),
    "not-assessed": gettext_noop("a paper names the criterion without a verdict"),
    "mixed": gettext_noop("verdicts differ"),
    "unjudged": gettext_noop("a paper uses the criterion, but we do not know its verdict"),
    "none": gettext_noop("there are papers, but we have not seen whether they use the criterion"),
    "no-paper": gettext_noop("we know of no paper"),
}
# The states of cells of judgments: the CSS class and mark of the state, and its meaning.
JUDGED_STATES = {
    "adequate": gettext_noop("judged adequate"),
    "partly-adequate": gettext_noop("judged partly adequate"),
    STATE_MIXED: gettext_noop("verdicts differ"),
    STATE_DISPUTED: gettext_noop("the report states a dispute"),
    "inadequate": gettext_noop("judged inadequate"),
    STATE_NAMED: gettext_noop("not assessed"),
}
# The heads of the columns on involvement if there are several, which then have the head GROUP_NAME in common.
GROUP_NAME = gettext_noop("involvement")
GROUPED_CRITERION_NAMES = {
    "involvement": gettext_noop("of all"),
    "involvement-governments": gettext_noop("of governments"),
    "involvement-private-sector": gettext_noop("of private sector"),
    "involvement-civil-society": gettext_noop("of civil society"),
    "involvement-international-organizations": gettext_noop("of int. organizations"),
}


class MatrixHeader(NamedTuple):
    """The header of a row or column: its IRI, label, and value in query strings, percent-encoded.

    For a row, also the number of its papers, and the path of the list of these papers. `short_name` is the
    message of a shorter name of a column, empty if there is none; `grouped_name` is that of its name below
    GROUP_NAME, empty outside of the group.
    """

    iri: str
    name: ox.Literal
    encoded_value: str
    papers: int = 0
    path: str = ""
    short_name: str = ""
    grouped_name: str = ""


class MatrixCell(NamedTuple):
    """A cell: the CSS class of its color, and the numbers of its papers, in total and by verdict.

    `path` is the path of the list of its papers, `query` the path of the example query for them. `judged` has
    its judgments, `fitting` those that fit the filters; each is None if there are none. `judgments_path` is
    the path of the list of the fitting ones, or of all if none fits.
    """

    tone: str
    papers: int
    verdicts: Sequence[tuple[ox.Literal, int]]
    path: str
    query: str
    judged: JudgedCell | None
    fitting: JudgedCell | None
    judgments_path: str


class MatrixView(NamedTuple):
    """The matrix as a page shows it: the first MAX_SHOWN_ROWS rows, and the meanings of their tones."""

    coverage: CoverageMatrix
    columns: Sequence[MatrixHeader]
    rows: Sequence[tuple[MatrixHeader, Sequence[MatrixCell]]]
    tones: Mapping[str, str]

    @property
    def has_judgments(self) -> bool:
        """Whether the cells show judgments."""
        return LAYER_JUDGMENTS in self.coverage.layers

    @property
    def column_groups(self) -> list[tuple[bool, list[MatrixHeader]]]:
        """The columns in order, those with a common head together; and whether they have one."""
        return [
            (is_group, list(columns))
            for is_group, columns in groupby(self.columns, key=lambda column: bool(column.grouped_name))
        ]

    @property
    def is_cut(self) -> bool:
        """Whether some rows are not shown."""
        return len(self.rows) < len(self.coverage.rows)


def build_matrix_view(
    matrix: CoverageMatrix, base: str, ranges: Sequence[str] = (), filters: Sequence[tuple[str, str]] = ()
) -> MatrixView:
    """The view of a matrix with labels in the best of the language ranges.

    `filters` are the query parameters of the matrix that also filter the list of judgments.
    """
    namespaces = namespaces_by_prefix(base)
    has_group = sum(iri.rpartition("/")[2] in GROUPED_CRITERION_NAMES for iri in matrix.criteria) > 1
    columns = [
        MatrixHeader(
            iri,
            matrix_label(iri, matrix.criteria, ranges),
            quote_plus(iri_query_value(iri, namespaces["principle"], namespaces["criterion"])),
            short_name=short_criterion_name(iri),
            grouped_name=GROUPED_CRITERION_NAMES.get(iri.rpartition("/")[2], "") if has_group else "",
        )
        for iri in matrix.criteria
    ]
    # By column, the query string of its judgments: those of kinds of a criterion are in its cell, too.
    criteria_texts = [
        urlencode(
            [
                ("criterion", iri_query_value(iri, namespaces["principle"], namespaces["criterion"]))
                for iri in (column.iri, *matrix.kinds.get(column.iri, ()))
            ]
        )
        for column in columns
    ]
    filters_text = "".join(f"&{urlencode([pair])}" for pair in filters)
    verdict_labels = {iri: matrix_label(iri, matrix.verdicts, ranges) for iri in matrix.verdicts}
    rows = []
    for iri in list(matrix.rows)[:MAX_SHOWN_ROWS]:
        query_value = iri_query_value(iri, namespaces[matrix.row_dimension.type])
        papers = matrix.papers.get((iri,), 0)
        path = f"/papers?{urlencode({matrix.row_dimension.key: query_value})}"
        row_text = urlencode({"issue": query_value})
        row = MatrixHeader(iri, matrix_label(iri, matrix.rows, ranges), quote_plus(query_value), papers, path)
        cells = [
            build_matrix_cell(
                matrix,
                row,
                column,
                verdict_labels,
                f"{row_text}&{criteria}{filters_text if (iri, column.iri) in matrix.fitting else ''}",
            )
            for column, criteria in zip(columns, criteria_texts, strict=True)
        ]
        rows.append((row, cells))
    tones = {cell.tone for _, cells in rows for cell in cells}
    meanings = JUDGED_STATES if LAYER_JUDGMENTS in matrix.layers else CELL_TONES
    return MatrixView(
        matrix, columns, rows, {tone: meaning for tone, meaning in meanings.items() if tone in tones}
    )


def matrix_label(iri: str, labels: LabelsByIri, ranges: Sequence[str]) -> ox.Literal:
    """The best label for the language ranges; without labels, words made from the end of the IRI."""
    return best_text((label for label in labels[iri] if label.value), ranges, words_of_iri(iri))


def iri_query_value(iri: str, *namespaces: str) -> str:
    """The value for an IRI in a query string: its local name in a namespace, or else the whole IRI."""
    for namespace in namespaces:
        local_name = iri.removeprefix(namespace)
        if iri.startswith(namespace) and RESOURCE_NAME_PATTERN.fullmatch(local_name):
            return local_name
    return iri


def build_matrix_cell(
    matrix: CoverageMatrix,
    row: MatrixHeader,
    column: MatrixHeader,
    verdict_labels: Mapping[str, ox.Literal],
    judgments_text: str,
) -> MatrixCell:
    """The cell of a row and a column.

    `judgments_text` is the query string of the list of its judgments.
    """
    papers = matrix.papers.get((row.iri, column.iri), 0)
    verdicts = [
        (verdict, matrix.papers[row.iri, column.iri, verdict])
        for verdict in verdict_labels
        if (row.iri, column.iri, verdict) in matrix.papers
    ]
    judged, fitting = (cells.get((row.iri, column.iri)) for cells in (matrix.judged, matrix.fitting))
    example, parameter = matrix.row_dimension.example_query
    if LAYER_JUDGMENTS in matrix.layers:
        tone = "none" if judged is None else judged.state if judged.state in JUDGED_STATES else STATE_MIXED
    else:
        tone = cell_tone(papers, [iri for iri, _ in verdicts], row.papers)
    return MatrixCell(
        tone,
        papers,
        [(verdict_labels[iri], count) for iri, count in verdicts],
        f"{row.path}&criterion={column.encoded_value}",
        f"/queries/{example}?{parameter}={row.encoded_value}&the_criterion={column.encoded_value}",
        judged,
        fitting,
        f"/judgments?{judgments_text}",
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
