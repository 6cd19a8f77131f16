"""The home page: what this is, and at a glance what is covered, what happened when, and what there is."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import pyoxigraph as ox
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import language
from ..http.negotiation import choose_response_format
from ..http.parameters import check_query_parameters, request_base_url
from ..http.responses import NO_STORE_HEADERS, respond_with_body
from ..lists.counts import CellKey, PaperCounts
from ..lists.coverage_matrix import (
    CoverageMatrix,
    build_coverage_matrix,
    build_matrix_query,
    build_matrix_view,
)
from ..lists.definitions import LIST_DEFINITIONS
from ..lists.dependencies import CountsDep
from ..lists.query import add_query_prefixes
from ..lists.timeline import build_timeline_chart
from ..lists.timeline_events import MAIN_EVENT_PARAMETERS, TimelineData, build_timeline, read_timeline_data
from ..pages import names
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem
from ..rdf.formats import HTML
from ..resources import existence, mappings
from ..resources.alternates import data_links
from ..resources.dependencies import StreamDep
from ..resources.labels import find_labels
from ..resources.representation import render_site_page
from ..sparql.dependencies import QueriesDep
from ..sparql.examples import list_example_queries
from ..sparql.service import QueryService, select_own_rows
from ..store.changelog.sync import ChangeLogSync
from ..text import natural_sort_key

COUNTS_TIMEOUT_SECONDS = 2  # seconds that the page waits for what is being counted
MAX_LATEST_PAPERS = 6  # papers
FEATURED_EXAMPLE_NAMES = ("due-and-delivered", "issues-under-several-categories", "disagreements")
# What describes the service, for programs and people (RFC 8631, RFC 9727): relation, place, media type.
HOME_DESCRIPTION_LINKS = (
    ("api-catalog", "/.well-known/api-catalog", "application/linkset+json"),
    ("service-desc", "/openapi.json", "application/json"),
    ("service-doc", "/#ways", "text/html"),
    ("service-meta", "/.well-known/void", "text/turtle"),
    ("describedby", "/catalog", "text/turtle"),
)
POSTED_PAPERS_QUERY = """SELECT ?paper ?day WHERE {{
  VALUES ?day {{ {days} }} ?paper wgig:posted ?day .
  FILTER EXISTS {{ VALUES ?class {{ wgig:IssuePaper wgig:AssessmentPaper }} ?paper a ?class }}
  FILTER NOT EXISTS {{ ?paper wgig:illustrative true }} FILTER (isIRI(?paper))
}} LIMIT {most}"""


@dataclass(frozen=True)
class LatestPaper:
    """A paper that was posted of late: its IRI, what it is called, and the day."""

    iri: str
    name: ox.Literal
    day: str


async def get_home(
    context: ContextDep, queries: QueriesDep, counts: CountsDep, stream: StreamDep
) -> Response:
    """What this is, what it holds, and the ways in. Raises Problem 406 for a client that takes no HTML."""
    request = context.request
    check_query_parameters(request)
    choose_response_format(request, (HTML,))
    things = await find_kind_counts(stream)
    covered = await find_issue_matrix(request, queries, counts["issue"])
    what = await read_timeline_data(request, queries, counts, MAIN_EVENT_PARAMETERS)
    papers = await list_latest_papers(request, queries, counts["posted"])
    is_done = None not in (things, covered, what.papers)
    body = await run_in_threadpool(render_home, context, things, covered, what, papers)
    links = [
        *data_links(),
        *(f'<{path}>; rel="{rel}"; type="{type_}"' for rel, path, type_ in HOME_DESCRIPTION_LINKS),
    ]
    return respond_with_body(request, body, HTML, links=links, headers={} if is_done else NO_STORE_HEADERS)


def render_home(
    context: RequestContext,
    counts: dict[str, int] | None,
    covered: CoverageMatrix | None,
    what: TimelineData,
    papers: list[LatestPaper],
) -> bytes:
    """The page; what is None is being counted."""
    base = context.base
    line = build_timeline(what).main
    return render_site_page(
        context,
        "home.html",
        counts=counts,
        titles=names.KIND_TITLES,
        name=names.localized_kind_title,
        lists=LIST_DEFINITIONS,
        matrix=covered and build_matrix_view(covered, base, language.label_languages()),
        line=line,
        chart=build_timeline_chart(line),
        papers=papers,
        examples=list_example_queries(),
        shown=FEATURED_EXAMPLE_NAMES,
        described=HOME_DESCRIPTION_LINKS,
        markup=mappings.build_catalog_markup(
            base, request_base_url(context.request), list(map(names.kind_title, counts or names.KIND_TITLES))
        ),
    )


async def find_kind_counts(stream: ChangeLogSync) -> dict[str, int] | None:
    """How many things of each kind there are; None while it is being found out, for which nobody waits."""
    try:
        return await run_in_threadpool(
            existence.count_things_by_kind, await stream.get_current_log(COUNTS_TIMEOUT_SECONDS)
        )
    except Problem:
        return None


async def find_issue_matrix(
    request: Request, queries: QueryService, cells: PaperCounts
) -> CoverageMatrix | None:
    """The matrix of issues; None while the papers are being counted."""
    papers = await cells.get_counts_within(COUNTS_TIMEOUT_SECONDS)
    if papers is None:
        return None
    return build_coverage_matrix(
        "issue",
        await select_own_rows(request, queries, build_matrix_query("issue", {}, queries.settings.base)),
        papers,
    )


async def list_latest_papers(
    request: Request, queries: QueryService, cells: PaperCounts
) -> list[LatestPaper]:
    """Some of the papers of the last days on which any was posted, those of the last one first."""
    days = list_last_posting_days(await cells.get_counts_within(COUNTS_TIMEOUT_SECONDS) or {})
    if not days:
        return []
    query = add_query_prefixes(
        POSTED_PAPERS_QUERY.format(days=" ".join(days), most=MAX_LATEST_PAPERS), queries.settings.base
    )
    found = {paper.value: day.value for paper, day in await select_own_rows(request, queries, query)}
    names = await run_in_threadpool(find_labels, queries.store, found, language.label_languages())
    papers = [LatestPaper(iri, names.get(iri, ox.Literal(iri)), day) for iri, day in found.items()]
    by_name = sorted(papers, key=lambda one: natural_sort_key(one.name.value))
    return sorted(by_name, key=lambda one: one.day, reverse=True)


def list_last_posting_days(counts: Mapping[CellKey, int]) -> list[str]:
    """The last days on which papers were posted, in SPARQL: the fewest with MAX_LATEST_PAPERS papers."""
    found: list[str] = []
    missing = MAX_LATEST_PAPERS
    days = sorted((cell[0] for cell in counts if len(cell) == 1 and cell[0][:1] == '"'), reverse=True)
    for day in islice(days, MAX_LATEST_PAPERS):
        if missing > 0:
            found.append(day)
            missing -= counts[day,]
    return found
