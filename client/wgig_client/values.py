"""Conversion of RDF terms to Python values and back; classes for query results: Rows and Triples.

A literal of a datatype without a Python type becomes a Text with that datatype. pandas and polars are
optional extras of the package.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from html import escape
from importlib import import_module
from types import NoneType
from typing import TYPE_CHECKING, Any, Self

import pyoxigraph as ox

from .literals import build_value_literal, literal_value
from .namespaces import XSD_NAMESPACE

if TYPE_CHECKING:
    import networkx  # type: ignore[import-untyped]
    import pandas  # type: ignore[import-untyped]
    import polars
    import rdflib


MAX_NOTEBOOK_ROWS = 50  # of a table in a notebook
STRING_DATATYPE_IRI = f"{XSD_NAMESPACE}string"


class IRI(str):
    """An IRI as a string."""

    __slots__ = ()


class Text(str):
    """A literal with a `language`, or a `datatype` that has no Python type; the other attribute is None."""

    __slots__ = ("datatype", "language")
    language: str | None
    datatype: str | None

    def __new__(cls, text: str, *, language: str | None = None, datatype: str | None = None) -> Self:
        """Create a text with a language, such as `Text("Spam", language="en")`, or with a datatype IRI."""
        literal = super().__new__(cls, text)
        literal.language, literal.datatype = language, datatype
        return literal


def convert_term_to_value(term: object) -> Any:
    """An RDF term as a Python value.

    IRIs become IRI, texts with a language Text, other literals str, int, float, Decimal, bool, date or
    datetime. A literal of another datatype, or an ill-typed one, becomes a Text with its datatype. Blank
    nodes, triples and None are returned unchanged.
    """
    match term:
        case ox.NamedNode():
            return IRI(term.value)
        case ox.Literal() if term.language:
            return Text(term.value, language=term.language)
        case ox.Literal():
            value = literal_value(term)
            is_native = not isinstance(value, str) or term.datatype.value == STRING_DATATYPE_IRI
            return value if is_native else Text(value, datatype=term.datatype.value)
        case _:
            return term


def convert_value_to_term(value: object) -> ox.NamedNode | ox.Literal:
    """A Python value as an RDF term. Raises TypeError for other types, ValueError for an invalid IRI."""
    match value:
        case ox.NamedNode() | ox.Literal():
            return value
        case IRI():
            return ox.NamedNode(value)
        case Text() if value.language:
            return ox.Literal(value, language=value.language)
        case Text() if value.datatype:
            return ox.Literal(value, datatype=ox.NamedNode(value.datatype))
        case str():
            return ox.Literal(value)
    return build_value_literal(value)


class Triples(list[ox.Triple]):
    """pyoxigraph triples, in the order of the response."""

    def to_rdflib(self) -> "rdflib.Graph":
        """The triples as an rdflib graph. Raises ImportError if rdflib is not installed."""
        lines = ox.serialize(self, format=ox.RdfFormat.N_TRIPLES) or b""
        graph: rdflib.Graph = import_extra_library("rdflib").Graph()
        return graph.parse(data=lines.decode(), format="nt")

    def to_networkx(self) -> "networkx.MultiDiGraph":
        """The triples as a directed graph: an edge for each, whose key is the IRI of the property.

        Nodes are IRIs, and pyoxigraph terms for literals and blank nodes, so that no two are equal. Raises
        ImportError if networkx is not installed.
        """
        graph = import_extra_library("networkx").MultiDiGraph()
        for triple in self:
            source, target = (
                IRI(term.value) if isinstance(term, ox.NamedNode) else term
                for term in (triple.subject, triple.object)
            )
            graph.add_edge(source, target, IRI(triple.predicate.value))
        return graph

    def _repr_html_(self) -> str:
        """The first triples as a table, for notebooks."""
        names = ("subject", "property", "value")
        rows = [[convert_term_to_value(term) for term in triple] for triple in self[:MAX_NOTEBOOK_ROWS]]
        return build_html_table(names, rows, len(self))


Row = dict[str, Any]

# Data frames support a column without conversion if all its values have one of these types.
TABLE_COLUMN_TYPES: tuple[set[type], ...] = ({bool}, {int}, {date}, {datetime})


class Rows(list[Row]):
    """The rows of a result: dictionaries from variable to value, which is None if the variable is unbound.

    `columns` are the variables in order; `terms` are the same rows with pyoxigraph terms as values.
    """

    def __init__(self, columns: Iterable[str], terms: Iterable[Sequence[object]]) -> None:
        """Convert rows of terms, which are in the order of the variables `columns`."""
        self.columns = tuple(columns)
        self.terms = [dict(zip(self.columns, row, strict=True)) for row in terms]
        super().__init__(
            {name: convert_term_to_value(term) for name, term in row.items()} for row in self.terms
        )

    def _repr_html_(self) -> str:
        """The first rows as a table, for notebooks."""
        return build_html_table(
            self.columns, [[*row.values()] for row in self[:MAX_NOTEBOOK_ROWS]], len(self)
        )

    def to_pandas(self) -> "pandas.DataFrame":
        """The rows as a data frame. Raises ImportError if pandas is not installed.

        Integers, booleans and texts get the nullable types of pandas; dates and times become timestamps,
        decimals floats.
        """
        library = import_extra_library("pandas")
        frame = library.DataFrame(
            {name: self.column_values(name) for name in self.columns}, columns=[*self.columns]
        )
        for name in self.columns:
            if {type(row[name]) for row in self} - {NoneType} == {date}:
                frame[name] = library.to_datetime(frame[name])
        converted = frame.convert_dtypes()
        for name in self.columns:  # pandas would make integers of floats without fractions
            if {type(value) for value in self.column_values(name)} - {NoneType} == {float}:
                converted[name] = frame[name].astype("Float64")
        return converted

    def to_polars(self) -> "polars.DataFrame":
        """The rows as a data frame. Raises ImportError if polars is not installed."""
        columns = {name: self.column_values(name) for name in self.columns}
        frame: polars.DataFrame = import_extra_library("polars").DataFrame(columns, infer_schema_length=None)
        return frame

    def column_values(self, name: str) -> list[object]:
        """The values of a column, converted to float or str unless a data frame supports their type."""
        types = {str if isinstance(row[name], str) else type(row[name]) for row in self} - {NoneType}
        convert: Callable[[Any], object] = str
        if types == {float} or (types != {int} and types <= {int, float, Decimal}):
            convert = float
        elif types in TABLE_COLUMN_TYPES:
            convert = keep_value
        return [None if row[name] is None else convert(row[name]) for row in self]


def build_html_table(columns: Sequence[str], rows: Iterable[Sequence[object]], row_count: int) -> str:
    """Rows as an HTML table for notebooks, with links to IRIs of HTTP, and the number of all rows."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{format_html_value(value)}</td>' for value in row)}</tr>" for row in rows
    )
    note = f"<p>{MAX_NOTEBOOK_ROWS} of {row_count} rows</p>" if row_count > MAX_NOTEBOOK_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"


def format_html_value(value: object) -> str:
    """A value in a cell; empty for None."""
    text = "" if value is None else escape(str(value))
    is_link = isinstance(value, IRI) and value.startswith(("http://", "https://"))
    return f'<a href="{text}">{text}</a>' if is_link else text


def keep_value(value: object) -> object:
    """The value itself."""
    return value


def import_extra_library(name: str) -> Any:
    """The module of an optional extra. Raises ImportError with the command that installs it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"This needs {name}, which is not installed: pip install 'wgig-client[{name}]'"
        ) from error
