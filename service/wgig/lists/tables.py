"""/tables: main lists as CSV (RFC 4180) and Parquet, with CSVW metadata for their columns.

A table is one query file, whose header comments describe its columns. CSV links to its metadata (Tabular
Data Model, section 5.2; https://www.w3.org/TR/tabular-metadata/). Parquet requires the optional library
pyarrow; without it the response is 501.
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from typing import Annotated, Any, NamedTuple

from anyio.to_thread import run_sync
from fastapi import Path, Request, Response
from wgig_client.literals import parse_xsd_text

from ..http.negotiation import choose_page_or_data
from ..http.operations import Operation
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep
from ..problems import Problem
from ..rdf.formats import CSV, CSVW, HTML, PARQUET, TABLE_FORMATS, TSV, ZIP_FORMAT, Format
from ..rdf.namespaces import LICENSE_IRI
from ..resources.representation import render_site_page
from ..settings import SHIPPED_FOLDER
from ..sparql.dependencies import QueriesDep
from ..sparql.request import build_internal_query
from ..sparql.service import QueryService, open_query_result, respond_with_result, select_internal_tsv
from ..store.view import ResultRow, parse_tsv_solutions
from .dependencies import StoreSizeDep

TABLES_FOLDER = SHIPPED_FOLDER / "data" / "tables"
# Header comments such as `# title: Papers` and `# column posted: date list The days of posting.`
TABLE_HEADER_PATTERN = re.compile(r"^# (title|description): (.+)$", re.MULTILINE)
TABLE_COLUMN_PATTERN = re.compile(r"^# column (\w+): (\w+)( list)? (.+)$", re.MULTILINE)
TABLE_LIST_SEPARATOR = "|"  # between the values of a list in a cell


@dataclass(frozen=True)
class TableColumn:
    """A column: its name, the datatype of its values, whether a cell contains a list, and a description.

    The first column of a table identifies the resource of a row.
    """

    name: str
    datatype: str
    is_list: bool
    description: str


@dataclass(frozen=True)
class TableDefinition:
    """A table: its name (that of the query file), title, description, columns and SPARQL query."""

    name: str
    title: str
    description: str
    columns: tuple[TableColumn, ...]
    query: str


@cache
def read_table_definitions() -> dict[str, TableDefinition]:
    """All tables by name."""
    tables = {}
    for path in sorted(TABLES_FOLDER.glob("*.rq")):
        text = path.read_text("utf-8")
        header = dict(TABLE_HEADER_PATTERN.findall(text))
        columns = (
            TableColumn(name, datatype, bool(is_list), description)
            for name, datatype, is_list, description in TABLE_COLUMN_PATTERN.findall(text)
        )
        tables[path.stem] = TableDefinition(
            path.stem, header["title"], header["description"], tuple(columns), text
        )
    return tables


def get_table_definition(name: str) -> TableDefinition:
    """The table of this name. Raises Problem 404 if there is none."""
    if name not in read_table_definitions():
        raise Problem(404, f"There is no table {name!r}. Choose from: {', '.join(read_table_definitions())}.")
    return read_table_definitions()[name]


CSVW_CONTEXT = ["http://www.w3.org/ns/csvw", {"@language": "en"}]

JsonMembers = dict[str, object]


def build_table_metadata(table: TableDefinition) -> JsonMembers:
    """The CSVW metadata of one table."""
    return {"@context": CSVW_CONTEXT, **describe_table(table)}


def build_table_group(tables: Iterable[TableDefinition]) -> JsonMembers:
    """The CSVW metadata of all tables."""
    return {"@context": CSVW_CONTEXT, "tables": [describe_table(table) for table in tables]}


def describe_table(table: TableDefinition) -> JsonMembers:
    """The CSVW description of a table with its columns."""
    key_column = table.columns[0].name
    return {
        "url": f"{table.name}.csv",
        "dc:title": table.title,
        "dc:description": table.description,
        "dc:license": {"@id": LICENSE_IRI},
        "tableSchema": {
            "columns": [
                describe_table_column(column, is_key=column.name == key_column) for column in table.columns
            ],
            "primaryKey": key_column,
            "aboutUrl": f"{{+{key_column}}}",  # a URI template (RFC 6570): the IRI in the column
        },
    }


def describe_table_column(column: TableColumn, *, is_key: bool) -> JsonMembers:
    """The CSVW description of a column."""
    description: JsonMembers = {
        "name": column.name,
        "titles": column.name,
        "dc:description": column.description,
        "datatype": column.datatype,
    }
    if column.is_list:
        description["separator"] = TABLE_LIST_SEPARATOR
    if is_key:
        description["required"] = True
    return description


def is_parquet_available() -> bool:
    """Whether pyarrow is installed."""
    return find_spec("pyarrow") is not None


def serialize_parquet_table(table: TableDefinition, rows: Iterable[ResultRow]) -> bytes:
    """The rows of a table as a Parquet file. Raises Problem 501 if pyarrow is not installed."""
    try:
        import pyarrow as pa  # noqa: PLC0415  optional: the extra `parquet`
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise Problem(
            501,
            "This service cannot write Parquet, because pyarrow is not installed. Get "
            f"/tables/{table.name}.csv, or ask the operator to install wgig[parquet].",
        ) from error
    arrow_types = {"integer": pa.int64(), "date": pa.date32(), "boolean": pa.bool_()}
    all_rows = list(rows)
    fields, arrays = [], []
    for column in table.columns:
        arrow_type = arrow_types.get(column.datatype, pa.string())
        arrow_type = pa.list_(arrow_type) if column.is_list else arrow_type
        fields.append(pa.field(column.name, arrow_type, metadata={"description": column.description}))
        arrays.append(pa.array([parse_table_cell(column, row) for row in all_rows], arrow_type))
    metadata = {"title": table.title, "description": table.description}
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=metadata)), buffer)
    return buffer.getvalue()


def parse_table_cell(column: TableColumn, row: ResultRow) -> Any:
    """The value of a cell; None if it is empty. Raises Problem 422 if it is not of the datatype."""
    text = row[column.name].value if column.name in row else ""
    try:
        if column.is_list:
            return [
                parse_xsd_text(item, column.datatype) for item in text.split(TABLE_LIST_SEPARATOR) if item
            ]
        return parse_xsd_text(text, column.datatype) if text else None
    except ValueError as error:
        raise Problem(
            422,
            f"The column {column.name} holds {text!r}, which is not a valid {column.datatype}. "
            "Get the table as CSV.",
        ) from error


TABLE_PAGES = {"stakeholders": "people"}  # whose page has another name
PREVIEWED_ROWS = 3
# To preview the tables, they are evaluated as a whole: of a larger store, the page has no previews.
MAX_PREVIEWED_QUADS, MAX_PREVIEWED_BYTES = 500_000, 4 * 1024 * 1024
TABLE_GROUP_PATH = "/tables/csv-metadata.json"
TABLES_OPERATION = Operation(formats=(CSVW, HTML))
TABLE_OPERATION = Operation(formats=(*TABLE_FORMATS, ZIP_FORMAT))
TABLE_ARCHIVE_NAME = "all"  # of the archives with all tables: /tables/all.csv.zip
# The formats of the tables in an archive, by the suffix of the archive.
TABLE_ARCHIVE_FORMATS = {f"{format_.suffix}.{ZIP_FORMAT.suffix}": format_ for format_ in (CSV, PARQUET)}
ARCHIVE_MEMBER_TIME = (1980, 1, 1, 0, 0, 0)  # the same for equal tables, so that archives are equal, too
TableFileName = Annotated[
    str,
    Path(
        description="The name of a table, with .csv, .parquet or .csv-metadata.json; all.csv.zip and "
        "all.parquet.zip have all tables.",
        examples=["papers.csv"],
    ),
]


async def get_tables(context: ContextDep, queries: QueriesDep, store_size: StoreSizeDep) -> Response:
    """All tables with their columns, as CSVW metadata, or as an HTML page for browsers."""
    request = context.request
    if choose_page_or_data(request, CSVW) is HTML:
        quads, _ = await run_sync(store_size.counts)
        previews = await read_table_previews(request, queries) if quads <= MAX_PREVIEWED_QUADS else {}
        page = await run_sync(
            partial(
                render_site_page,
                context,
                "tables.html",
                tables=read_table_definitions().values(),
                pages={name: TABLE_PAGES.get(name, name) for name in read_table_definitions()},
                has_parquet=is_parquet_available(),
                previews=previews,
            )
        )
        return respond_with_body(request, page, HTML)
    return respond_with_table_group(request)


class TablePreview(NamedTuple):
    """The size of a table as CSV, its number of rows, its header, and its first rows."""

    size: int
    row_count: int
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


async def read_table_previews(request: Request, queries: QueryService) -> dict[str, TablePreview]:
    """The preview of each table by name, without those that are too large for one."""
    previews = {}
    for table in read_table_definitions().values():
        with suppress(Problem):
            previews[table.name] = await queries.kept_results.get_or_compute(
                ("preview", table.name), partial(read_table_preview, request, queries, table)
            )
    return previews


async def read_table_preview(request: Request, queries: QueryService, table: TableDefinition) -> TablePreview:
    """The preview of a table. Raises Problem, for example if it is too large for one."""
    body = await read_table_body(request, queries, table, CSV, MAX_PREVIEWED_BYTES)
    return await run_sync(build_table_preview, body)


def build_table_preview(body: bytes) -> TablePreview:
    """The preview of a table in CSV."""
    reader = csv.reader(io.StringIO(body.decode()))
    header, rows = next(reader, []), list(reader)
    return TablePreview(len(body), len(rows), header, rows[:PREVIEWED_ROWS])


def respond_with_table_group(request: Request) -> Response:
    """The CSVW metadata of all tables as a response."""
    return respond_with_body(request, serialize_table_group(), CSVW)


def serialize_table_group() -> bytes:
    """The CSVW metadata of all tables as JSON."""
    return serialize_table_metadata(build_table_group(read_table_definitions().values()))


async def get_table(request: Request, queries: QueriesDep, name: TableFileName) -> Response:
    """A table as `.csv` or `.parquet`, or its columns as `.csv-metadata.json`; or an archive of all tables.

    Raises Problem 404, 413, 501.
    """
    if f"/tables/{name}" == TABLE_GROUP_PATH:
        return respond_with_table_group(request)
    stem, _, suffix = name.partition(".")
    if stem == TABLE_ARCHIVE_NAME and suffix in TABLE_ARCHIVE_FORMATS:
        archive = await build_table_archive(request, queries, TABLE_ARCHIVE_FORMATS[suffix])
        return respond_with_body(request, archive, ZIP_FORMAT)
    if suffix not in [format_.suffix for format_ in TABLE_FORMATS]:
        raise Problem(
            404, f"There is no table {name!r}. The tables are listed at /tables, with their columns."
        )
    table = get_table_definition(stem)
    if suffix == CSVW.suffix:
        return respond_with_table_metadata(
            request, build_table_metadata(table), [f'</tables/{stem}.csv>; rel="describes"; type="text/csv"']
        )
    return await (respond_with_csv_table if suffix == CSV.suffix else respond_with_parquet_table)(
        request, queries, table
    )


async def build_table_archive(request: Request, queries: QueryService, format_: Format) -> bytes:
    """All tables as CSV or Parquet, and their CSVW metadata, as a ZIP file.

    Raises Problem 413 if the tables have more bytes than the result of a query may have, 501 without pyarrow.
    """
    remaining_bytes, tables = queries.settings.result_bytes, read_table_definitions().values()
    files = [(CSVW.suffix, serialize_table_group())]
    for table in tables:
        body = await read_table_body(request, queries, table, CSV if format_ is CSV else TSV, remaining_bytes)
        remaining_bytes -= len(body)
        if format_ is PARQUET:
            body = await run_sync(serialize_parquet_table, table, parse_tsv_solutions(body))
        files.append((f"{table.name}.{format_.suffix}", body))
    return await run_sync(write_zip_archive, files)


async def read_table_body(
    request: Request, queries: QueryService, table: TableDefinition, format_: Format, max_bytes: int
) -> bytes:
    """The rows of a table in a format of query results. Raises Problem 413 above `max_bytes`."""
    query = build_internal_query(table.query)
    async with open_query_result(request, queries, query, format_) as result:
        body = await result.read_up_to(max_bytes)
        if not result.is_whole:
            result.close()
            raise Problem(
                413, "All tables together are too large for one file. Get them one by one at /tables"
            )
    return body


def write_zip_archive(files: Iterable[tuple[str, bytes]]) -> bytes:
    """The files (name and content) in a ZIP file; the same files make the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, ARCHIVE_MEMBER_TIME), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


async def respond_with_csv_table(request: Request, queries: QueryService, table: TableDefinition) -> Response:
    """The rows as CSV (RFC 4180) with a link to the metadata (Tabular Data Model, section 5.2)."""
    link = f'</tables/{table.name}.{CSVW.suffix}>; rel="describedby"; type="{CSVW.media_type}"'
    query_request = build_internal_query(table.query)
    return await respond_with_result(request, queries, [], query_request, CSV, {"Link": link})


async def respond_with_parquet_table(
    request: Request, queries: QueryService, table: TableDefinition
) -> Response:
    """The rows as Parquet. Raises Problem 501 if pyarrow is not installed, 422 for an invalid value."""
    body = await select_internal_tsv(request, queries, table.query, queries.settings.result_bytes)
    return respond_with_body(
        request, await run_sync(lambda: serialize_parquet_table(table, parse_tsv_solutions(body))), PARQUET
    )


def respond_with_table_metadata(request: Request, members: JsonMembers, links: list[str]) -> Response:
    """CSVW metadata as a response."""
    return respond_with_body(request, serialize_table_metadata(members), CSVW, links=links)


def serialize_table_metadata(members: JsonMembers) -> bytes:
    """CSVW metadata as JSON."""
    return json.dumps(members, ensure_ascii=False, indent=2).encode() + b"\n"
