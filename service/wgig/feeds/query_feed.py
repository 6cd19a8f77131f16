"""The results of an example query as an Atom feed, ordered by the date in its rows."""

import hashlib
from collections.abc import Iterable
from functools import partial
from urllib.parse import quote

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..http.bodies import Pairs
from ..http.parameters import address, content_location, only
from ..pages.rendering import href
from ..problems import Problem
from ..rdf.formats import ATOM
from ..rdf.namespaces import OUTSIDE
from ..resources.existence import bound, names
from ..sparql.examples import Example, examples
from ..sparql.service import tsv
from ..store.changelog.log import Log
from ..store.view import solutions
from .atom import Entry, Feed
from .news import ENTRIES, around, given_as, iri, log_of, whole

TIMES = {f"{OUTSIDE['xsd']}date": "T00:00:00Z", f"{OUTSIDE['xsd']}dateTime": ""}


async def feed(request: Request, query: Example, text: str, pairs: Pairs) -> Response:
    """What an example query finds, the last row first, where `text` is it with the values in the pairs.

    Raises Problem 400, 404.
    """
    number = whole(dict(pairs).get("page", "1"), "page")
    log = await log_of(request)
    found = await tsv(request, text)
    return await run_sync(partial(page, request, log, query, found, pairs=pairs, number=number))


def page(  # noqa: PLR0913 - what a page of a feed consists of
    request: Request, log: Log, query: Example, found: bytes, *, pairs: Pairs, number: int
) -> Response:
    """A page of the feed of what was found. Raises Problem 404."""
    name = f"feed/query/{query.name}"
    path = address(name, [pair for pair in pairs if pair[0] != "page"], ATOM.suffix)
    every = sorted(entries(request, query, found), key=lambda one: (one.updated, one.iri), reverse=True)
    shown = every[(number - 1) * ENTRIES : number * ENTRIES]
    if number > 1 and not shown:
        raise Problem(404, f"The feed has no page {number}. Its first one: {path}")
    here = f"{str(request.base_url).rstrip('/')}{path}"
    following = str(number + 1) if number * ENTRIES < len(every) else ""
    links = around(here, "page", str(number) if number > 1 else "", following)
    newest = every[0].updated if every else log.began
    made = Feed(iri(request, path.removeprefix("/")), query.title, newest, links, shown)
    return given_as(request, made, content_location(name, pairs, ATOM))


def entries(request: Request, query: Example, found: bytes) -> Iterable[Entry]:
    """An entry for each row that was found with a date; its IRI stays as long as the row does.

    It leads to the first thing or graph that the row names, or else to the query.
    """
    base, host = request.app.state.settings.base, str(request.base_url)
    example = f"{host}sparql?example={quote(query.name)}"
    for row in solutions(found):
        day = row.pop(query.date, None)
        if not isinstance(day, ox.Literal) or day.datatype.value not in TIMES:
            continue
        texts = [f"{name.replace('_', ' ')}: {term.value}" for name, term in row.items()]
        digest = hashlib.sha256("\n".join([day.value, *texts]).encode()).hexdigest()[:16]
        name = next((term.value for term in row.values()), query.title)
        updated = day.value + TIMES[day.datatype.value]
        named = (str(href(term.value, base)) for term in row.values() if is_ours(term, base))
        where = next((host.rstrip("/") + path for path in named), example)
        entry = iri(request, f"feed/query/{query.name}#{digest}")
        yield Entry(entry, name or query.title, updated, where, "; ".join(texts), query.name)


def is_ours(term: object, base: str) -> bool:
    """Whether a term of a row is the IRI of a thing or a graph of this service."""
    return isinstance(term, ox.NamedNode) and term.value.startswith((f"{base}id/", f"{base}graph/"))


PAGE = ("page",)  # of a feed


async def feed_of_example(request: Request, name: str) -> Response:
    """What an example query finds, by the date in its rows, the last one first. Raises Problem 404."""
    dated = {f"{one.name}.atom": one for one in examples() if one.date}
    if name not in dated:
        feeds = ", ".join(f"/feed/query/{one}" for one in dated)
        raise Problem(404, f"There is no feed of a query {name!r}. Rows with a date make one: {feeds}.")
    return await example_feed(request, dated[name])


async def example_feed(request: Request, one: Example, *others: str) -> Response:
    """The feed of an example query, with values for its parameters; `others` mean something before that.

    Raises Problem 400, 404.
    """
    pairs = only(request, (*names(one), *PAGE, *others))
    return await feed(request, one, await bound(request, one, pairs), pairs)
