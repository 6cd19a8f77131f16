"""The results of an example query as an Atom feed, ordered by the date in its rows."""

import hashlib
from collections.abc import Iterable
from functools import partial
from urllib.parse import quote

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Response

from ..http.bodies import Pairs
from ..http.parameters import build_service_path, check_query_parameters, content_location_field
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.rendering import find_href
from ..problems import Problem
from ..rdf.formats import ATOM, HTML
from ..rdf.namespaces import XSD_NAMESPACE
from ..resources.atom import AtomEntry, AtomFeed, AtomLink
from ..resources.dependencies import StreamDep
from ..resources.existence import bind_example_query, example_parameter_names
from ..sparql.dependencies import QueriesDep
from ..sparql.examples import ExampleQuery, list_example_queries
from ..sparql.service import QueryService, select_own_tsv
from ..store.changelog.log import ChangeLog
from ..store.changelog.sync import ChangeLogSync
from ..store.view import parse_tsv_solutions
from .news import (
    ENTRIES_PER_FEED_PAGE,
    build_feed_iri,
    build_feed_links,
    parse_page_number,
    respond_with_feed,
)

TIME_SUFFIXES = {
    f"{XSD_NAMESPACE}date": "T00:00:00Z",
    f"{XSD_NAMESPACE}dateTime": "",
}


def build_query_feed_page(  # noqa: PLR0913 - what a page of a feed consists of
    context: RequestContext, log: ChangeLog, query: ExampleQuery, found: bytes, *, pairs: Pairs, number: int
) -> Response:
    """A page of the feed of what was found. Raises Problem 404."""
    name = f"feed/query/{query.name}"
    path = build_service_path(name, [pair for pair in pairs if pair[0] != "page"], ATOM.suffix)
    every = sorted(
        iter_query_entries(context, query, found), key=lambda one: (one.updated, one.iri), reverse=True
    )
    shown = every[(number - 1) * ENTRIES_PER_FEED_PAGE : number * ENTRIES_PER_FEED_PAGE]
    if number > 1 and not shown:
        raise Problem(404, f"The feed has no page {number}. Its first one: {path}")
    here = f"{str(context.request.base_url).rstrip('/')}{path}"
    following = str(number + 1) if number * ENTRIES_PER_FEED_PAGE < len(every) else ""
    links = build_feed_links(here, "page", str(number) if number > 1 else "", following)
    newest = every[0].updated if every else log.start_time
    made = AtomFeed(build_feed_iri(context, path.removeprefix("/")), query.title, newest, links, shown)
    return respond_with_feed(context.request, made, content_location_field(name, pairs, ATOM))


def iter_query_entries(context: RequestContext, query: ExampleQuery, found: bytes) -> Iterable[AtomEntry]:
    """An entry for each row that was found with a date; its IRI stays as long as the row does.

    It leads to the first thing or graph that the row names, or else to the query.
    """
    base, host = context.base, str(context.request.base_url)
    example = f"{host}sparql?example={quote(query.name)}"
    for row in parse_tsv_solutions(found):
        day = row.pop(query.date_variable, None)
        if not isinstance(day, ox.Literal) or day.datatype.value not in TIME_SUFFIXES:
            continue
        texts = [f"{name.replace('_', ' ')}: {term.value}" for name, term in row.items()]
        digest = hashlib.sha256("\n".join([day.value, *texts]).encode()).hexdigest()[:16]
        name = next((term.value for term in row.values()), query.title)
        updated = day.value + TIME_SUFFIXES[day.datatype.value]
        named = (str(find_href(term.value, base)) for term in row.values() if is_own_iri(term, base))
        where = next((host.rstrip("/") + path for path in named), example)
        entry = build_feed_iri(context, f"feed/query/{query.name}#{digest}")
        page = AtomLink("alternate", where, HTML.media_type)
        yield AtomEntry(entry, name or query.title, updated, page, "; ".join(texts), query.name)


def is_own_iri(term: object, base: str) -> bool:
    """Whether a term of a row is the IRI of a thing or a graph of this service."""
    return isinstance(term, ox.NamedNode) and term.value.startswith((f"{base}id/", f"{base}graph/"))


FEED_PAGE_NAMES = ("page",)  # of a feed


async def get_query_feed(context: ContextDep, queries: QueriesDep, stream: StreamDep, name: str) -> Response:
    """What an example query finds, by the date in its rows, the last one first. Raises Problem 404."""
    dated = {f"{one.name}.atom": one for one in list_example_queries() if one.date_variable}
    if name not in dated:
        feeds = ", ".join(f"/feed/query/{one}" for one in dated)
        raise Problem(404, f"There is no feed of a query {name!r}. Rows with a date make one: {feeds}.")
    return await respond_with_example_feed(context, queries, stream, dated[name])


async def respond_with_example_feed(
    context: RequestContext, queries: QueryService, stream: ChangeLogSync, one: ExampleQuery, *others: str
) -> Response:
    """The feed of an example query, with values for its parameters; `others` mean something before that.

    The last row stands first. Raises Problem 400, 404.
    """
    request = context.request
    pairs = check_query_parameters(request, (*example_parameter_names(one), *FEED_PAGE_NAMES, *others))
    text = await bind_example_query(request, queries, one, pairs)
    number = parse_page_number(dict(pairs).get("page", "1"), "page")
    log = await stream.get_current_log()
    found = await select_own_tsv(request, queries, text)
    return await run_sync(
        partial(build_query_feed_page, context, log, one, found, pairs=pairs, number=number)
    )
