"""/update and the Graph Store Protocol: who may change the data, and how it changes, whole or not at all."""

import logging
import secrets
import uuid
from collections.abc import Callable
from typing import Any

import pyoxigraph as ox
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from . import bodies
from .admission import admit
from .answers import entity_tag, matches
from .bodies import FORM, MULTIPART, Part, parameters, parse_form, values
from .codings import CODINGS, PLAIN
from .diagnosis import diagnose
from .federation import answered
from .formats import GRAPHS, RDF_XML, named
from .graphs import asked_graph, graph_iri, missing, written
from .pages import graph_path
from .problems import Problem
from .rdf import read
from .settings import Settings
from .sparql import absolute
from .store import Store, StoreError
from .turns import Turns
from .using import with_using

DIRECT = "application/sparql-update"
TYPES = [one.media_type for one in GRAPHS]

# Graphs below the base that the service fills itself, and what with.
COMPUTED = {
    "catalog": "what it ships",
    "conformance": "how the papers stand by the template",
    "inferred": "what follows from the other graphs",
}

log = logging.getLogger("wgig")


def may_write(request: Request) -> None:
    """Raises Problem 403 where writing is off, 401 where the token is missing or wrong."""
    token: str = request.app.state.settings.token
    if not token:
        raise Problem(
            403,
            "This service is read-only. Its operator opens it by setting WGIG_TOKEN to a secret of choice.",
        )
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(given.strip().encode(), token.encode()):
        raise Problem(
            401,
            "Writing needs the token of this service. Send it as Authorization: Bearer <token>.",
            headers={"WWW-Authenticate": 'Bearer realm="wgig"'},
        )


async def update(request: Request) -> Response:
    """Run a SPARQL Update, sent as a form or as `application/sparql-update` (Protocol, section 2.2)."""
    may_write(request)
    settings: Settings = request.app.state.settings
    given = bodies.content_type(request, (DIRECT, FORM))
    body = await bodies.read(request, settings.body_bytes)
    pairs = parameters(request)
    if values(pairs, "update"):
        raise Problem(400, "The update stands in the address. Send it in the body of the POST.")
    pairs += parse_form(body) if given.media_type == FORM else [("update", bodies.text(body, "update"))]
    texts = values(pairs, "update")
    if len(texts) != 1 or values(pairs, "query"):
        raise Problem(400, "Exactly one update is needed, and no query. Give the parameter update once.")
    graphs = [absolute(iri, "using-graph-uri") for iri in values(pairs, "using-graph-uri")]
    named_ = [absolute(iri, "using-named-graph-uri") for iri in values(pairs, "using-named-graph-uri")]
    admitted = await run_in_threadpool(lambda: with_using(admit(texts[0], settings), graphs, named_))
    text = await answered(admitted, settings, request.app.state.others)
    return await in_turn(request, run, request.app.state.store, text, admitted, settings)


async def in_turn(request: Request, function: Callable[..., Response], *args: Any) -> Response:
    """Let the function write while no other does. Raises Problem 503 where its turn or the disk fails it."""
    turns: Turns = request.app.state.writes
    try:
        return await turns.run(function, *args)
    except StoreError as error:
        log.error("%s %s failed: %s", request.method, request.url.path, error)
        raise Problem(
            503,
            "The store failed during the write. It may or may not have been written; read it again before "
            "you retry.",
        ) from error


def run(store: Store, text: str, admitted: str, settings: Settings) -> Response:
    """Run the update, as it was admitted and as the answers of others fill it.

    Raises Problem 400, 422: nothing has changed.
    """
    try:
        store.update(text, settings.base, admitted)
    except SyntaxError as error:
        raise diagnose(admitted, error) from error
    except (ValueError, RuntimeError) as error:
        raise Problem(422, f"The update cannot be done, and nothing has changed: {error}.") from error
    return Response(status_code=204)


async def change_graphs(request: Request) -> Response:
    """Replace, add to or delete the graph of `?graph=` or `?default`; a POST to neither makes a new graph."""
    may_write(request)
    pairs = parameters(request)
    if request.method == "POST" and not values(pairs, "graph") and not values(pairs, "default"):
        return await change(request, f"{request.app.state.settings.base}graph/{uuid.uuid4()}")
    return await change(request, asked_graph(request, pairs))


async def change_graph(request: Request, name: str) -> Response:
    """Replace (PUT), add to (POST) or delete the graph of this address."""
    may_write(request)
    return await change(request, graph_iri(request, name))


async def change(request: Request, graph: str | None) -> Response:
    """Change one graph; None is the default graph (Graph Store Protocol, sections 5.3 to 5.5)."""
    check_graph(graph, request.app.state.settings.base)
    parts = [] if request.method == "DELETE" else await payload(request)
    return await in_turn(request, changed, request, graph, parts)


def check_graph(graph: str | None, base: str) -> None:
    """Raises Problem 403 for a graph that is computed, 400 for one whose address would lead elsewhere."""
    home = f"{base}graph/"
    if graph is None or not graph.startswith(home):
        return
    name = graph.removeprefix(home)
    if name in COMPUTED:
        raise Problem(
            403, f"The service itself fills the graph {name} with {COMPUTED[name]}. Write to another graph."
        )
    if not name or {".", ".."} & set(name.split("/")):
        raise Problem(400, f"No address leads to the graph <{graph}>. Give it a name without . and .. parts.")


def changed(request: Request, graph: str | None, parts: list[Part]) -> Response:
    """Read the documents, then do with the graph what the method says."""
    store: Store = request.app.state.store
    if request.method == "DELETE":
        return guarded(request, graph, lambda: remove(store, graph))
    triples = read_parts(parts, graph)
    put = store.replace if request.method == "PUT" else store.merge
    return guarded(request, graph, lambda: put({graph: triples}))


def guarded(request: Request, graph: str | None, action: Callable[[], None]) -> Response:
    """Do the action while nobody else writes, if the request's conditions hold."""
    store: Store = request.app.state.store
    with store.alone():
        there = store.has(graph)
        check_conditions(request, graph, there)
        action()
    if there:
        return Response(status_code=204)
    assert graph is not None
    path = graph_path(graph, request.app.state.settings.base)
    return Response(status_code=201, headers={"Location": path})


def remove(store: Store, graph: str | None) -> None:
    """Delete a graph that is there. Raises Problem 404."""
    if not store.has(graph):
        raise missing(graph)
    store.delete(graph)


def check_conditions(request: Request, graph: str | None, there: bool) -> None:
    """Raises Problem 412 where If-Match or If-None-Match does not hold (RFC 9110, section 13.1)."""
    wanted, unwanted = (request.headers.getlist(name) for name in ("if-match", "if-none-match"))
    if wanted and not (there and holds(request, graph, wanted, weak=False)):
        raise Problem(412, "The graph is not the one that If-Match names. Get it again and redo the change.")
    if unwanted and there and holds(request, graph, unwanted, weak=True):
        raise Problem(412, "The graph is there already, and If-None-Match forbids that.")


def holds(request: Request, graph: str | None, condition: list[str], *, weak: bool) -> bool:
    """Whether the condition names a representation of the graph as it is now; `weak` as for `matches`."""
    return matches(condition, "*", weak=weak) or any(
        matches(condition, entity_tag(body, one, coding), weak=weak)
        for one in GRAPHS
        for body in [written(request, graph, one)]
        for coding in (PLAIN, *CODINGS)
    )


async def payload(request: Request) -> list[Part]:
    """The documents of the body, each with its media type. Raises Problem 400, 413 and 415."""
    if "content-range" in request.headers:
        raise Problem(
            400, "A part of a graph cannot be written. Leave out Content-Range and send the whole graph."
        )
    limit = request.app.state.settings.body_bytes
    if "content-type" not in request.headers:  # RDF/XML then, by section 5 of the Graph Store Protocol
        return [Part("", RDF_XML.media_type, await bodies.read(request, limit))]
    given = bodies.content_type(request, (*TYPES, MULTIPART))
    body = await bodies.read(request, limit)
    if given.media_type != MULTIPART:
        return [Part("", given.media_type, body)]
    return [part_type(part) for part in bodies.parse_multipart(body, given.parameters.get("boundary", ""))]


def part_type(part: Part) -> Part:
    """The part with its RDF media type, taken from its file name where it gives none. Raises Problem 415."""
    suffix = part.name.rpartition(".")[2]
    given = bodies.parse_content_type(part.content_type)
    try:
        media_type = named(given.media_type if given else suffix, GRAPHS).media_type
    except Problem as problem:
        raise bodies.unsupported(
            f"The part {part.name!r} is no RDF. Send one of: {', '.join(TYPES)}.", TYPES
        ) from problem
    return Part(part.name, media_type, part.body)


def read_parts(parts: list[Part], graph: str | None) -> list[ox.Triple]:
    """The triples of all documents, relative IRIs resolved against the graph's. Raises Problem 400."""
    triples: list[ox.Triple] = []
    for part in parts:
        try:
            triples += read(part.body, part.content_type, graph)
        except SyntaxError as error:
            name = f"{part.name}: " if part.name else ""
            raise Problem(
                400,
                f"{name}The data does not parse, and nothing has changed: {error.msg}",
                line=error.lineno,
                column=error.offset,
            ) from error
    return triples
