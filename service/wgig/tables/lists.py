"""/tables/papers.csv and its kin: main lists as CSV, as Parquet, and what their columns hold (CSVW)."""

import json

from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..answers import answer, page_or
from ..formats import CSV, CSVW, HTML, PARQUET, TABLES
from ..lookup import solutions
from ..parameters import only
from ..problems import Problem
from ..query import respond, tsv
from ..question import Question
from ..represent import show
from ..view import Dataset
from .columns import Table, table, tables
from .csvw import Members, group, metadata
from .parquet import is_installed, parquet

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
    return described(request, group(tables().values()), [])


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
        return described(
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


def described(request: Request, members: Members, links: list[str]) -> Response:
    """Metadata as an answer."""
    return answer(
        request, json.dumps(members, ensure_ascii=False, indent=2).encode() + b"\n", CSVW, links=links
    )
