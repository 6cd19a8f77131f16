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
from functools import cache
from importlib.util import find_spec
from typing import Any

from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..http.negotiation import choose_page_or_data
from ..http.parameters import check_query_parameters
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep
from ..problems import Problem
from ..rdf.formats import CSV, CSVW, HTML, PARQUET, TABLE_FORMATS
from ..rdf.literals import parse_xsd_text
from ..rdf.namespaces import LICENSE_IRI
from ..resources.representation import render_site_page
from ..settings import SHIPPED_FOLDER
from ..sparql.dependencies import QueriesDep
from ..sparql.request import build_own_query
from ..sparql.service import QueryService, respond_with_result, select_own_tsv
from ..store.view import ResultRow, parse_tsv_solutions

TABLES_FOLDER = SHIPPED_FOLDER / "data" / "tables"
TABLE_HEADER_PATTERN = re.compile(r"^# (title|description): (.+)$", re.MULTILINE)
TABLE_COLUMN_PATTERN = re.compile(r"^# column (\w+): (\w+)( list)? (.+)$", re.MULTILINE)
TABLE_LIST_SEPARATOR = "|"  # between the values of a cell that holds several


@dataclass(frozen=True)
class TableColumn:
    """A column: its name, the datatype of its values, whether a cell holds a list of them, and what they are.

    The first column of a table names the thing that a row is about.
    """

    name: str
    datatype: str
    is_list: bool
    description: str


@dataclass(frozen=True)
class TableDefinition:
    """A table: its name (the file's), a title, a description, its columns, and the SPARQL text."""

    name: str
    title: str
    description: str
    columns: tuple[TableColumn, ...]
    query: str


@cache
def read_table_definitions() -> dict[str, TableDefinition]:
    """All tables by name."""
    found = {}
    for path in sorted(TABLES_FOLDER.glob("*.rq")):
        text = path.read_text("utf-8")
        header = dict(TABLE_HEADER_PATTERN.findall(text))
        columns = (
            TableColumn(name, kind, bool(many), said)
            for name, kind, many, said in TABLE_COLUMN_PATTERN.findall(text)
        )
        found[path.stem] = TableDefinition(
            path.stem, header["title"], header["description"], tuple(columns), text
        )
    return found


def get_table_definition(name: str) -> TableDefinition:
    """The table of this name. Raises Problem 404."""
    if name not in read_table_definitions():
        raise Problem(404, f"There is no table {name!r}. There are: {', '.join(read_table_definitions())}.")
    return read_table_definitions()[name]


CSVW_CONTEXT = ["http://www.w3.org/ns/csvw", {"@language": "en"}]

JsonMembers = dict[str, object]


def build_table_metadata(table: TableDefinition) -> JsonMembers:
    """The metadata of one table, which lies beside it."""
    return {"@context": CSVW_CONTEXT, **describe_table(table)}


def build_table_group(tables: Iterable[TableDefinition]) -> JsonMembers:
    """The metadata of all tables, which lie in one folder."""
    return {"@context": CSVW_CONTEXT, "tables": [describe_table(one) for one in tables]}


def describe_table(table: TableDefinition) -> JsonMembers:
    """A table with its columns."""
    key = table.columns[0].name
    return {
        "url": f"{table.name}.csv",
        "dc:title": table.title,
        "dc:description": table.description,
        "dc:license": {"@id": LICENSE_IRI},
        "tableSchema": {
            "columns": [describe_table_column(one, is_key=one.name == key) for one in table.columns],
            "primaryKey": key,
            "aboutUrl": f"{{+{key}}}",
        },
    }


def describe_table_column(one: TableColumn, *, is_key: bool) -> JsonMembers:
    """A column."""
    said: JsonMembers = {
        "name": one.name,
        "titles": one.name,
        "dc:description": one.description,
        "datatype": one.datatype,
    }
    if one.is_list:
        said["separator"] = TABLE_LIST_SEPARATOR
    if is_key:
        said["required"] = True
    return said


def is_parquet_available() -> bool:
    """Whether the library for it is there."""
    return find_spec("pyarrow") is not None


def serialize_parquet_table(table: TableDefinition, found: Iterable[ResultRow]) -> bytes:
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
        arrays.append(pa.array([parse_table_cell(one, row) for row in every], kind))
    described = {"title": table.title, "description": table.description}
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=described)), out)
    return out.getvalue()


def parse_table_cell(one: TableColumn, row: ResultRow) -> Any:
    """What a cell holds; None where nothing is known. Raises Problem 422 where it does not fit the column."""
    text = row[one.name].value if one.name in row else ""
    try:
        if one.is_list:
            return [parse_xsd_text(each, one.datatype) for each in text.split(TABLE_LIST_SEPARATOR) if each]
        return parse_xsd_text(text, one.datatype) if text else None
    except ValueError as error:
        raise Problem(
            422, f"The column {one.name} holds {text!r}, which is no {one.datatype}. Take the table as CSV."
        ) from error


TABLE_GROUP_PATH = "/tables/csv-metadata.json"


def get_tables(context: ContextDep) -> Response:
    """All tables with their columns, as CSVW metadata, or as a page where a browser asks."""
    request = context.request
    check_query_parameters(request)
    if choose_page_or_data(request, CSVW) is HTML:
        formats = [CSV, *([PARQUET] if is_parquet_available() else []), CSVW]
        page = render_site_page(
            context, "tables.html", tables=read_table_definitions().values(), formats=formats
        )
        return respond_with_body(request, page, HTML)
    return respond_with_table_group(request)


def respond_with_table_group(request: Request) -> Response:
    """What the columns of all tables hold."""
    return respond_with_table_metadata(request, build_table_group(read_table_definitions().values()), [])


async def get_table(request: Request, queries: QueriesDep, name: str) -> Response:
    """A table as `.csv` or `.parquet`, or its columns as `.csv-metadata.json`. Raises Problem 404, 501."""
    check_query_parameters(request)
    if f"/tables/{name}" == TABLE_GROUP_PATH:
        return respond_with_table_group(request)
    stem, _, suffix = name.partition(".")
    if suffix not in [one.suffix for one in TABLE_FORMATS]:
        raise Problem(404, f"There is no {name!r}. The tables are listed at /tables, with their columns.")
    found = get_table_definition(stem)
    if suffix == CSVW.suffix:
        return respond_with_table_metadata(
            request, build_table_metadata(found), [f'</tables/{stem}.csv>; rel="describes"; type="text/csv"']
        )
    return await (respond_with_csv_table if suffix == CSV.suffix else respond_with_parquet_table)(
        request, queries, found
    )


async def respond_with_csv_table(request: Request, queries: QueryService, found: TableDefinition) -> Response:
    """The rows as CSV (RFC 4180), which leads to its metadata (Tabular Data Model, section 5.2)."""
    link = f'</tables/{found.name}.{CSVW.suffix}>; rel="describedby"; type="{CSVW.media_type}"'
    asked = build_own_query(found.query)
    return await respond_with_result(request, queries, [], asked, CSV, {"Link": link})


async def respond_with_parquet_table(
    request: Request, queries: QueryService, found: TableDefinition
) -> Response:
    """The rows as Parquet. Raises Problem 501."""
    body = await select_own_tsv(request, queries, found.query, queries.settings.result_bytes)
    return respond_with_body(
        request, await run_sync(lambda: serialize_parquet_table(found, parse_tsv_solutions(body))), PARQUET
    )


def respond_with_table_metadata(request: Request, members: JsonMembers, links: list[str]) -> Response:
    """Metadata as an answer."""
    return respond_with_body(
        request, json.dumps(members, ensure_ascii=False, indent=2).encode() + b"\n", CSVW, links=links
    )
