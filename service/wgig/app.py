"""The whole HTTP surface on one page: each path, its methods, its function. Start reading here."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from . import (
    __version__,
    catalog,
    coverage,
    describe,
    discovery,
    doc,
    editing,
    exposition,
    graphs,
    health,
    home,
    listing,
    openapi,
    opensearch,
    people,
    queries,
    query,
    reconciliation,
    refusals,
    resource,
    running,
    search,
    shapes,
    timeline,
    update,
    validate,
    write,
)
from .cache import Cache
from .cells import Cells
from .census import Census
from .choosing import Choosing
from .citing import cite
from .direct import Direct
from .dumps import download
from .dumps.files import Dumps
from .feeds import meetings, news, sitemap
from .form import answering
from .guard import Guard
from .index.keeping import Index
from .limits import Limiting, Limits
from .lists.shown import LISTS
from .logs import Logs
from .metrics import Metrics
from .namespaces import namespaces
from .noting import Notes, Noting
from .readers.answerers import Answerers
from .readers.inline import Inline
from .record import Record
from .records.history import History
from .room import Room
from .routing import Routing
from .settings import KEPT, Settings
from .shelf import Shelf
from .shortcuts import Shortcuts
from .sides import SIDES
from .store import Store
from .stream import events
from .stream.keeping import Stream
from .tables import lists
from .tokens import Tokens
from .tracing import Tracing
from .turns import Turns

ABOUT = "The Working Group on Internet Governance (2004-2005) as linked data. HEAD works wherever GET does."

READ = ("GET", "HEAD")
WRITE = ("PUT", "POST", "DELETE")

# Paths below one another stand from the narrow to the wide: the first that fits answers.
ROUTES: list[tuple[str, tuple[str, ...], Callable[..., Any]]] = [
    ("/", READ, home.home),
    ("/sparql", READ, editing.ask),
    ("/sparql", ("POST", "QUERY"), query.ask_by_body),
    ("/update", READ, describe.describe_update),
    ("/update", ("POST",), update.update),
    ("/queries/running", READ, running.list_running),
    ("/queries/running/{id}", ("DELETE",), running.end),
    ("/queries", READ, queries.list_queries),
    ("/queries/{name}", READ, queries.ask_example),
    ("/meetings.ics", READ, meetings.meetings),
    *((path, READ, timeline.timeline) for path in ("/timeline", "/timeline.{suffix}")),
    *(
        (path, READ, listing.listing)
        for one in LISTS
        if one != "timeline"
        for path in (f"/{one}", f"/{one}.{{suffix}}")
    ),
    ("/coverage", READ, coverage.coverage),
    ("/coverage.{suffix}", READ, coverage.coverage),
    ("/people", READ, people.people),
    ("/people.{suffix}", READ, people.people),
    ("/graphs", READ, graphs.read_graphs),
    ("/graphs", WRITE, write.change_graphs),
    ("/graph/{name:path}", READ, graphs.read_graph),
    ("/graph/{name:path}", WRITE, write.change_graph),
    ("/dump.{suffix}", READ, download.dump),
    ("/dump/{name}", READ, download.version),
    ("/changes", READ, events.stream),
    ("/changes/{path:path}", READ, events.node),
    ("/feed.atom", READ, news.everything),
    ("/feed/query/{name}", READ, queries.feed_of_example),
    ("/feed/{name}", READ, news.of_kind),
    ("/sitemap.xml", READ, sitemap.sitemap),
    ("/sitemap/{name}", READ, sitemap.part),
    ("/tables", READ, lists.every_table),
    ("/tables/{name}", READ, lists.one_table),
    ("/id/{path:path}", READ, doc.thing),
    ("/doc/problem/{slug}", READ, refusals.explain),
    ("/doc/{path:path}", READ, doc.doc),
    ("/ontology", READ, resource.ontology),
    ("/ontology.{suffix}", READ, resource.ontology),
    ("/ontology/{version}", READ, resource.ontology_version),
    ("/shapes", READ, resource.shapes),
    ("/shapes.{suffix}", READ, resource.shapes),
    ("/shapes/examples/{name}", READ, shapes.example),
    ("/shapes/{name}", READ, shapes.shape),
    ("/cite", READ, cite.cite),
    ("/cited", READ, cite.cited),
    ("/validate", READ, validate.validation_form),
    ("/validate", ("POST",), validate.validate),
    ("/write", READ, answering.write_form),
    ("/write", ("POST",), answering.write_by_form),
    ("/search", READ, search.search),
    ("/search.{suffix}", READ, search.search),
    ("/reconcile", READ, reconciliation.reconcile),
    ("/reconcile", ("POST",), reconciliation.reconcile_by_form),
    ("/reconcile/suggest/{what}", READ, reconciliation.suggest),
    ("/reconcile/preview", READ, reconciliation.preview),
    ("/reconcile/properties", READ, reconciliation.propose),
    ("/opensearch.xml", READ, opensearch.description),
    ("/context.jsonld", READ, resource.context),
    ("/catalog", READ, catalog.catalog),
    ("/catalog.{suffix}", READ, catalog.catalog),
    ("/.well-known/void", READ, discovery.void),
    ("/.well-known/sparql-examples", READ, discovery.sparql_examples),
    ("/.well-known/api-catalog", READ, discovery.api_catalog),
    ("/.well-known/security.txt", READ, discovery.security),
    ("/robots.txt", READ, discovery.robots),
    ("/static/{name}", READ, resource.static),
    ("/health", READ, health.health),
    ("/ready", READ, health.ready),
    ("/metrics", READ, exposition.metrics),
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
    app.state.metrics, app.state.logs, app.state.census = Metrics(), Logs(settings), Census(store)
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
    app.state.dumps = Dumps(store, namespaces(settings.base))
    app.state.stream = Stream(store, settings.base)
    app.state.index = Index(store, settings.base)
    app.state.cells = {side: Cells(store, settings.base, side) for side in SIDES}
    app.state.shelf = Shelf(store, settings.base)
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
    refusals.install(app)
    return app
