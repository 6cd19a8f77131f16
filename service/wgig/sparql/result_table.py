"""The result of a SELECT as a table for pages: its things have labels and links.

A column `x` and a column `xLabel`, as the Wikidata Query Service names them, are shown as one. IRIs of the
graph have their best label in the language of the page. A literal that consists of IRIs, as GROUP_CONCAT
makes them, is a list of things.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import pyoxigraph as ox
from wgig_client.literals import is_numeric_literal, literal_value
from wgig_client.namespaces import XSD_NAMESPACE

from ..http.language import current_language, label_languages
from ..rdf.sparql_lexer import SparqlText, find_first_word
from ..store.labels import find_labels
from ..store.store import Store

DATE_DATATYPES = {f"{XSD_NAMESPACE}{name}" for name in ("date", "gYearMonth", "gYear")}
LABEL_SUFFIX = "Label"  # of the column with the labels of another column
IRI_LIST_PATTERN = re.compile(r'https?://[^\s<>"]+(?:(?: \| |, |; |\s)https?://[^\s<>"]+)*')
IRI_LIST_SEPARATOR_PATTERN = re.compile(r"[|,;]?\s+(?:\|\s+)?")
LIST_SEPARATOR = " | "  # of the labels of a list, as in the example queries
MAX_CELL_THINGS = 200  # of a list in one cell; the others are left out
MAX_LABELED_THINGS = 5_000  # of a table on a page; further things have no label. Each takes about 20 µs
GROUPED_COLUMNS = 2  # the first columns, in which a repeated value is shown once

Row = Sequence[Any]  # the terms of a solution, None for an unbound variable


class Thing(NamedTuple):
    """An IRI, and its label if it is known."""

    iri: str
    label: ox.Literal | None


class Cell(NamedTuple):
    """A cell of a table: the things in it, or else its term, which is None if the variable is unbound.

    `is_repeated`: the row above has the same value in this and all previous columns. `path` is that of the
    list that a number counts; `empty_text` is what an empty cell says, in English.
    """

    term: Any
    things: tuple[Thing, ...] = ()
    is_repeated: bool = False
    path: str = ""
    empty_text: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether the cell has no value. An empty text is that of a list without items."""
        return self.term is None or (isinstance(self.term, ox.Literal) and not self.term.value)

    @property
    def is_date(self) -> bool:
        """Whether the cell has a date or a time, which should not be broken into lines."""
        return isinstance(literal_value(self.term) if isinstance(self.term, ox.Literal) else None, date)

    @property
    def date_number(self) -> int | None:
        """The number that sorts a date, month or year, such as 20050700; None for other terms."""
        if not isinstance(self.term, ox.Literal) or self.term.datatype.value not in DATE_DATATYPES:
            return None
        digits = self.term.value[: len("2005-07-18")].replace("-", "")
        return int(digits.ljust(8, "0")) if digits.isdecimal() else None

    @property
    def truth(self) -> bool | None:
        """The value of a boolean; None for other terms."""
        value = literal_value(self.term) if isinstance(self.term, ox.Literal) else None
        return value if isinstance(value, bool) else None


class Column(NamedTuple):
    """A column of a table: its variable, its position in the rows, the position of its labels, or -1."""

    name: str
    position: int
    label_position: int
    is_numeric: bool


class Solutions(NamedTuple):
    """The variables of a SELECT and its rows; of a result that was not read to its end, the first rows."""

    names: Sequence[str]
    rows: Sequence[Row]
    is_whole: bool = True


@dataclass(frozen=True)
class ResultTable:
    """The columns of a result and some of its rows, from number `first` on, counted from 1.

    `available` is the number of rows that were read, of all rows if `is_whole`.
    """

    columns: list[Column]
    rows: list[list[Cell]]
    first: int
    available: int
    is_whole: bool

    @property
    def has_things(self) -> bool:
        """Whether a cell has a thing with a label."""
        return any(thing.label for row in self.rows for cell in row for thing in cell.things)

    @property
    def last(self) -> int:
        """The number of the last row."""
        return self.first + len(self.rows) - 1

    @property
    def is_partial(self) -> bool:
        """Whether the result has other rows."""
        return self.available > len(self.rows) or not self.is_whole


class TableOptions(NamedTuple):
    """Which rows a table has: those of a page, counted from 1. Its first `max_labels` things have labels.

    `translates_labels`: a label in the language of the page replaces one that the query states in another.
    """

    max_rows: int
    page: int = 1
    max_labels: int = MAX_LABELED_THINGS
    translates_labels: bool = False


def build_result_table(
    solutions: Solutions, query: SparqlText, store: Store, options: TableOptions
) -> ResultTable:
    """The table of the solutions of a query."""
    translates_labels = options.translates_labels
    offset = (options.page - 1) * options.max_rows
    rows = solutions.rows[offset : offset + options.max_rows]
    iris_by_term = {term: split_cell_iris(term) for row in rows for term in row if term is not None}
    columns = list_result_columns(
        solutions._replace(rows=rows), order_variables(query, solutions.names), iris_by_term
    )
    iris = dict.fromkeys(iri for iris in iris_by_term.values() for iri in iris)
    found_labels = find_labels(store, list(iris)[: options.max_labels], label_languages())

    def build_cell(row: Row, column: Column) -> Cell:
        term = row[column.position]
        stated = row[column.label_position] if column.label_position >= 0 else None
        if isinstance(term, ox.NamedNode):
            label = choose_label(stated, found_labels.get(term.value), translates_labels=translates_labels)
            return Cell(term, (Thing(term.value, label),))
        iris = iris_by_term.get(term, ())
        stated_labels = split_list_labels(stated, len(iris))
        things = tuple(
            Thing(iri, choose_label(label, found_labels.get(iri), translates_labels=translates_labels))
            for iri, label in zip(iris, stated_labels, strict=True)
        )
        return Cell(stated if stated is not None and not things else term, things)

    cells = ([build_cell(row, column) for column in columns] for row in rows)
    marked_cells = list(mark_repeated_cells(columns, cells))
    return ResultTable(columns, marked_cells, offset + 1, len(solutions.rows), solutions.is_whole)


def order_variables(query: SparqlText, names: Sequence[str]) -> list[str]:
    """The variables of a result as the query names them; for SELECT *, in the order of the text.

    The engine sorts the variables of SELECT * by their names.
    """
    first = find_first_word(query.tokens)
    tokens = query.tokens[query.tokens.index(first) + 1 :] if first else []
    projected = [token.text for token in tokens if token.word not in ("DISTINCT", "REDUCED")][:1]
    if projected != ["*"]:
        return [*names]
    offsets = {token.text[1:]: token.start for token in reversed(tokens) if token.kind == "variable"}
    return sorted(names, key=lambda name: offsets.get(name, 0))


def list_result_columns(
    solutions: Solutions, names: Sequence[str], iris_by_term: Mapping[Any, tuple[str, ...]]
) -> list[Column]:
    """The columns with these names, without those that have the labels of the things in another one."""
    positions = {name: position for position, name in enumerate(solutions.names)}
    terms = {name: {row[position] for row in solutions.rows} - {None} for name, position in positions.items()}
    label_positions = {
        name: positions[name + LABEL_SUFFIX]
        for name in names
        if name + LABEL_SUFFIX in positions
        and all(iris_by_term[term] or is_unnamed(term) for term in terms[name])
    }
    return [
        Column(
            name,
            positions[name],
            label_positions.get(name, -1),
            bool(terms[name]) and all(map(is_numeric_literal, terms[name])),
        )
        for name in names
        if positions[name] not in label_positions.values()
    ]


def is_unnamed(term: Any) -> bool:
    """Whether a term says nothing to readers: a blank node, or the empty text that lists nothing."""
    return not isinstance(term, ox.Literal) or not term.value


def split_cell_iris(term: Any) -> tuple[str, ...]:
    """The IRI in a cell, or those in a literal that is a list of IRIs; else none."""
    if isinstance(term, ox.NamedNode):
        return (term.value,)
    if isinstance(term, ox.Literal) and not term.language and IRI_LIST_PATTERN.fullmatch(term.value):
        return tuple(IRI_LIST_SEPARATOR_PATTERN.split(term.value)[:MAX_CELL_THINGS])
    return ()


def split_list_labels(stated: Any, count: int) -> list[ox.Literal | None]:
    """The labels of the things of a list, in English, which GROUP_CONCAT does not keep; None if unknown."""
    texts = stated.value.split(LIST_SEPARATOR) if isinstance(stated, ox.Literal) else []
    return [ox.Literal(text, language="en") for text in texts] if len(texts) == count else [None] * count


def choose_label(stated: Any, found: ox.Literal | None, *, translates_labels: bool) -> ox.Literal | None:
    """The label that the query states, or else the one in the graph (see `TableOptions`)."""
    if not isinstance(stated, ox.Literal) or not stated.value:
        return found
    is_translation = (
        translates_labels
        and found is not None
        and found.language == current_language() != stated.language
        and stated.language is not None
    )
    return found if is_translation else stated


def mark_repeated_cells(columns: Sequence[Column], rows: Iterable[list[Cell]]) -> Iterator[list[Cell]]:
    """The rows, with the cells of the first columns marked that repeat the row above."""
    count = min(GROUPED_COLUMNS, len(columns) - 1)
    above: list[Cell] = []
    for row in rows:
        repeated = 0
        while (
            repeated < count
            and above
            and row[repeated] == above[repeated]
            and row[repeated].term is not None
            and not columns[repeated].is_numeric
        ):
            repeated += 1
        yield [cell._replace(is_repeated=index < repeated) for index, cell in enumerate(row)]
        above = row
