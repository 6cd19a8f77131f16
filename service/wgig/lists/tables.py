"""/tables: main lists as CSV (RFC 4180) and Parquet, with CSVW metadata for their columns.

A table is one query file, whose header comments describe its columns. CSV links to its metadata (Tabular Data
Model, section 5.2; https://www.w3.org/TR/tabular-metadata/). Parquet needs an optional library; without it
the response is 501.
"""

import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.util import find_spec
from typing import Any

from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..http.parameters import only
from ..http.responses import answer, page_or
from ..problems import Problem
from ..rdf.formats import CSV, CSVW, HTML, PARQUET, TABLES
from ..resources.representation import show
from ..settings import SHIPPED
from ..sparql.request import Question
from ..sparql.service import respond, tsv
from ..store.view import Dataset, Row, solutions

FOLDER = SHIPPED / "data" / "tables"
HEADER = re.compile(r"^# (title|description): (.+)$", re.MULTILINE)
COLUMN = re.compile(r"^# column (\w+): (\w+)( list)? (.+)$", re.MULTILINE)
SEPARATOR = "|"  # between the values of a cell that holds several


@dataclass(frozen=True)
class Column:
    """A column: its name, the datatype of its values, whether a cell holds a list of them, and what they are.

    The first column of a table names the thing that a row is about.
    """

    name: str
    datatype: str
    is_list: bool
    description: str


@dataclass(frozen=True)
class Table:
    """A table: its name (the file's), a title, a description, its columns, and the SPARQL text."""

    name: str
    title: str
    description: str
    columns: tuple[Column, ...]
    text: str


@cache
def tables() -> dict[str, Table]:
    """All tables by name."""
    found = {}
    for path in sorted(FOLDER.glob("*.rq")):
        text = path.read_text("utf-8")
        header = dict(HEADER.findall(text))
        columns = (Column(name, kind, bool(many), said) for name, kind, many, said in COLUMN.findall(text))
        found[path.stem] = Table(path.stem, header["title"], header["description"], tuple(columns), text)
    return found


def table(name: str) -> Table:
    """The table of this name. Raises Problem 404."""
    if name not in tables():
        raise Problem(404, f"There is no table {name!r}. There are: {', '.join(tables())}.")
    return tables()[name]


CONTEXT = ["http://www.w3.org/ns/csvw", {"@language": "en"}]
LICENSE = "https://creativecommons.org/licenses/by/4.0/"

Members = dict[str, object]


def metadata(table: Table) -> Members:
    """The metadata of one table, which lies beside it."""
    return {"@context": CONTEXT, **describe_table(table)}


def group(tables: Iterable[Table]) -> Members:
    """The metadata of all tables, which lie in one folder."""
    return {"@context": CONTEXT, "tables": [describe_table(one) for one in tables]}


def describe_table(table: Table) -> Members:
    """A table with its columns."""
    key = table.columns[0].name
    return {
        "url": f"{table.name}.csv",
        "dc:title": table.title,
        "dc:description": table.description,
        "dc:license": {"@id": LICENSE},
        "tableSchema": {
            "columns": [column(one, is_key=one.name == key) for one in table.columns],
            "primaryKey": key,
            "aboutUrl": f"{{+{key}}}",
        },
    }


def column(one: Column, *, is_key: bool) -> Members:
    """A column."""
    said: Members = {
        "name": one.name,
        "titles": one.name,
        "dc:description": one.description,
        "datatype": one.datatype,
    }
    if one.is_list:
        said["separator"] = SEPARATOR
    if is_key:
        said["required"] = True
    return said


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


GROUP = "/tables/csv-metadata.json"


def every_table(request: Request) -> Response:
    """All tables with their columns, as CSVW metadata, or as a page where a browser asks."""
    only(request)
    if page_or(request, CSVW) is HTML:
        formats = [CSV, *([PARQUET] if is_installed() else []), CSVW]
        page = show(request, "tables.html", tables=tables().values(), formats=formats)
        return answer(request, page, HTML)
    return every_column(request)


def every_column(request: Request) -> Response:
    """What the columns of all tables hold."""
    return metadata_response(request, group(tables().values()), [])


async def one_table(request: Request, name: str) -> Response:
    """A table as `.csv` or `.parquet`, or its columns as `.csv-metadata.json`. Raises Problem 404, 501."""
    only(request)
    if f"/tables/{name}" == GROUP:
        return every_column(request)
    stem, _, suffix = name.partition(".")
    if suffix not in [one.suffix for one in TABLES]:
        raise Problem(404, f"There is no {name!r}. The tables are listed at /tables, with their columns.")
    found = table(stem)
    if suffix == CSVW.suffix:
        return metadata_response(
            request, metadata(found), [f'</tables/{stem}.csv>; rel="describes"; type="text/csv"']
        )
    return await (as_csv if suffix == CSV.suffix else as_parquet)(request, found)


async def as_csv(request: Request, found: Table) -> Response:
    """The rows as CSV (RFC 4180), which leads to its metadata (Tabular Data Model, section 5.2)."""
    link = f'</tables/{found.name}.{CSVW.suffix}>; rel="describedby"; type="{CSVW.media_type}"'
    return await respond(request, [], Question(found.text, "SELECT", Dataset()), CSV, {"Link": link})


async def as_parquet(request: Request, found: Table) -> Response:
    """The rows as Parquet. Raises Problem 501."""
    body = await tsv(request, found.text, request.app.state.settings.result_bytes)
    return answer(request, await run_sync(lambda: parquet(found, solutions(body))), PARQUET)


def metadata_response(request: Request, members: Members, links: list[str]) -> Response:
    """Metadata as an answer."""
    return answer(
        request, json.dumps(members, ensure_ascii=False, indent=2).encode() + b"\n", CSVW, links=links
    )
