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
from .graphs.provenance import Record
from .http.access_log import Logs, Notes, Noting, Routing
from .http.auth import Tokens
from .http.cache import Cache
from .http.fast_path import Shortcuts
from .http.limits import Limiting, Limits
from .http.middleware import Choosing, Direct, Guard, Room
from .http.telemetry import Metrics, Tracing
from .http.work_queue import Turns
from .lists import coverage, example_queries, people, query_editor, routes, tables, timeline
from .lists.definitions import LISTS
from .pages import errors
from .papers import readers, validate
from .papers.form import routes as form_routes
from .projections import make_projections
from .resources import ontology, shapes
from .resources import routes as resources_routes
from .search import opensearch
from .search import routes as search_routes
from .search.reconcile import routes as reconcile_routes
from .search.sparql_service import matcher
from .settings import KEPT, Settings
from .sparql import running, service, service_description
from .sparql.workers.evaluation import Inline
from .sparql.workers.result import Answerers
from .store.history import History
from .store.store import Store

ABOUT = "The Working Group on Internet Governance (2004-2005) as linked data. HEAD works wherever GET does."

READ = ("GET", "HEAD")
WRITE = ("PUT", "POST", "DELETE")

# Paths below one another stand from the narrow to the wide: the first that fits answers.
ROUTES: list[tuple[str, tuple[str, ...], Callable[..., Any]]] = [
    ("/", READ, home.home),
    ("/sparql", READ, query_editor.ask),
    ("/sparql", ("POST", "QUERY"), service.ask_by_body),
    ("/update", READ, service_description.describe_update),
    ("/update", ("POST",), update.update),
    ("/queries/running", READ, running.list_running),
    ("/queries/running/{id}", ("DELETE",), running.end),
    ("/queries", READ, example_queries.list_queries),
    ("/queries/{name}", READ, example_queries.ask_example),
    ("/meetings.ics", READ, calendar.meetings),
    *((path, READ, timeline.timeline) for path in ("/timeline", "/timeline.{suffix}")),
    *(
        (path, READ, routes.listing)
        for one in LISTS
        if one != "timeline"
        for path in (f"/{one}", f"/{one}.{{suffix}}")
    ),
    ("/coverage", READ, coverage.coverage),
    ("/coverage.{suffix}", READ, coverage.coverage),
    ("/people", READ, people.people),
    ("/people.{suffix}", READ, people.people),
    ("/graphs", READ, graphs_routes.read_graphs),
    ("/graphs", WRITE, graph_store.change_graphs),
    ("/graph/{name:path}", READ, graphs_routes.read_graph),
    ("/graph/{name:path}", WRITE, graph_store.change_graph),
    ("/dump.{suffix}", READ, dumps_routes.dump),
    ("/dump/{name}", READ, dumps_routes.version),
    ("/changes", READ, event_stream.stream),
    ("/changes/{path:path}", READ, event_stream.node),
    ("/feed.atom", READ, news.everything),
    ("/feed/query/{name}", READ, query_feed.feed_of_example),
    ("/feed/{name}", READ, news.of_kind),
    ("/sitemap.xml", READ, well_known.sitemap),
    ("/sitemap/{name}", READ, well_known.part),
    ("/tables", READ, tables.every_table),
    ("/tables/{name}", READ, tables.one_table),
    ("/id/{path:path}", READ, resources_routes.thing),
    ("/doc/problem/{slug}", READ, well_known.explain),
    ("/doc/{path:path}", READ, resources_routes.doc),
    ("/ontology", READ, ontology.ontology),
    ("/ontology.{suffix}", READ, ontology.ontology),
    ("/ontology/{version}", READ, ontology.ontology_version),
    ("/shapes", READ, ontology.shapes),
    ("/shapes.{suffix}", READ, ontology.shapes),
    ("/shapes/examples/{name}", READ, shapes.example),
    ("/shapes/{name}", READ, shapes.shape),
    ("/cite", READ, citation_routes.cite),
    ("/cited", READ, citation_routes.cited),
    ("/validate", READ, validate.validation_form),
    ("/validate", ("POST",), validate.validate),
    ("/write", READ, form_routes.write_form),
    ("/write", ("POST",), form_routes.write_by_form),
    ("/search", READ, search_routes.search),
    ("/search.{suffix}", READ, search_routes.search),
    ("/reconcile", READ, reconcile_routes.reconcile),
    ("/reconcile", ("POST",), reconcile_routes.reconcile_by_form),
    ("/reconcile/suggest/{what}", READ, reconcile_routes.suggest),
    ("/reconcile/preview", READ, reconcile_routes.preview),
    ("/reconcile/properties", READ, reconcile_routes.propose),
    ("/opensearch.xml", READ, opensearch.description),
    ("/context.jsonld", READ, ontology.context),
    ("/catalog", READ, catalog.catalog),
    ("/catalog.{suffix}", READ, catalog.catalog),
    ("/.well-known/void", READ, well_known.void),
    ("/.well-known/sparql-examples", READ, well_known.sparql_examples),
    ("/.well-known/api-catalog", READ, well_known.api_catalog),
    ("/.well-known/security.txt", READ, well_known.security),
    ("/robots.txt", READ, well_known.robots),
    ("/static/{name}", READ, ontology.static),
    ("/health", READ, health.health),
    ("/ready", READ, health.ready),
    ("/metrics", READ, metrics.metrics),
    ("/openapi.json", READ, openapi.interface),
]

ASKED_MOST = ("/sparql",)

# What strangers send is checked by so many at once.
CHECKS = {"at_once": min(4, os.cpu_count() or 1), "waiting": 16, "patience": 20}

AT_ONCE = 4  # largest bodies that may be held together


def create_app(  # noqa: PLR0913, PLR0917 - what a service consists of
    settings: Settings,
    store: Store,
    checks: Turns | None = None,
    answerers: Answerers | None = None,
    tokens: Tokens | None = None,
    tracing: Tracing | None = None,
    layers: Sequence[Middleware] = (),
    own_answerers: Answerers | None = None,
) -> FastAPI:
    """The service over a store; handlers find both in `request.app.state`.

    Papers are checked where `checks` has them checked, and queries are answered by `answerers`: both in this
    process by default. Those of our pages are answered by `own_answerers`, by default the same. The `tokens`
    open writing, by default that of the settings alone. Spans go to `tracing`.
    """
    answerers = answerers or Inline(store)
    app = FastAPI(
        title="WGIG knowledge graph",
        version=__version__,
        description=ABOUT,
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
    app.state.metrics, app.state.logs, app.state.census = Metrics(), Logs(settings), projections.census
    app.state.tracing = tracing
    app.state.notes = Notes(
        app.state.metrics, Routing(path for path, _, _ in ROUTES), app.state.logs, tracing
    )
    app.state.running = running.Running()
    app.state.writes = Turns(at_once=1, waiting=256, patience=60)
    app.state.others = Turns(at_once=4, waiting=28, patience=30)  # each may take 100 MB for what it gets
    app.state.tokens = tokens or Tokens(None, settings.token)
    history = History(settings.base, store.versions()) if settings.history == KEPT else None
    app.state.history, app.state.record = history, history and Record(history, store)
    app.state.dumps = projections.dumps
    app.state.stream = projections.stream
    app.state.index = projections.index
    app.state.search_call = matcher(app.state.index, settings.base)
    app.state.read_paper = readers.read
    app.state.cells = projections.counts
    app.state.shelf = projections.papers
    app.state.searches = Turns(at_once=4, waiting=60, patience=10)
    app.state.stopping = False
    app.state.failed_write = None  # the time of the last write, where the disk failed it
    app.state.plans = Turns(at_once=2, waiting=16, patience=20)  # each may take 256 MiB
    app.state.checks = checks or Turns(**CHECKS)
    for path, methods, function in ROUTES:
        for method in methods:
            app.add_api_route(path, function, methods=[method], **openapi.described(method, path, function))
    app.add_middleware(
        Direct,
        handlers={
            (method, path): function
            for path, methods, function in ROUTES
            if path in ASKED_MOST
            for method in methods
        },
        errors=errors.EXPECTED,
        refuse=errors.refused,
    )
    app.add_middleware(Guard, base=settings.base, room=Room(AT_ONCE * settings.body_bytes))
    app.state.shortcuts = Shortcuts(lambda: answerers.version, settings.cache_bytes // 8, app.state.metrics)
    app.add_middleware(
        Cache,
        answerers=answerers,
        shortcuts=app.state.shortcuts,
        room=settings.cache_bytes,
    )
    for layer in layers:
        app.add_middleware(layer.cls, *layer.args, **layer.kwargs)
    app.add_middleware(Choosing)
    app.state.limits = Limits(settings)
    app.add_middleware(Limiting, limits=app.state.limits, base=settings.base)
    app.add_middleware(Noting, notes=app.state.notes)
    errors.install(app)
    return app
