"""The whole HTTP surface on one page: each path, its methods, its function. Start reading here."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from ._version import __version__
from .about import catalog, health, home, metrics, openapi, well_known
from .feeds import calendar, event_stream, news, query_feed
from .graphs import dumps_routes, graph_store, update
from .graphs import routes as graphs_routes
from .graphs.citation import routes as citation_routes
from .graphs.provenance import ProvenanceRecorder
from .http.access_log import AccessLogs, RequestLogMiddleware, RequestRecorder, RouteTemplates
from .http.auth import TokenStore
from .http.cache import ResponseCacheMiddleware
from .http.fast_path import RawResponseCache
from .http.limits import RateLimiter, RateLimitMiddleware
from .http.middleware import FastRouteMiddleware, LanguageMiddleware, RequestGuardMiddleware, UploadBudget
from .http.telemetry import Metrics, Tracing
from .http.work_queue import WorkQueue
from .lists import coverage, example_queries, people, query_editor, routes, tables, timeline
from .lists.definitions import LIST_DEFINITIONS
from .pages import errors
from .papers import readers, validate
from .papers.form import routes as form_routes
from .projections import make_projections
from .resources import ontology, shapes
from .resources import routes as resources_routes
from .search import opensearch
from .search import routes as search_routes
from .search.reconcile import routes as reconcile_routes
from .search.sparql_service import make_search_matcher
from .settings import HISTORY_KEPT, Settings
from .sparql import running, service, service_description
from .sparql.workers.evaluation import ThreadQueryWorkers
from .sparql.workers.result import QueryWorkers
from .store.history import GraphHistory
from .store.store import Store

API_DESCRIPTION = (
    "The Working Group on Internet Governance (2004-2005) as linked data. HEAD works wherever GET does."
)

READ_METHODS = ("GET", "HEAD")
WRITE_METHODS = ("PUT", "POST", "DELETE")

# Paths below one another stand from the narrow to the wide: the first that fits answers.
ROUTES: list[tuple[str, tuple[str, ...], Callable[..., Any]]] = [
    ("/", READ_METHODS, home.get_home),
    ("/sparql", READ_METHODS, query_editor.get_sparql),
    ("/sparql", ("POST", "QUERY"), service.post_query),
    ("/update", READ_METHODS, service_description.get_update),
    ("/update", ("POST",), update.post_update),
    ("/queries/running", READ_METHODS, running.get_running_queries),
    ("/queries/running/{id}", ("DELETE",), running.delete_running_query),
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

FAST_ROUTE_PATHS = ("/sparql",)

# What strangers send is checked by so many at once.
CHECK_QUEUE_LIMITS = {"at_once": min(4, os.cpu_count() or 1), "waiting": 16, "patience": 20}

MAX_CONCURRENT_BODIES = 4  # largest bodies that may be held together


def create_app(  # noqa: PLR0913, PLR0917 - what a service consists of
    settings: Settings,
    store: Store,
    checks: WorkQueue | None = None,
    answerers: QueryWorkers | None = None,
    tokens: TokenStore | None = None,
    tracing: Tracing | None = None,
    layers: Sequence[Middleware] = (),
    own_answerers: QueryWorkers | None = None,
) -> FastAPI:
    """The service over a store; handlers find both in `request.app.state`.

    Papers are checked where `checks` has them checked, and queries are answered by `answerers`: both in this
    process by default. Those of our pages are answered by `own_answerers`, by default the same. The `tokens`
    open writing, by default that of the settings alone. Spans go to `tracing`.
    """
    answerers = answerers or ThreadQueryWorkers(store)
    app = FastAPI(
        title="WGIG knowledge graph",
        version=__version__,
        description=API_DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
        },  # nobody listens, and asking takes time
    )
    app.state.settings, app.state.store = settings, store
    app.state.answerers = answerers
    app.state.own_answerers = own_answerers or answerers
    projections = make_projections(store, settings.base)
    app.state.metrics, app.state.logs, app.state.census = (
        Metrics(),
        AccessLogs(settings),
        projections.store_size,
    )
    app.state.tracing = tracing
    app.state.notes = RequestRecorder(
        app.state.metrics, RouteTemplates(path for path, _, _ in ROUTES), app.state.logs, tracing
    )
    app.state.running = running.RunningQueries()
    app.state.writes = WorkQueue(at_once=1, waiting=256, patience=60)
    app.state.others = WorkQueue(at_once=4, waiting=28, patience=30)  # each may take 100 MB for what it gets
    app.state.tokens = tokens or TokenStore(None, settings.token)
    history = GraphHistory(settings.base, store.content_store()) if settings.history == HISTORY_KEPT else None
    app.state.history, app.state.record = history, history and ProvenanceRecorder(history, store)
    app.state.dumps = projections.dumps
    app.state.stream = projections.change_log
    app.state.index = projections.search_index
    app.state.search_call = make_search_matcher(app.state.index, settings.base)
    app.state.read_paper = readers.read_paper_document
    app.state.cells = projections.paper_counts
    app.state.shelf = projections.papers_index
    app.state.searches = WorkQueue(at_once=4, waiting=60, patience=10)
    app.state.stopping = False
    app.state.failed_write = None  # the time of the last write, where the disk failed it
    app.state.plans = WorkQueue(at_once=2, waiting=16, patience=20)  # each may take 256 MiB
    app.state.checks = checks or WorkQueue(**CHECK_QUEUE_LIMITS)
    for path, methods, function in ROUTES:
        for method in methods:
            app.add_api_route(
                path, function, methods=[method], **openapi.describe_route(method, path, function)
            )
    app.add_middleware(
        FastRouteMiddleware,
        handlers={
            (method, path): function
            for path, methods, function in ROUTES
            if path in FAST_ROUTE_PATHS
            for method in methods
        },
        errors=errors.EXPECTED_ERRORS,
        refuse=errors.answer_expected_error,
    )
    app.add_middleware(
        RequestGuardMiddleware,
        base=settings.base,
        room=UploadBudget(MAX_CONCURRENT_BODIES * settings.body_bytes),
    )
    app.state.shortcuts = RawResponseCache(
        lambda: answerers.version, settings.cache_bytes // 8, app.state.metrics
    )
    app.add_middleware(
        ResponseCacheMiddleware,
        answerers=answerers,
        shortcuts=app.state.shortcuts,
        room=settings.cache_bytes,
    )
    for layer in layers:
        app.add_middleware(layer.cls, *layer.args, **layer.kwargs)
    app.add_middleware(LanguageMiddleware)
    app.state.limits = RateLimiter(settings)
    app.add_middleware(RateLimitMiddleware, limits=app.state.limits, base=settings.base)
    app.add_middleware(RequestLogMiddleware, notes=app.state.notes)
    errors.install_error_handlers(app)
    return app
