"""/feed/query/who-wrote-what.atom: what an example query finds, by the date in its rows."""

import hashlib
from collections.abc import Iterable
from urllib.parse import quote

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..examples import Example, examples
from ..lookup import solutions
from ..namespaces import OUTSIDE
from ..parameters import only
from ..problems import Problem
from ..query import tsv
from ..stream.log import Log
from .atom import Entry, Feed
from .paging import ENTRIES, around, given_as, iri, log_of, whole

TIMES = {f"{OUTSIDE['xsd']}date": "T00:00:00Z", f"{OUTSIDE['xsd']}dateTime": ""}


async def of_query(request: Request, name: str) -> Response:
    """What an example query finds, by the date in its rows, the last one first. Raises Problem 404."""
    dated = {f"{one.name}.atom": one for one in examples() if one.date}
    if name not in dated:
        feeds = ", ".join(f"/feed/query/{one}" for one in dated)
        raise Problem(404, f"There is no feed of a query {name!r}. Rows with a date make one: {feeds}.")
    log = await log_of(request)
    found = await tsv(request, dated[name].text)
    return await run_sync(page, request, log, dated[name], found, f"feed/query/{name}")


def page(request: Request, log: Log, query: Example, found: bytes, path: str) -> Response:
    """A page of the feed of what was found. Raises Problem 400, 404."""
    number = whole(dict(only(request, ("page",))).get("page", "1"), "page")
    every = sorted(entries(request, query, found), key=lambda one: (one.updated, one.iri), reverse=True)
    shown = every[(number - 1) * ENTRIES : number * ENTRIES]
    if number > 1 and not shown:
        raise Problem(404, f"The feed has no page {number}. Its first one: /{path}")
    here = f"{request.base_url}{path}"
    following = str(number + 1) if number * ENTRIES < len(every) else ""
    links = around(here, "page", str(number) if number > 1 else "", following)
    newest = every[0].updated if every else log.began
    return given_as(request, Feed(iri(request, path), query.title, newest, links, shown))


def entries(request: Request, query: Example, found: bytes) -> Iterable[Entry]:
    """An entry for each row that was found with a date; its IRI stays as long as the row does."""
    address = f"{request.base_url}sparql?example={quote(query.name)}"
    for row in solutions(found):
        day = row.pop(query.date, None)
        if not isinstance(day, ox.Literal) or day.datatype.value not in TIMES:
            continue
        texts = [f"{name.replace('_', ' ')}: {term.value}" for name, term in row.items()]
        digest = hashlib.sha256("\n".join([day.value, *texts]).encode()).hexdigest()[:16]
        name = next((term.value for term in row.values()), query.title)
        updated = day.value + TIMES[day.datatype.value]
        entry = iri(request, f"feed/query/{query.name}#{digest}")
        yield Entry(entry, name or query.title, updated, address, "; ".join(texts), query.name)
