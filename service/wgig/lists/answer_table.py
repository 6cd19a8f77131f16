"""The tables of an answer to an example query: its rows, and the totals of the numbers in them.

A number links to the list of what it counts, and an empty cell says why it has no value.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pyoxigraph as ox
from wgig_client.literals import literal_value, term_text

from ..http.parameters import add_url_parameters
from ..i18n import gettext_noop
from ..rdf.namespaces import shorten_iri
from ..sparql.examples import ExampleQuery
from ..sparql.result_table import LABEL_SUFFIX, ResultTable, Solutions, TableOptions, build_result_table
from ..store.store import Store
from .filters import NO_VALUE_TEXT
from .parameter_fields import ParameterForm

NOT_KNOWN, NOT_SEEN = gettext_noop("not known"), gettext_noop("not seen")
NONE_EXISTS, NONE_KNOWN = gettext_noop("none"), gettext_noop("none known")
NO_DATE_SET, NOT_APPLICABLE = gettext_noop("no date set"), gettext_noop("does not apply")


class EmptyCellRule(NamedTuple):
    """What an empty cell says, in English.

    With a `column`, the rule is for rows in which that column is empty, or has no value whose prefixed name
    begins with `prefix`.
    """

    text: str
    column: str = ""
    prefix: str = ""


# The rules for the empty cells of a column; the first that fits a row applies, and without one, NOT_KNOWN.
EMPTY_CELL_RULES: Mapping[str, Sequence[EmptyCellRule]] = {
    "basis": [
        EmptyCellRule(NOT_APPLICABLE, "outcome"),
        EmptyCellRule(NOT_APPLICABLE, "delivered"),
        EmptyCellRule(NOT_APPLICABLE, "tunis_paragraph"),
    ],
    "by_member": [EmptyCellRule(NOT_APPLICABLE, "author_type", "author-type:individual")],
    "cited_by": [EmptyCellRule(NONE_KNOWN)],
    "cluster": [EmptyCellRule(NONE_EXISTS)],
    "confidence": [EmptyCellRule(NOT_APPLICABLE, "outcome")],
    "criterion": [EmptyCellRule(NOT_APPLICABLE, "judgment")],
    "days_late": [
        EmptyCellRule(NOT_APPLICABLE, "due"),
        EmptyCellRule(NOT_KNOWN, "delivered"),
        EmptyCellRule(NONE_EXISTS),
    ],
    "delivered": [EmptyCellRule(NOT_APPLICABLE, "outcome", "milestone:")],
    "dispute": [EmptyCellRule(NOT_APPLICABLE, "judgment"), EmptyCellRule(NONE_EXISTS)],
    "disputed": [EmptyCellRule(NONE_KNOWN)],
    "due": [EmptyCellRule(NOT_APPLICABLE, "outcome", "milestone:"), EmptyCellRule(NO_DATE_SET)],
    "due_from": [EmptyCellRule(NONE_EXISTS)],
    "evidence": [EmptyCellRule(NOT_APPLICABLE, "outcome")],
    "file": [EmptyCellRule(NONE_EXISTS)],
    "from_afar": [EmptyCellRule(NONE_KNOWN)],
    "issue": [EmptyCellRule(NONE_EXISTS)],
    "issues": [EmptyCellRule(NONE_EXISTS)],
    "judged": [EmptyCellRule(NONE_EXISTS)],
    "judgment": [EmptyCellRule(NONE_EXISTS)],
    "outcome_kind": [EmptyCellRule(NOT_APPLICABLE, "outcome")],
    "paper": [EmptyCellRule(NONE_KNOWN)],
    "papers": [EmptyCellRule(NONE_KNOWN)],
    "quotation": [EmptyCellRule(NOT_APPLICABLE, "judgment")],
    "report_part": [EmptyCellRule(NONE_KNOWN)],
    "report_parts": [EmptyCellRule(NONE_KNOWN)],
    "seen": [EmptyCellRule(NOT_APPLICABLE, "tunis_paragraph")],
    "split_into": [EmptyCellRule(NONE_EXISTS)],
    "timeliness": [
        EmptyCellRule(NOT_APPLICABLE, "outcome", "milestone:"),
        EmptyCellRule(NOT_APPLICABLE, "due"),
    ],
    "tunis_paragraph": [EmptyCellRule(NONE_KNOWN)],
    "tunis_paragraphs": [EmptyCellRule(NONE_KNOWN)],
    "verdict": [
        EmptyCellRule(NOT_APPLICABLE, "papers"),
        EmptyCellRule(NOT_APPLICABLE, "judgment"),
        EmptyCellRule(NOT_SEEN),
    ],
    "view": [EmptyCellRule(NOT_APPLICABLE, "judgment")],
}


class AnswerTotals(NamedTuple):
    """The sum of the numbers of an answer, the path of what it counts, and a table of totals by variable."""

    sum: int
    path: str
    tables: Sequence[ResultTable]


@dataclass(frozen=True)
class AnswerTableBuilder:
    """Builds the tables of the answer to an example query.

    `names_by_parameter` has the names of the values of a parameter that the answer covers.
    """

    example: ExampleQuery
    names_by_parameter: Mapping[str, Sequence[str]]
    store: Store
    base: str

    def build_table(self, solutions: Solutions, options: TableOptions) -> ResultTable:
        """The table of the solutions; its counts have paths, and its empty cells have texts."""
        table = build_result_table(solutions, self.example.source, self.store, options)
        rows = []
        for cells, terms in zip(table.rows, solutions.rows[table.first - 1 :], strict=False):
            row = dict(zip(solutions.names, terms, strict=True))
            rows.append(
                [
                    cell._replace(empty_text=self.find_empty_text(column.name, row))
                    if cell.is_empty
                    else cell._replace(path=self.build_count_path(column.name, row))
                    for column, cell in zip(table.columns, cells, strict=True)
                ]
            )
        return replace(table, rows=rows)

    def build_totals(self, solutions: Solutions, options: TableOptions) -> AnswerTotals | None:
        """The totals of several solutions; None if the query declares none, or they are not whole."""
        counted = self.example.counted
        if not (counted and self.example.total_variables and len(solutions.rows) > 1 and solutions.is_whole):
            return None
        tables = [
            self.build_table(sum_solutions(solutions, variable, counted.column), options)
            for variable in self.example.total_variables
        ]
        (total,) = sum_solutions(solutions, "", counted.column).rows
        return AnswerTotals(
            literal_value(total[-1]),
            self.build_count_path(counted.column, {counted.column: total[-1]}),
            tables,
        )

    def find_empty_text(self, name: str, row: Mapping[str, Any]) -> str:
        """What an empty cell of a column says, in English; `row` has the terms of its row by variable."""
        return next(
            (
                rule.text
                for rule in EMPTY_CELL_RULES.get(name, ())
                if not rule.column
                or (rule.column in row and not self.is_named_with(row[rule.column], rule.prefix))
            ),
            NOT_KNOWN,
        )

    def is_named_with(self, term: Any, prefix: str) -> bool:
        """Whether there is a term, and its prefixed name begins with the prefix."""
        return term is not None and shorten_iri(term_text(term), self.base).startswith(prefix)

    def build_count_path(self, name: str, row: Mapping[str, Any]) -> str:
        """The path of the list that the number in a column counts; empty for other columns, and for zero.

        A filter whose variable is not in the row is left out, as in totals.
        """
        counted = self.example.counted
        if not counted or name != counted.column or not literal_value(row[name]):
            return ""
        values_by_variable = {
            variable: [self.name_filter_value(term)] for variable, term in row.items()
        } | dict(self.names_by_parameter)
        pairs = [
            (filter_, value)
            for filter_, variable in counted.filters
            for value in values_by_variable.get(variable, ())
        ]
        return add_url_parameters(counted.path, pairs)

    def name_filter_value(self, term: Any) -> str:
        """The name of a term in the filter of a list."""
        if term is None:
            return NO_VALUE_TEXT
        return shorten_iri(term_text(term), self.base).rpartition(":")[2]


def list_covered_names(form: ParameterForm) -> dict[str, Sequence[str]]:
    """The name of the chosen value of each parameter, or else of all values that the query names."""
    return {
        field.parameter.name: [field.text] if field.text else field.parameter.values
        for field in form.fields
        if field.text or not field.parameter.column
    }


def sum_solutions(solutions: Solutions, variable: str, count_variable: str) -> Solutions:
    """The sums of the counts by value of a variable, with its labels, the largest first.

    The sum of the solutions without a value comes last. Without a variable, there is one sum, of all.
    """
    names = [name for name in (variable, variable + LABEL_SUFFIX) if name in solutions.names]
    positions = [solutions.names.index(name) for name in names]
    count_position = solutions.names.index(count_variable)
    sums: Counter[tuple[Any, ...]] = Counter()
    for row in solutions.rows:
        sums[tuple(row[position] for position in positions)] += literal_value(row[count_position])
    ordered = sorted(sums.items(), key=lambda item: (None in item[0][:1], -item[1]))
    return Solutions([*names, count_variable], [[*key, ox.Literal(count)] for key, count in ordered])
