"""The results of an example query as an Atom feed, ordered by the date in its rows."""

import hashlib
from collections.abc import Iterable
from functools import partial
from typing import Annotated
from urllib.parse import quote

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Path, Response
from wgig_client.namespaces import XSD_NAMESPACE

from ..http.bodies import Pairs
from ..http.operations import Operation
from ..http.parameter_models import PageNumberText, ParameterModel, describe_parameter, list_parameter_names
from ..http.parameters import build_service_path, check_query_parameters, content_location_field
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.rendering import find_href
from ..problems import Problem
from ..rdf.formats import ATOM, HTML
from ..resources.atom import AtomEntry, AtomFeed, AtomLink
from ..resources.dependencies import ResourceVersionsDep
from ..resources.existence import bind_example_query
from ..sparql.dependencies import QueriesDep
from ..sparql.examples import ExampleQuery, list_example_queries
from ..sparql.parameters import build_example_model
from ..sparql.result_table import LABEL_SUFFIX
from ..sparql.service import QueryService, select_internal_tsv
from ..store.resource_versions.database import ResourceVersions
from ..store.resource_versions.projection import ResourceVersionsProjection
from ..store.view import ResultRow, parse_tsv_solutions
from .news import (
    ENTRIES_PER_FEED_PAGE,
    build_feed_iri,
    build_feed_links,
    parse_page_number,
    respond_with_feed,
)

# The text that completes a literal to an Atom timestamp, by datatype.
TIME_SUFFIXES = {
    f"{XSD_NAMESPACE}date": "T00:00:00Z",
    f"{XSD_NAMESPACE}dateTime": "",
}


def build_query_feed_page(  # noqa: PLR0913 - a page of a feed needs all of these
    context: RequestContext,
    versions: ResourceVersions,
    query: ExampleQuery,
    tsv: bytes,
    *,
    pairs: Pairs,
    number: int,
) -> Response:
    """A page of the feed of a query with the results `tsv`, for the query parameters `pairs`.

    Raises Problem 404 if there is no page with this number.
    """
    feed_name = f"feed/query/{query.name}"
    path = build_service_path(feed_name, [pair for pair in pairs if pair[0] != "page"], ATOM.suffix)
    entries = sorted(
        iter_query_entries(context, query, tsv), key=lambda entry: (entry.updated, entry.iri), reverse=True
    )
    page_entries = entries[(number - 1) * ENTRIES_PER_FEED_PAGE : number * ENTRIES_PER_FEED_PAGE]
    if number > 1 and not page_entries:
        raise Problem(404, f"The feed has no page {number}. Its first page is {path}")
    feed_url = f"{str(context.request.base_url).rstrip('/')}{path}"
    next_value = str(number + 1) if number * ENTRIES_PER_FEED_PAGE < len(entries) else ""
    links = build_feed_links(feed_url, "page", str(number) if number > 1 else "", next_value)
    newest = entries[0].updated if entries else versions.start_time
    feed = AtomFeed(build_feed_iri(context, path.removeprefix("/")), query.title, newest, links, page_entries)
    return respond_with_feed(context, feed, content_location_field(feed_name, pairs, ATOM))


def iter_query_entries(context: RequestContext, query: ExampleQuery, tsv: bytes) -> Iterable[AtomEntry]:
    """An entry for each row with a date. Its IRI ends in a digest of the row.

    The entry links to the first resource or graph in the row, or to the query if there is none.
    """
    base, host = context.base, str(context.request.base_url)
    query_url = f"{host}sparql?example={quote(query.name)}"
    for row in parse_tsv_solutions(tsv):
        date_literal = row.pop(query.date_variable, None)
        if not isinstance(date_literal, ox.Literal) or date_literal.datatype.value not in TIME_SUFFIXES:
            continue
        values = fold_label_columns(row)
        texts = [f"{name.replace('_', ' ')}: {value}" for name, value in values.items()]
        digest = hashlib.sha256("\n".join([date_literal.value, *texts]).encode()).hexdigest()[:16]
        title = next(iter(values.values()), "") or query.title
        updated = date_literal.value + TIME_SUFFIXES[date_literal.datatype.value]
        paths = (str(find_href(term.value, base)) for term in row.values() if is_service_iri(term, base))
        page_url = next((host.rstrip("/") + path for path in paths), query_url)
        iri = build_feed_iri(context, f"feed/query/{query.name}#{digest}")
        link = AtomLink("alternate", page_url, HTML.media_type)
        yield AtomEntry(iri, title, updated, link, "; ".join(texts), query.name)


def fold_label_columns(row: ResultRow) -> dict[str, str]:
    """The texts of a row by variable; the text of `x` is that of `xLabel`, if there is one."""
    return {
        name: (row.get(name + LABEL_SUFFIX) or term).value
        for name, term in row.items()
        if not (name.endswith(LABEL_SUFFIX) and name.removesuffix(LABEL_SUFFIX) in row)
    }


def is_service_iri(term: object, base: str) -> bool:
    """Whether a term is the IRI of a resource or graph of this service, which has a page."""
    return isinstance(term, ox.NamedNode) and term.value.startswith((f"{base}id/", f"{base}graph/"))


class FeedPageParameters(ParameterModel):
    """Query parameters of every feed of an example query; the query adds its own."""

    page: PageNumberText = describe_parameter(
        "The page number of the feed, from 1. Each page links to the next one."
    )


QUERY_FEED_OPERATION = Operation(
    formats=(ATOM,),
    parameters=FeedPageParameters,
    is_self_checked=True,  # the handler checks the parameters, which depend on the query
)


QueryFeedName = Annotated[
    str,
    Path(
        description="An example query whose rows have a date, with .atom.", examples=["who-wrote-what.atom"]
    ),
]


async def get_query_feed(
    context: ContextDep, queries: QueriesDep, resource_versions: ResourceVersionsDep, name: QueryFeedName
) -> Response:
    """The results of an example query by the date in each row, newest first.

    Raises Problem 404 if there is no such query with dates, or no such page.
    """
    examples_by_file = {
        f"{query.name}.atom": query for query in list_example_queries() if query.date_variable
    }
    if name not in examples_by_file:
        feeds = ", ".join(f"/feed/query/{file_name}" for file_name in examples_by_file)
        raise Problem(
            404, f"There is no feed for a query {name!r}. Queries with dated rows have one: {feeds}."
        )
    query = examples_by_file[name]
    pairs = check_query_parameters(context.request, *list_parameter_names(build_example_model(query)))
    return await respond_with_example_feed(context, queries, resource_versions, query, pairs)


async def respond_with_example_feed(
    context: RequestContext,
    queries: QueryService,
    resource_versions: ResourceVersionsProjection,
    query: ExampleQuery,
    pairs: Pairs,
) -> Response:
    """The feed of an example query with these parameters, the newest row first.

    Raises Problem 400 for invalid parameters, 404 if there is no such page.
    """
    request = context.request
    query_text = await bind_example_query(request, queries, query, pairs)
    number = parse_page_number(dict(pairs).get("page", "1"), "page")
    versions = await resource_versions.get_versions()
    tsv = await select_internal_tsv(request, queries, query_text)
    return await run_sync(
        partial(build_query_feed_page, context, versions, query, tsv, pairs=pairs, number=number)
    )
