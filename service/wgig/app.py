"""The FastAPI application: tables of all routes, work queues and middleware. Start reading here."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from fastapi import FastAPI
from starlette.middleware import Middleware

from ._version import __version__
from .about import (
    about_page,
    api_page,
    catalog,
    docs,
    feedback,
    health,
    home,
    linkset,
    metrics,
    openapi,
    style_guide,
    well_known,
)
from .feeds import calendar, event_stream, news, oai_pmh, query_feed
from .feeds.notifications import ChangeNotifier
from .graphs import dumps_routes, graph_store, releases_routes, update
from .graphs import routes as graphs
from .graphs.citation import routes as citation
from .graphs.provenance import ProvenanceRecorder
from .graphs.write_pipeline import WritePipeline
from .http.access_log import AccessLogs, RequestLogMiddleware, RequestRecorder, RouteTemplates, Telemetry
from .http.auth import TokenStore
from .http.cache import ResponseCacheMiddleware
from .http.fast_path import RawResponseCache
from .http.limits import RateLimiter, RateLimitMiddleware
from .http.middleware import FastRouteMiddleware, LanguageMiddleware, RequestGuardMiddleware, UploadBudget
from .http.operations import NO_BODY_OPERATION, Route
from .http.peers import NoPeerProcesses, PeerProcesses
from .http.status import ServiceStatus
from .http.telemetry import Metrics, Tracing
from .http.work_queue import WorkQueue
from .lists import (
    comparison_page,
    coverage,
    example_queries,
    people,
    query_builder_page,
    query_editor,
    tables,
    timeline,
)
from .lists.definitions import LIST_DEFINITIONS
from .lists.routes import make_list_routes
from .pages.errors import EXPECTED_ERRORS, ErrorResponses
from .papers import readers, validate
from .papers.address import PaperFetcher
from .papers.form import routes as form
from .projections import Projections, make_projections
from .resources import ontology, shapes
from .resources import routes as resources
from .search import opensearch, suggestions
from .search import routes as search
from .search.reconcile import routes as reconcile
from .search.sparql_service import make_search_matcher
from .settings import HISTORY_KEPT, SERVICE_TITLE, Settings
from .sparql import routes as sparql
from .sparql import service_description
from .sparql.running import RunningQueries
from .sparql.service import QueryService
from .sparql.workers.result import QueryWorkers
from .sparql.workers.threads import ThreadQueryWorkers
from .store.history import GraphHistory
from .store.store import Store

if TYPE_CHECKING:
    from .remote.freshness import StoreFollower

API_SUMMARY = "The Working Group on Internet Governance (2004-2005) as linked data."
API_DESCRIPTION = (
    "Reading needs no token. HEAD works wherever GET does. The format of a response follows the Accept "
    "header, the parameter `_mediatype`, or the suffix of the path, such as `.csv`. Errors are problem "
    "documents (RFC 9457), whose `type` is the address of an explanation. A client that exceeds a limit gets "
    "429 or 503 with Retry-After."
)

READ_METHODS = ("GET", "HEAD")
WRITE_METHODS = ("PUT", "POST", "DELETE")

# The first match is used, so specific paths come before general ones.
ROUTES: list[Route] = [
    Route("/", READ_METHODS, home.get_home, home.HOME_OPERATION),
    Route("/about", READ_METHODS, about_page.get_about, about_page.ABOUT_OPERATION),
    Route("/feedback", READ_METHODS, feedback.get_feedback, feedback.FEEDBACK_OPERATION),
    Route("/sparql", READ_METHODS, query_editor.get_sparql, query_editor.GET_QUERY_OPERATION),
    Route("/sparql", ("POST", "QUERY"), sparql.post_query, sparql.POST_QUERY_OPERATION),
    Route("/update", READ_METHODS, service_description.get_update, service_description.UPDATE_PAGE_OPERATION),
    Route("/update", ("POST",), update.post_update, update.UPDATE_OPERATION),
    Route("/build", READ_METHODS, query_builder_page.get_builder, query_builder_page.BUILDER_OPERATION),
    Route("/queries/running", READ_METHODS, sparql.get_running_queries, sparql.RUNNING_OPERATION),
    Route("/queries/running/{id}", ("DELETE",), sparql.delete_running_query, NO_BODY_OPERATION),
    Route("/queries", READ_METHODS, example_queries.get_example_queries, example_queries.EXAMPLES_OPERATION),
    Route(
        "/queries/{name}", READ_METHODS, example_queries.get_example_query, example_queries.EXAMPLE_OPERATION
    ),
    Route("/meetings.ics", READ_METHODS, calendar.get_meetings, calendar.CALENDAR_OPERATION),
    *make_list_routes(LIST_DEFINITIONS["timeline"], timeline.respond_with_timeline),
    *chain.from_iterable(
        make_list_routes(definition)
        for definition in LIST_DEFINITIONS.values()
        if definition.name != "timeline"
    ),
    Route("/coverage", READ_METHODS, coverage.get_coverage, coverage.COVERAGE_OPERATION),
    Route("/coverage.{suffix}", READ_METHODS, coverage.get_coverage, coverage.COVERAGE_OPERATION),
    Route("/compare", READ_METHODS, comparison_page.get_comparison, comparison_page.COMPARE_OPERATION),
    Route("/people", READ_METHODS, people.get_people, people.PEOPLE_OPERATION),
    Route("/people.{suffix}", READ_METHODS, people.get_people, people.PEOPLE_OPERATION),
    Route("/graphs", READ_METHODS, graphs.get_graphs, graphs.GRAPHS_OPERATION),
    Route("/graphs", WRITE_METHODS, graph_store.change_graphs, graph_store.WRITE_GRAPHS_OPERATION),
    Route("/graph/{name:path}", READ_METHODS, graphs.get_graph, graphs.GRAPH_OPERATION),
    Route("/graph/{name:path}", WRITE_METHODS, graph_store.change_graph, graph_store.WRITE_GRAPH_OPERATION),
    Route("/dump.{suffix}", READ_METHODS, dumps_routes.get_dump, dumps_routes.DUMP_OPERATION),
    Route("/dump/{name}", READ_METHODS, dumps_routes.get_dump_version, dumps_routes.DUMP_VERSION_OPERATION),
    Route("/releases", READ_METHODS, releases_routes.get_releases, releases_routes.RELEASES_OPERATION),
    Route("/releases/{name}", READ_METHODS, releases_routes.get_release, releases_routes.RELEASE_OPERATION),
    Route(
        "/releases/{name}/{file}",
        READ_METHODS,
        releases_routes.get_release_file,
        releases_routes.RELEASE_FILE_OPERATION,
    ),
    Route("/changes", READ_METHODS, event_stream.get_changes, event_stream.CHANGES_OPERATION),
    Route("/changes/{path:path}", READ_METHODS, event_stream.get_changes_node, event_stream.STREAM_OPERATION),
    Route("/feed.atom", READ_METHODS, news.get_feed, news.FEED_OPERATION),
    Route("/feed/query/{name}", READ_METHODS, query_feed.get_query_feed, query_feed.QUERY_FEED_OPERATION),
    Route("/feed/{name}", READ_METHODS, news.get_kind_feed, news.KIND_FEED_OPERATION),
    Route("/oai", READ_METHODS, oai_pmh.get_oai, oai_pmh.OAI_OPERATION),
    Route("/oai", ("POST",), oai_pmh.post_oai, oai_pmh.OAI_FORM_OPERATION),
    Route("/sitemap.xml", READ_METHODS, well_known.get_sitemap, well_known.SITEMAP_OPERATION),
    Route("/sitemap/{name}", READ_METHODS, well_known.get_sitemap_part, well_known.SITEMAP_OPERATION),
    Route("/tables", READ_METHODS, tables.get_tables, tables.TABLES_OPERATION),
    Route("/tables/{name}", READ_METHODS, tables.get_table, tables.TABLE_OPERATION),
    Route("/id/{path:path}", READ_METHODS, resources.get_resource, resources.RESOURCE_OPERATION),
    Route(
        "/doc/problem/{slug}", READ_METHODS, well_known.get_problem_kind, well_known.PROBLEM_KIND_OPERATION
    ),
    Route("/doc/{path:path}", READ_METHODS, resources.get_resource_document, resources.DOCUMENT_OPERATION),
    Route("/ontology", READ_METHODS, ontology.get_ontology, ontology.GRAPH_DOCUMENT_OPERATION),
    Route("/ontology.{suffix}", READ_METHODS, ontology.get_ontology, ontology.GRAPH_DOCUMENT_OPERATION),
    Route("/ontology/{version}", READ_METHODS, ontology.get_ontology_version, ontology.VERSION_OPERATION),
    Route("/shapes", READ_METHODS, ontology.get_shapes, ontology.GRAPH_DOCUMENT_OPERATION),
    Route("/shapes.{suffix}", READ_METHODS, ontology.get_shapes, ontology.GRAPH_DOCUMENT_OPERATION),
    Route("/shapes/examples/{name}", READ_METHODS, shapes.get_example_paper, shapes.EXAMPLE_PAPER_OPERATION),
    Route("/shapes/{name}", READ_METHODS, shapes.get_shape, shapes.SHAPE_OPERATION),
    Route("/cite", READ_METHODS, citation.get_citation, citation.CITATION_OPERATION),
    Route("/cited", READ_METHODS, citation.get_cited_content, citation.CITED_OPERATION),
    Route("/validate", READ_METHODS, validate.get_validation, validate.VALIDATION_FORM_OPERATION),
    Route("/validate", ("POST",), validate.post_validation, validate.VALIDATION_OPERATION),
    Route("/write", READ_METHODS, form.get_paper_form, form.PAPER_FORM_OPERATION),
    Route("/write/choices", READ_METHODS, form.get_form_choices, form.FORM_CHOICES_OPERATION),
    Route("/write", ("POST",), form.post_paper_form, form.FORM_ACTION_OPERATION),
    Route("/search", READ_METHODS, search.get_search, search.SEARCH_OPERATION),
    Route("/search.{suffix}", READ_METHODS, search.get_search, search.SEARCH_OPERATION),
    Route(
        "/search/suggestions",
        READ_METHODS,
        suggestions.get_search_suggestions,
        suggestions.SEARCH_SUGGESTIONS_OPERATION,
    ),
    Route("/reconcile", READ_METHODS, reconcile.get_reconciliation, reconcile.MANIFEST_OPERATION),
    Route("/reconcile", ("POST",), reconcile.post_reconciliation, reconcile.BATCH_OPERATION),
    Route(
        "/reconcile/suggest/{what}", READ_METHODS, reconcile.get_suggestions, reconcile.SUGGESTION_OPERATION
    ),
    Route("/reconcile/preview", READ_METHODS, reconcile.get_preview, reconcile.PREVIEW_OPERATION),
    Route(
        "/reconcile/properties", READ_METHODS, reconcile.get_property_proposals, reconcile.PROPOSAL_OPERATION
    ),
    Route(
        "/opensearch.xml",
        READ_METHODS,
        opensearch.get_opensearch_description,
        opensearch.OPENSEARCH_OPERATION,
    ),
    Route("/context.jsonld", READ_METHODS, ontology.get_json_ld_context, ontology.CONTEXT_OPERATION),
    Route("/catalog", READ_METHODS, catalog.get_catalog, catalog.CATALOG_OPERATION),
    Route("/catalog.{suffix}", READ_METHODS, catalog.get_catalog, catalog.CATALOG_OPERATION),
    Route("/linkset", READ_METHODS, linkset.get_linkset, linkset.LINKSET_OPERATION),
    Route("/.well-known/void", READ_METHODS, well_known.get_void, well_known.DESCRIPTION_OPERATION),
    Route(
        "/.well-known/sparql-examples",
        READ_METHODS,
        well_known.get_sparql_examples,
        well_known.DESCRIPTION_OPERATION,
    ),
    Route(
        "/.well-known/api-catalog", READ_METHODS, well_known.get_api_catalog, well_known.API_CATALOG_OPERATION
    ),
    Route("/.well-known/security.txt", READ_METHODS, well_known.get_security_txt, well_known.TEXT_OPERATION),
    Route("/robots.txt", READ_METHODS, well_known.get_robots_txt, well_known.TEXT_OPERATION),
    Route("/static/{name}", READ_METHODS, ontology.get_static_file, ontology.STATIC_FILE_OPERATION),
    Route("/health", READ_METHODS, health.get_health, health.HEALTH_OPERATION),
    Route("/ready", READ_METHODS, health.get_readiness, health.READINESS_OPERATION),
    Route("/metrics", READ_METHODS, metrics.get_metrics, metrics.METRICS_OPERATION),
    Route("/docs", READ_METHODS, docs.get_docs, docs.DOCS_OPERATION),
    Route("/docs/{path:path}", READ_METHODS, docs.get_docs_file, docs.DOCS_FILE_OPERATION),
    Route("/style-guide", READ_METHODS, style_guide.get_style_guide, style_guide.STYLE_GUIDE_OPERATION),
    Route("/api", READ_METHODS, api_page.get_api_page, api_page.API_PAGE_OPERATION),
    Route("/openapi.json", READ_METHODS, openapi.get_openapi, openapi.OPENAPI_OPERATION),
]

# The handlers of these paths are called without FastAPI, which takes longer than they do: FastAPI needs 90 µs
# of CPU to check and parse the parameters; a short query needs 220 µs in total. Their `Operation` describes
# them in OpenAPI.
FAST_ROUTE_PATHS = ("/sparql",)
# The same for requests without a query string, which have no parameters to check, by template of the path.
PLAIN_ROUTE_HANDLERS = {"/doc/{path:path}": resources.get_plain_document}


class QueueLimits(TypedDict):
    """The limits of a queue: running tasks (function calls), waiting tasks, seconds that a task may wait."""

    max_running: int
    max_waiting: int
    timeout_seconds: float


CHECK_PROCESSES = max(2, min(4, os.cpu_count() or 1))
QUEUES: dict[str, QueueLimits] = {
    "writes": {"max_running": 1, "max_waiting": 256, "timeout_seconds": 60},
    # Checks of papers. They run in separate processes, because the input is untrusted.
    "checks": {"max_running": CHECK_PROCESSES, "max_waiting": 16, "timeout_seconds": 20},
    # Of these, the checks by shapes of the sender, which may take any time: one process is left for papers.
    "shape_checks": {"max_running": CHECK_PROCESSES - 1, "max_waiting": 16, "timeout_seconds": 20},
    # Papers that wait to be checked before they are written: as long as other writes, for one of the checks.
    "gate": {"max_running": CHECK_PROCESSES, "max_waiting": 256, "timeout_seconds": 60},
    # Queries that call other services (SERVICE), whose results may take 100 MB each.
    "calls": {"max_running": 4, "max_waiting": 28, "timeout_seconds": 30},
    "searches": {"max_running": 4, "max_waiting": 60, "timeout_seconds": 10},
    # Explanations of query plans, which may take 256 MiB each.
    "plans": {"max_running": 2, "max_waiting": 16, "timeout_seconds": 20},
}

MAX_CONCURRENT_BODIES = 4  # request bodies of maximum size that fit into the upload budget
RAW_CACHE_DIVISOR = 8  # the raw cache may take an eighth of WGIG_CACHE_BYTES, beside the response cache


@dataclass(frozen=True)
class Queues:
    """The work queues of the service, with the limits of QUEUES."""

    writes: WorkQueue
    checks: WorkQueue
    shape_checks: WorkQueue
    gate: WorkQueue
    calls: WorkQueue
    searches: WorkQueue
    plans: WorkQueue


class QueryBackends(NamedTuple):
    """The workers that evaluate queries of clients, and those for the queries of the service's pages.

    `follower` keeps the store in sync with a store that several instances share; None if it is not shared.
    """

    workers: QueryWorkers
    internal_workers: QueryWorkers
    follower: "StoreFollower | None" = None

    @property
    def version(self) -> object:
        """A value that changes whenever results of queries may change."""
        return self.follower.version if self.follower else self.workers.version


def make_inline_backends(store: Store) -> QueryBackends:
    """QueryBackends that evaluate all queries on threads of this process, without a time limit."""
    threads = ThreadQueryWorkers(store)
    return QueryBackends(threads, threads)


@dataclass(frozen=True)
class Service:
    """All components of the service; a reload of the settings replaces it by a new one.

    Only the `dependencies` modules read it; handlers get its components from those modules.
    """

    settings: Settings
    store: Store
    backends: QueryBackends
    tokens: TokenStore
    history: GraphHistory | None
    recorder: ProvenanceRecorder | None
    projections: Projections
    queues: Queues
    telemetry: Telemetry
    request_recorder: RequestRecorder
    rate_limiter: RateLimiter
    raw_cache: RawResponseCache
    notifier: ChangeNotifier
    running: RunningQueries = field(default_factory=RunningQueries)
    status: ServiceStatus = field(default_factory=ServiceStatus)
    paper_fetcher: PaperFetcher = field(default_factory=PaperFetcher)
    peers: PeerProcesses = field(default_factory=NoPeerProcesses)

    @cached_property
    def queries(self) -> QueryService:
        """The service that answers queries."""
        return QueryService(
            settings=self.settings,
            store=self.store,
            workers=self.backends.workers,
            internal_workers=self.backends.internal_workers,
            running=self.running,
            telemetry=self.telemetry,
            checks=self.queues.checks,
            plans=self.queues.plans,
            calls=self.queues.calls,
            search_call=make_search_matcher(self.projections.search_index, self.settings.base),
        )

    @cached_property
    def writes(self) -> WritePipeline:
        """The pipeline that handles every write request."""
        return WritePipeline(
            settings=self.settings,
            store=self.store,
            recorder=self.recorder,
            queue=self.queues.writes,
            gate=self.queues.gate,
            checks=self.queues.checks,
            telemetry=self.telemetry,
            status=self.status,
            read_paper=readers.read_paper_document,
        )

    @cached_property
    def errors(self) -> ErrorResponses:
        """The responses to errors of handlers."""
        return ErrorResponses(self.settings.base, self.status)


def make_service(  # noqa: PLR0913 - components that tests and the command replace
    settings: Settings,
    store: Store,
    *,
    backends: QueryBackends | None = None,
    checks: WorkQueue | None = None,
    tokens: TokenStore | None = None,
    tracing: Tracing | None = None,
) -> Service:
    """Make the service for a store.

    By default, queries are evaluated and papers are checked on threads of this process, the token of the
    settings is the only one, and tracing is off.
    """
    backends = backends or make_inline_backends(store)
    telemetry = Telemetry(Metrics(), AccessLogs(settings), tracing)
    history = GraphHistory(settings.base, store.old_contents) if settings.history == HISTORY_KEPT else None
    projections = make_projections(store, settings.base)
    queues = Queues(**{name: WorkQueue(**limits) for name, limits in QUEUES.items()})
    return Service(
        settings=settings,
        store=store,
        backends=backends,
        tokens=tokens or TokenStore(None, settings.token),
        history=history,
        recorder=ProvenanceRecorder(history, store) if history else None,
        projections=projections,
        queues=replace(queues, checks=checks) if checks else queues,
        telemetry=telemetry,
        request_recorder=RequestRecorder(telemetry, RouteTemplates(route.path for route in ROUTES)),
        rate_limiter=RateLimiter(settings),
        raw_cache=RawResponseCache(
            lambda: backends.version, settings.cache_bytes // RAW_CACHE_DIVISOR, telemetry.metrics
        ),
        notifier=ChangeNotifier(settings, store, projections.resource_versions),
    )


def make_freshness_middleware(service: Service) -> Middleware | None:
    """The middleware that keeps reads in sync with a shared store; None if the store is not shared."""
    if service.backends.follower is None:
        return None
    from .remote.freshness import FreshnessMiddleware  # noqa: PLC0415  costs 0.1 s, and most stores are not shared

    return Middleware(
        FreshnessMiddleware,
        follower=service.backends.follower,
        refuse=service.errors.respond_to_expected_error,
    )


def make_cache_middleware(service: Service) -> Middleware:
    """The middleware with the response cache."""
    workers, cache_bytes = service.backends.workers, service.settings.cache_bytes
    return Middleware(
        ResponseCacheMiddleware, version_source=workers, raw_cache=service.raw_cache, max_bytes=cache_bytes
    )


def make_fast_route_middleware(service: Service) -> Middleware:
    """The middleware that calls the handlers of FAST_ROUTE_PATHS and PLAIN_ROUTE_HANDLERS."""
    routes = [route for route in ROUTES if route.path in FAST_ROUTE_PATHS]
    return Middleware(
        FastRouteMiddleware,
        handlers={(method, route.path): route.handler for route in routes for method in route.methods},
        plain_handlers={
            (method, path): handler
            for path, handler in PLAIN_ROUTE_HANDLERS.items()
            for method in READ_METHODS
        },
        find_template=service.request_recorder.route_templates.template_of,
        errors=EXPECTED_ERRORS,
        render_error=service.errors.respond_to_expected_error,
    )


# Outermost first: a request passes them in this order, and its response in reverse order.
MIDDLEWARE: list[Callable[[Service], Middleware | None]] = [
    lambda service: Middleware(RequestLogMiddleware, recorder=service.request_recorder),
    lambda service: Middleware(RateLimitMiddleware, limiter=service.rate_limiter, base=service.settings.base),
    lambda _: Middleware(LanguageMiddleware),
    make_freshness_middleware,
    make_cache_middleware,
    lambda service: Middleware(
        RequestGuardMiddleware,
        base=service.settings.base,
        budget=UploadBudget(MAX_CONCURRENT_BODIES * service.settings.body_bytes),
    ),
    make_fast_route_middleware,
]


# Those that front processes apply, if there are any.
FRONT_MIDDLEWARE = MIDDLEWARE[:3]


def create_app(service: Service, *, is_behind_fronts: bool = False) -> FastAPI:
    """The FastAPI application of a service; `app.state.service` is its only state.

    Behind front processes, it has no FRONT_MIDDLEWARE.
    """
    makers = MIDDLEWARE[len(FRONT_MIDDLEWARE) if is_behind_fronts else 0 :]
    app = openapi.DescribedApplication(
        ROUTES,
        title=SERVICE_TITLE,
        version=__version__,
        summary=API_SUMMARY,
        description=API_DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[middleware for make in makers if (middleware := make(service))],
        telemetry={"tracing": False, "metrics": False, "logs": False},  # those of FastAPI take time
    )
    app.state.service = service
    service.errors.install(app)
    return app
