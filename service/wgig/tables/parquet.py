"""A table as Parquet, with the library for it, where that is installed."""

import io
from collections.abc import Iterable
from datetime import date
from importlib.util import find_spec
from typing import Any

from ..lookup import Row
from ..problems import Problem
from .columns import SEPARATOR, Column, Table


def is_installed() -> bool:
    """Whether the library for it is there."""
    return find_spec("pyarrow") is not None


def parquet(table: Table, found: Iterable[Row]) -> bytes:
    """The rows of a table as a Parquet file. Raises Problem 501 where the library for it is not installed."""
    try:
        import pyarrow as pa  # noqa: PLC0415  an extra that few need
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise Problem(
            501,
            f"This service writes no Parquet, as it runs without pyarrow. Take /tables/{table.name}.csv, or "
            "have its operator install wgig[parquet].",
        ) from error
    types = {"integer": pa.int64(), "date": pa.date32(), "boolean": pa.bool_()}
    every = list(found)
    fields, arrays = [], []
    for one in table.columns:
        kind = types.get(one.datatype, pa.string())
        kind = pa.list_(kind) if one.is_list else kind
        fields.append(pa.field(one.name, kind, metadata={"description": one.description}))
        arrays.append(pa.array([value(one, row) for row in every], kind))
    described = {"title": table.title, "description": table.description}
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=described)), out)
    return out.getvalue()


def value(one: Column, row: Row) -> Any:
    """What a cell holds; None where nothing is known. Raises Problem 422 where it does not fit the column."""
    text = row[one.name].value if one.name in row else ""
    try:
        if one.is_list:
            return [typed(one, each) for each in text.split(SEPARATOR) if each]
        return typed(one, text) if text else None
    except ValueError as error:
        raise Problem(
            422, f"The column {one.name} holds {text!r}, which is no {one.datatype}. Take the table as CSV."
        ) from error


def typed(one: Column, text: str) -> Any:
    """A value in the datatype of its column. Raises ValueError where it does not fit."""
    match one.datatype:
        case "integer":
            return int(text)
        case "date":
            return date.fromisoformat(text)
        case "boolean":
            return text in ("true", "1")
        case _:
            return text
