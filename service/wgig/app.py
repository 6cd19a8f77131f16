"""The whole HTTP surface on one page: each path, its methods, its function. Start reading here."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from fastapi import FastAPI
from starlette.middleware import Middleware

from ._version import __version__
from .about import catalog, health, home, metrics, openapi, well_known
from .feeds import calendar, event_stream, news, query_feed
from .graphs import dumps_routes, graph_store, update
from .graphs import routes as graphs_routes
from .graphs.citation import routes as citation_routes
from .graphs.provenance import ProvenanceRecorder
from .graphs.write_pipeline import WritePipeline
from .http.access_log import AccessLogs, RequestLogMiddleware, RequestRecorder, RouteTemplates, Telemetry
from .http.auth import TokenStore
from .http.cache import ResponseCacheMiddleware
from .http.fast_path import RawResponseCache
from .http.limits import RateLimiter, RateLimitMiddleware
from .http.middleware import FastRouteMiddleware, LanguageMiddleware, RequestGuardMiddleware, UploadBudget
from .http.status import ServiceStatus
from .http.telemetry import Metrics, Tracing
from .http.work_queue import WorkQueue
from .lists import coverage, example_queries, people, query_editor, routes, tables, timeline
from .lists.definitions import LIST_DEFINITIONS
from .pages.errors import EXPECTED_ERRORS, ErrorResponses
from .papers import readers, validate
from .papers.form import routes as form_routes
from .projections import Projections, make_projections
from .resources import ontology, shapes
from .resources import routes as resources_routes
from .search import opensearch
from .search import routes as search_routes
from .search.reconcile import routes as reconcile_routes
from .search.sparql_service import make_search_matcher
from .settings import HISTORY_KEPT, SERVICE_TITLE, Settings
from .sparql import routes as sparql_routes
from .sparql import service_description
from .sparql.running import RunningQueries
from .sparql.service import QueryService
from .sparql.workers.evaluation import ThreadQueryWorkers
from .sparql.workers.result import QueryWorkers
from .store.history import GraphHistory
from .store.store import Store

if TYPE_CHECKING:
    from .remote.freshness import StoreFollower

API_DESCRIPTION = (
    "The Working Group on Internet Governance (2004-2005) as linked data. HEAD works wherever GET does."
)

READ_METHODS = ("GET", "HEAD")
WRITE_METHODS = ("PUT", "POST", "DELETE")

# Paths below one another stand from the narrow to the wide: the first that fits answers.
ROUTES: list[tuple[str, tuple[str, ...], Callable[..., Any]]] = [
    ("/", READ_METHODS, home.get_home),
    ("/sparql", READ_METHODS, query_editor.get_sparql),
    ("/sparql", ("POST", "QUERY"), sparql_routes.post_query),
    ("/update", READ_METHODS, service_description.get_update),
    ("/update", ("POST",), update.post_update),
    ("/queries/running", READ_METHODS, sparql_routes.get_running_queries),
    ("/queries/running/{id}", ("DELETE",), sparql_routes.delete_running_query),
    ("/queries", READ_METHODS, example_queries.get_example_queries),
    ("/queries/{name}", READ_METHODS, example_queries.get_example_query),
    ("/meetings.ics", READ_METHODS, calendar.get_meetings),
    *((path, READ_METHODS, timeline.get_timeline) for path in ("/timeline", "/timeline.{suffix}")),
    *(
        (path, READ_METHODS, routes.get_list)
        for one in LIST_DEFINITIONS
        if one != "timeline"
        for path in (f"/{one}", f"/{one}.{{suffix}}")
    ),
    ("/coverage", READ_METHODS, coverage.get_coverage),
    ("/coverage.{suffix}", READ_METHODS, coverage.get_coverage),
    ("/people", READ_METHODS, people.get_people),
    ("/people.{suffix}", READ_METHODS, people.get_people),
    ("/graphs", READ_METHODS, graphs_routes.get_graphs),
    ("/graphs", WRITE_METHODS, graph_store.change_graphs),
    ("/graph/{name:path}", READ_METHODS, graphs_routes.get_graph),
    ("/graph/{name:path}", WRITE_METHODS, graph_store.change_graph),
    ("/dump.{suffix}", READ_METHODS, dumps_routes.get_dump),
    ("/dump/{name}", READ_METHODS, dumps_routes.get_dump_version),
    ("/changes", READ_METHODS, event_stream.get_changes),
    ("/changes/{path:path}", READ_METHODS, event_stream.get_changes_node),
    ("/feed.atom", READ_METHODS, news.get_feed),
    ("/feed/query/{name}", READ_METHODS, query_feed.get_query_feed),
    ("/feed/{name}", READ_METHODS, news.get_kind_feed),
    ("/sitemap.xml", READ_METHODS, well_known.get_sitemap),
    ("/sitemap/{name}", READ_METHODS, well_known.get_sitemap_part),
    ("/tables", READ_METHODS, tables.get_tables),
    ("/tables/{name}", READ_METHODS, tables.get_table),
    ("/id/{path:path}", READ_METHODS, resources_routes.get_resource),
    ("/doc/problem/{slug}", READ_METHODS, well_known.get_problem_kind),
    ("/doc/{path:path}", READ_METHODS, resources_routes.get_resource_document),
    ("/ontology", READ_METHODS, ontology.get_ontology),
    ("/ontology.{suffix}", READ_METHODS, ontology.get_ontology),
    ("/ontology/{version}", READ_METHODS, ontology.get_ontology_version),
    ("/shapes", READ_METHODS, ontology.get_shapes),
    ("/shapes.{suffix}", READ_METHODS, ontology.get_shapes),
    ("/shapes/examples/{name}", READ_METHODS, shapes.get_example_paper),
    ("/shapes/{name}", READ_METHODS, shapes.get_shape),
    ("/cite", READ_METHODS, citation_routes.get_citation),
    ("/cited", READ_METHODS, citation_routes.get_cited_content),
    ("/validate", READ_METHODS, validate.get_validation),
    ("/validate", ("POST",), validate.post_validation),
    ("/write", READ_METHODS, form_routes.get_paper_form),
    ("/write", ("POST",), form_routes.post_paper_form),
    ("/search", READ_METHODS, search_routes.get_search),
    ("/search.{suffix}", READ_METHODS, search_routes.get_search),
    ("/reconcile", READ_METHODS, reconcile_routes.get_reconciliation),
    ("/reconcile", ("POST",), reconcile_routes.post_reconciliation),
    ("/reconcile/suggest/{what}", READ_METHODS, reconcile_routes.get_suggestions),
    ("/reconcile/preview", READ_METHODS, reconcile_routes.get_preview),
    ("/reconcile/properties", READ_METHODS, reconcile_routes.get_property_proposals),
    ("/opensearch.xml", READ_METHODS, opensearch.get_opensearch_description),
    ("/context.jsonld", READ_METHODS, ontology.get_json_ld_context),
    ("/catalog", READ_METHODS, catalog.get_catalog),
    ("/catalog.{suffix}", READ_METHODS, catalog.get_catalog),
    ("/.well-known/void", READ_METHODS, well_known.get_void),
    ("/.well-known/sparql-examples", READ_METHODS, well_known.get_sparql_examples),
    ("/.well-known/api-catalog", READ_METHODS, well_known.get_api_catalog),
    ("/.well-known/security.txt", READ_METHODS, well_known.get_security_txt),
    ("/robots.txt", READ_METHODS, well_known.get_robots_txt),
    ("/static/{name}", READ_METHODS, ontology.get_static_file),
    ("/health", READ_METHODS, health.get_health),
    ("/ready", READ_METHODS, health.get_readiness),
    ("/metrics", READ_METHODS, metrics.get_metrics),
    ("/openapi.json", READ_METHODS, openapi.get_openapi),
]

FAST_ROUTE_PATHS = ("/sparql",)  # whose handlers are called without FastAPI, which takes longer than they do


class QueueLimits(TypedDict):
    """How many calls run at once, how many more may wait, and for how many seconds each."""

    at_once: int
    waiting: int
    patience: float


QUEUES: dict[str, QueueLimits] = {
    "writes": {"at_once": 1, "waiting": 256, "patience": 60},
    # What strangers send is checked in processes.
    "checks": {"at_once": min(4, os.cpu_count() or 1), "waiting": 16, "patience": 20},
    # Texts that ask other services, each of which may take 100 MB for what it gets.
    "calls": {"at_once": 4, "waiting": 28, "patience": 30},
    "searches": {"at_once": 4, "waiting": 60, "patience": 10},
    # Plans of queries, each of which may take 256 MiB.
    "plans": {"at_once": 2, "waiting": 16, "patience": 20},
}

MAX_CONCURRENT_BODIES = 4  # largest bodies that may be held together


@dataclass(frozen=True)
class Queues:
    """One queue for each kind of work, with the limits of QUEUES."""

    writes: WorkQueue
    checks: WorkQueue
    calls: WorkQueue
    searches: WorkQueue
    plans: WorkQueue


class QueryBackends(NamedTuple):
    """Who answers queries: those of clients, and those of our pages.

    `following` keeps the store in line with one that several instances share.
    """

    workers: QueryWorkers
    own_workers: QueryWorkers
    following: "StoreFollower | None" = None

    @property
    def version(self) -> object:
        """What stays the same while no answer may be another."""
        return self.following.version if self.following else self.workers.version


def make_inline_backends(store: Store) -> QueryBackends:
    """Threads of this process, which answer all queries. Nothing limits their time."""
    threads = ThreadQueryWorkers(store)
    return QueryBackends(threads, threads)


@dataclass(frozen=True)
class Service:
    """All that a service consists of; a reload of the settings replaces it by one with other settings.

    Handlers get what they need of it by the `dependencies` of their package, which alone read it.
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
    notes: RequestRecorder
    limits: RateLimiter
    shortcuts: RawResponseCache
    running: RunningQueries = field(default_factory=RunningQueries)
    status: ServiceStatus = field(default_factory=ServiceStatus)

    @cached_property
    def queries(self) -> QueryService:
        """What answers queries."""
        return QueryService(
            settings=self.settings,
            store=self.store,
            workers=self.backends.workers,
            own_workers=self.backends.own_workers,
            running=self.running,
            telemetry=self.telemetry,
            checks=self.queues.checks,
            plans=self.queues.plans,
            calls=self.queues.calls,
            search_call=make_search_matcher(self.projections.search_index, self.settings.base),
        )

    @cached_property
    def writes(self) -> WritePipeline:
        """What a write goes through."""
        return WritePipeline(
            settings=self.settings,
            store=self.store,
            recorder=self.recorder,
            queue=self.queues.writes,
            checks=self.queues.checks,
            telemetry=self.telemetry,
            status=self.status,
            read_paper=readers.read_paper_document,
        )

    @cached_property
    def errors(self) -> ErrorResponses:
        """What answers where a handler refuses or fails."""
        return ErrorResponses(self.settings.base)


def make_service(  # noqa: PLR0913 - what may be another than in a test
    settings: Settings,
    store: Store,
    *,
    backends: QueryBackends | None = None,
    checks: WorkQueue | None = None,
    tokens: TokenStore | None = None,
    tracing: Tracing | None = None,
) -> Service:
    """The service over a store.

    By default, queries are answered and papers are checked on threads of this process, the token of the
    settings alone opens writing, and there are no traces.
    """
    backends = backends or make_inline_backends(store)
    telemetry = Telemetry(Metrics(), AccessLogs(settings), tracing)
    history = GraphHistory(settings.base, store.content_store()) if settings.history == HISTORY_KEPT else None
    queues = Queues(**{name: WorkQueue(**limits) for name, limits in QUEUES.items()})
    return Service(
        settings=settings,
        store=store,
        backends=backends,
        tokens=tokens or TokenStore(None, settings.token),
        history=history,
        recorder=ProvenanceRecorder(history, store) if history else None,
        projections=make_projections(store, settings.base),
        queues=replace(queues, checks=checks) if checks else queues,
        telemetry=telemetry,
        notes=RequestRecorder(telemetry, RouteTemplates(path for path, _, _ in ROUTES)),
        limits=RateLimiter(settings),
        shortcuts=RawResponseCache(lambda: backends.version, settings.cache_bytes // 8, telemetry.metrics),
    )


def make_freshness_middleware(service: Service) -> Middleware | None:
    """What keeps reads in line with a shared store; None where the store is not shared."""
    if service.backends.following is None:
        return None
    from .remote.freshness import FreshnessMiddleware  # noqa: PLC0415  costs 0.1 s, and most stores are not shared

    return Middleware(
        FreshnessMiddleware,
        following=service.backends.following,
        refuse=service.errors.respond_to_expected_error,
    )


def make_cache_middleware(service: Service) -> Middleware:
    """The response cache."""
    workers, room = service.backends.workers, service.settings.cache_bytes
    return Middleware(ResponseCacheMiddleware, answerers=workers, shortcuts=service.shortcuts, room=room)


def make_fast_route_middleware(service: Service) -> Middleware:
    """What calls the handlers of FAST_ROUTE_PATHS."""
    rows = ((path, methods, function) for path, methods, function in ROUTES if path in FAST_ROUTE_PATHS)
    handlers = {(method, path): function for path, methods, function in rows for method in methods}
    return Middleware(
        FastRouteMiddleware,
        handlers=handlers,
        errors=EXPECTED_ERRORS,
        refuse=service.errors.respond_to_expected_error,
    )


# Outermost first: a request passes them in this order, and its response in the opposite one.
MIDDLEWARE: list[Callable[[Service], Middleware | None]] = [
    lambda service: Middleware(RequestLogMiddleware, notes=service.notes),
    lambda service: Middleware(RateLimitMiddleware, limits=service.limits, base=service.settings.base),
    lambda _: Middleware(LanguageMiddleware),
    make_freshness_middleware,
    make_cache_middleware,
    lambda service: Middleware(
        RequestGuardMiddleware,
        base=service.settings.base,
        room=UploadBudget(MAX_CONCURRENT_BODIES * service.settings.body_bytes),
    ),
    make_fast_route_middleware,
]


def create_app(service: Service) -> FastAPI:
    """The application that serves a service; `app.state.service` is the only thing that it keeps."""
    app = FastAPI(
        title=SERVICE_TITLE,
        version=__version__,
        description=API_DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[one for make in MIDDLEWARE if (one := make(service))],
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
        },  # nobody listens, and asking takes time
    )
    app.state.service = service
    for path, methods, function in ROUTES:
        for method in methods:
            app.add_api_route(
                path, function, methods=[method], **openapi.describe_route(method, path, function)
            )
    service.errors.install(app)
    return app
