"""The solutions of a SELECT: rows of Python values, and as a table of pandas or polars."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from types import NoneType
from typing import TYPE_CHECKING, Any

from .terms import value

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]
    import polars

Row = dict[str, Any]

KEPT: tuple[set[type], ...] = ({bool}, {int}, {date}, {datetime})  # columns that tables have types for


class Rows(list[Row]):
    """The rows of an answer: each a dictionary from a variable to its value, None where it has none.

    `columns` are the variables in their order; `terms` are the rows with RDF terms of pyoxigraph as values.
    """

    def __init__(self, columns: Iterable[str], terms: Iterable[Sequence[object]]) -> None:
        """Take the variables, and the terms of each row in their order."""
        self.columns = tuple(columns)
        self.terms = [dict(zip(self.columns, row, strict=True)) for row in terms]
        super().__init__({name: value(one) for name, one in row.items()} for row in self.terms)

    def to_pandas(self) -> "pandas.DataFrame":
        """The rows as a data frame. Raises ImportError where pandas is not installed.

        Whole numbers, truth values and texts have pandas' types that know of missing values; days and times
        are timestamps, decimals are floats.
        """
        library = installed("pandas")
        frame = library.DataFrame({name: self.plain(name) for name in self.columns}, columns=[*self.columns])
        for name in self.columns:
            if {type(row[name]) for row in self} - {NoneType} == {date}:
                frame[name] = library.to_datetime(frame[name])
        return frame.convert_dtypes()

    def to_polars(self) -> "polars.DataFrame":
        """The rows as a data frame. Raises ImportError where polars is not installed."""
        columns = {name: self.plain(name) for name in self.columns}
        made: polars.DataFrame = installed("polars").DataFrame(columns, infer_schema_length=None)
        return made

    def plain(self, name: str) -> list[object]:
        """A column as a table takes it: of one type, which is text where there are several."""
        kinds = {str if isinstance(row[name], str) else type(row[name]) for row in self} - {NoneType}
        make: Callable[[Any], object] = str
        if kinds == {float} or (kinds != {int} and kinds <= {int, float, Decimal}):
            make = float
        elif kinds in KEPT:
            make = same
        return [None if row[name] is None else make(row[name]) for row in self]


def same(value: object) -> object:
    """The value itself."""
    return value


def installed(name: str) -> Any:
    """A library that comes with an extra. Raises ImportError saying how to get it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"This needs {name}, which is not installed: pip install 'wgig[{name}]'") from error
