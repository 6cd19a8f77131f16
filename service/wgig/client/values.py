"""RDF terms as Python values and back; rows of a SELECT, also as pandas or polars tables; triples.

A value without a Python type keeps its text and datatype. pandas and polars come with extras of the package.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from types import NoneType
from typing import TYPE_CHECKING, Any, Self

import pyoxigraph as ox

from ..rdf.literals import build_value_literal, literal_value
from ..rdf.namespaces import XSD_STRING

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]
    import polars
    import rdflib


class IRI(str):
    """The IRI of a thing."""

    __slots__ = ()


class Text(str):
    """A text with its `language`, or of a `datatype` that Python has no type for; the other is None."""

    __slots__ = ("datatype", "language")
    language: str | None
    datatype: str | None

    def __new__(cls, text: str, *, language: str | None = None, datatype: str | None = None) -> Self:
        """A text in a language (`Text("Spam", language="en")`), or of the datatype with an IRI."""
        made = super().__new__(cls, text)
        made.language, made.datatype = language, datatype
        return made


def convert_term_to_value(term: object) -> Any:
    """A term as a value of Python.

    An IRI, a text with a language, a number, truth value, day or time; what Python has no type for, or is
    ill-typed, is a Text with its datatype. A blank node and a triple stay terms; None is None.
    """
    match term:
        case ox.NamedNode():
            return IRI(term.value)
        case ox.Literal() if term.language:
            return Text(term.value, language=term.language)
        case ox.Literal():
            value = literal_value(term)
            is_read = not isinstance(value, str) or term.datatype == XSD_STRING
            return value if is_read else Text(value, datatype=term.datatype.value)
        case _:
            return term


def convert_value_to_term(value: object) -> ox.NamedNode | ox.Literal:
    """A value of Python as a term: the way back. Raises TypeError for what is none, ValueError for no IRI."""
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
    """Triples of pyoxigraph, in the order in which they came."""

    def to_rdflib(self) -> "rdflib.Graph":
        """The triples as a graph of rdflib."""
        import rdflib  # noqa: PLC0415  costs 0.2 s

        lines = ox.serialize(self, format=ox.RdfFormat.N_TRIPLES) or b""
        return rdflib.Graph().parse(data=lines.decode(), format="nt")


Row = dict[str, Any]

# Columns that tables have types for.
TABLE_COLUMN_TYPES: tuple[set[type], ...] = ({bool}, {int}, {date}, {datetime})


class Rows(list[Row]):
    """The rows of an answer: each a dictionary from a variable to its value, None where it has none.

    `columns` are the variables in their order; `terms` are the rows with RDF terms of pyoxigraph as values.
    """

    def __init__(self, columns: Iterable[str], terms: Iterable[Sequence[object]]) -> None:
        """Take the variables, and the terms of each row in their order."""
        self.columns = tuple(columns)
        self.terms = [dict(zip(self.columns, row, strict=True)) for row in terms]
        super().__init__(
            {name: convert_term_to_value(one) for name, one in row.items()} for row in self.terms
        )

    def to_pandas(self) -> "pandas.DataFrame":
        """The rows as a data frame. Raises ImportError where pandas is not installed.

        Whole numbers, truth values and texts have pandas' types that know of missing values; days and times
        are timestamps, decimals are floats.
        """
        library = import_extra_library("pandas")
        frame = library.DataFrame(
            {name: self.column_values(name) for name in self.columns}, columns=[*self.columns]
        )
        for name in self.columns:
            if {type(row[name]) for row in self} - {NoneType} == {date}:
                frame[name] = library.to_datetime(frame[name])
        return frame.convert_dtypes()

    def to_polars(self) -> "polars.DataFrame":
        """The rows as a data frame. Raises ImportError where polars is not installed."""
        columns = {name: self.column_values(name) for name in self.columns}
        made: polars.DataFrame = import_extra_library("polars").DataFrame(columns, infer_schema_length=None)
        return made

    def column_values(self, name: str) -> list[object]:
        """A column as a table takes it: of one type, which is text where there are several."""
        kinds = {str if isinstance(row[name], str) else type(row[name]) for row in self} - {NoneType}
        make: Callable[[Any], object] = str
        if kinds == {float} or (kinds != {int} and kinds <= {int, float, Decimal}):
            make = float
        elif kinds in TABLE_COLUMN_TYPES:
            make = keep_value
        return [None if row[name] is None else make(row[name]) for row in self]


def keep_value(value: object) -> object:
    """The value itself."""
    return value


def import_extra_library(name: str) -> Any:
    """A library that comes with an extra. Raises ImportError saying how to get it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"This needs {name}, which is not installed: pip install 'wgig[{name}]'") from error
