"""The home page: three ways in, and an overview of judgments, answers, timeline and counts."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyoxigraph as ox
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import language
from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameters import request_base_url
from ..http.responses import NO_STORE_HEADERS, respond_with_body
from ..lists.counts import CellCounts
from ..lists.coverage_matrix import (
    CoverageMatrix,
    MatrixRequest,
    build_coverage_matrix,
    build_matrix_query,
)
from ..lists.definitions import LIST_DEFINITIONS
from ..lists.dependencies import Counts, CountsDep, JudgmentCountsDep
from ..lists.query import add_query_prefixes, build_member_pattern
from ..lists.timeline import TimelineChart, build_timeline_chart
from ..lists.timeline_events import MAIN_EVENT_PARAMETERS, Timeline, build_timeline, read_timeline_data
from ..pages import names
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.rendering import load_templates
from ..problems import Problem
from ..rdf.formats import HTML
from ..rdf.namespaces import VOID_TRIPLES
from ..resources import existence, mappings
from ..resources.alternates import data_links
from ..resources.dependencies import ResourceVersionsDep
from ..resources.representation import render_site_page
from ..sparql.dependencies import QueriesDep
from ..sparql.examples import list_example_queries
from ..sparql.service import QueryService, select_internal_rows
from ..store.errors import StoreError
from ..store.resource_versions.projection import ResourceVersionsProjection
from ..store.store import Store
from .judgment_bars import BAR_STATES, BAR_WIDTH_UNITS, build_judgment_bars
from .key_answers import (
    MembersAnswer,
    TunisAnswer,
    build_key_answers,
    count_members,
    count_report_parts,
)

# Counts on the page that take longer are left out. Kinds are counted by the versions of resources, which may
# need a scan of the whole store after a start.
COUNTS_TIMEOUT_SECONDS, KIND_COUNTS_TIMEOUT_SECONDS = 2, 0.1
HOME_TEMPLATES = (
    "home.html",
    "base.html",
    "site-header.html",
    "site-map.html",
    "suggestions.html",
    "timeline-parts.html",
    "matrix-parts.html",
    "speech.html",
)
# The matrix of issues, with the kinds of involvement as one criterion.
HOME_MATRIX_REQUEST = MatrixRequest(is_rolled_up=True)
# Kinds whose numbers the page shows in large digits.
FEATURED_KINDS = ("issue", "paper", "judgment", "meeting", "agent", "document")
# Links to descriptions of the service (RFC 8631, RFC 9727): link relation, path, media type.
HOME_DESCRIPTION_LINKS = (
    ("api-catalog", "/.well-known/api-catalog", "application/linkset+json"),
    ("service-desc", "/openapi.json", "application/json"),
    ("service-doc", "/api", "text/html"),
    ("service-meta", "/.well-known/void", "text/turtle"),
    ("describedby", "/catalog", "text/turtle"),
)
# The lists that have the resources of a kind.
LISTS_BY_KIND = {
    "agent": "stakeholders",
    "agreement": "agreements",
    "category": "categories",
    "definition": "definitions",
    "dispute": "disputes",
    "issue": "issues",
    "judgment": "judgments",
    "mechanism": "mechanisms",
    "milestone": "milestones",
    "paper": "papers",
    "principle": "principles",
    "recommendation": "recommendations",
}


@dataclass(frozen=True)
class HomeData:
    """What the page shows. A member is None if its counts are not ready, or the store has nothing for it."""

    kind_counts: dict[str, int] | None
    issue_matrix: CoverageMatrix | None
    timeline: Timeline
    chart: TimelineChart
    members: MembersAnswer | None
    tunis: TunisAnswer | None


HOME_OPERATION = Operation(formats=(HTML,))


async def prepare_home(base: str, shown_counts: Sequence[CellCounts]) -> None:
    """Do what would delay the first request: compile the templates, and count what the page shows."""
    await run_in_threadpool(load_templates, base, HOME_TEMPLATES)
    for counts in shown_counts:
        with suppress(Problem, StoreError):  # a request counts again
            await counts.get_counts()


async def get_home(
    context: ContextDep,
    queries: QueriesDep,
    counts: CountsDep,
    judgment_counts: JudgmentCountsDep,
    resource_versions: ResourceVersionsDep,
) -> Response:
    """The home page. Raises Problem 406 for a client that does not accept HTML."""
    request = context.request
    choose_response_format(request, (HTML,))
    issue_matrix = await find_issue_matrix(request, queries, counts["issue"], judgment_counts)
    timeline, chart = await find_timeline(request, queries, counts)
    members = await count_members(request, queries)
    tunis = await count_report_parts(request, queries)
    # Last, as it may start a scan of the store, which delays all else.
    kind_counts = await find_kind_counts(resource_versions)
    if kind_counts and "mechanism" in kind_counts:
        kind_counts["mechanism"] = await count_mechanisms(request, queries)
    is_complete = timeline.is_counted and None not in (kind_counts, issue_matrix)
    body = await run_in_threadpool(
        render_home,
        context,
        HomeData(kind_counts, issue_matrix, timeline, chart, members, tunis),
    )
    links = [
        *data_links(),
        *(f'<{path}>; rel="{rel}"; type="{type_}"' for rel, path, type_ in HOME_DESCRIPTION_LINKS),
    ]
    return respond_with_body(
        request, body, HTML, links=links, headers={} if is_complete else NO_STORE_HEADERS
    )


def render_home(context: RequestContext, data: HomeData) -> bytes:
    """The home page as HTML."""
    base, matrix = context.base, data.issue_matrix
    bars = build_judgment_bars(matrix, base, language.label_languages()) if matrix else []
    return render_site_page(
        context,
        "home.html",
        counts=data.kind_counts,
        statements=find_statement_count(context.store, base),
        titles=names.KIND_TITLES,
        kind_title=names.localized_kind_title,
        featured_kinds=FEATURED_KINDS,
        lists_by_kind=LISTS_BY_KIND,
        matrix=matrix,
        bars=bars,
        bar_states={
            state: meaning for state, meaning in BAR_STATES.items() if any(bar.count(state) for bar in bars)
        },
        bar_width=BAR_WIDTH_UNITS,
        answers=build_key_answers(data.members, data.tunis, data.timeline, matrix, bars),
        timeline=data.timeline.main,
        chart=data.chart,
        examples=list_example_queries(),
        description_links=HOME_DESCRIPTION_LINKS,
        markup=mappings.build_catalog_markup(
            base,
            request_base_url(context.request),
            list(map(names.kind_title, data.kind_counts or names.KIND_TITLES)),
        ),
    )


def find_statement_count(store: Store, base: str) -> int | None:
    """The number of statements in the VoID statistics; None if there are none."""
    dataset = ox.NamedNode(f"{base}.well-known/void#dataset")
    counts = (triple.object.value for triple in store.triples(f"{base}graph/void", dataset, VOID_TRIPLES))  # type: ignore[union-attr]
    return next((int(count) for count in counts), None)


async def find_kind_counts(resource_versions: ResourceVersionsProjection) -> dict[str, int] | None:
    """The number of resources of each kind, such as issue; None while they are being counted."""
    try:
        return await run_in_threadpool(
            existence.sort_resource_counts, await resource_versions.get_versions(KIND_COUNTS_TIMEOUT_SECONDS)
        )
    except Problem:
        return None


async def count_mechanisms(request: Request, queries: QueryService) -> int:
    """The number of governance mechanisms, also of those whose IRI is that of an agent."""
    members = build_member_pattern(LIST_DEFINITIONS["mechanisms"])
    query = add_query_prefixes(
        f"SELECT (COUNT(DISTINCT ?id) AS ?count) WHERE {{ {members} }}", queries.settings.base
    )
    ((count,),) = await select_internal_rows(request, queries, query)
    return int(count.value)


async def find_timeline(
    request: Request, queries: QueryService, counts: Counts
) -> tuple[Timeline, TimelineChart]:
    """The timeline, and the chart of its main events, kept until the next write unless papers are missing."""

    async def read_timeline() -> tuple[Timeline, TimelineChart]:
        timeline = build_timeline(await read_timeline_data(request, queries, counts, MAIN_EVENT_PARAMETERS))
        return timeline, build_timeline_chart(timeline.main)

    if not counts["posted"].is_current:
        return await read_timeline()
    key = ("home timeline", language.current_language())
    return await queries.kept_results.get_or_compute(key, read_timeline)


async def find_issue_matrix(
    request: Request, queries: QueryService, paper_counts: CellCounts, judgment_counts: CellCounts
) -> CoverageMatrix | None:
    """The coverage matrix of issues, kept until the next write; None while its cells are being counted."""
    papers = await paper_counts.get_counts_within(COUNTS_TIMEOUT_SECONDS)
    judged = await judgment_counts.get_counts_within(COUNTS_TIMEOUT_SECONDS)
    if papers is None or judged is None:
        return None

    async def read_matrix() -> CoverageMatrix:
        query = build_matrix_query(HOME_MATRIX_REQUEST, judged, queries.settings.base)
        rows = await select_internal_rows(request, queries, query)
        return build_coverage_matrix(HOME_MATRIX_REQUEST, rows, papers, judged)

    return await queries.kept_results.get_or_compute("home matrix", read_matrix)
