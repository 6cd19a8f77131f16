"""The Graph Store Protocol, to write: a graph is replaced, added to or deleted, whole or not at all."""

import uuid
from collections.abc import Callable

from anyio.to_thread import run_sync
from fastapi import Request, Response

from .answers import entity_tag, matches
from .bearer import may, refuse_in_body
from .bodies import Pairs, Part, parameters, values
from .codings import CODINGS, PLAIN
from .formats import GRAPHS, N_TRIPLES
from .gate import TYPES as PAPERS
from .gate import guards
from .graphs import asked_graph, graph_iri, missing, written
from .pages import graph_path
from .parameters import checked
from .payload import payload, read_parts
from .problems import Problem
from .record import Write
from .settings import Settings
from .store import Store
from .tokens import OF_PAPERS, Token
from .writes.changes import Change
from .writing import UNKEPT, check_graph, commit, in_turn, pass_gate, writing


async def change_graphs(request: Request) -> Response:
    """Replace, add to or delete the graph of `?graph=` or `?default`; a POST to neither makes a new graph."""
    await refuse_in_body(request)
    may(request, *OF_PAPERS)
    pairs = unversioned(request, "graph", "default")
    if request.method == "POST" and not values(pairs, "graph") and not values(pairs, "default"):
        return await change(request, f"{request.app.state.settings.base}graph/{uuid.uuid4()}")
    return await change(request, asked_graph(request, pairs))


async def change_graph(request: Request, name: str) -> Response:
    """Replace (PUT), add to (POST) or delete the graph of this address; a paper is checked first."""
    await refuse_in_body(request)
    may(request, *OF_PAPERS)
    unversioned(request)
    return await change(request, graph_iri(request, name))


def unversioned(request: Request, *known: str) -> Pairs:
    """The parameters, of which these are known. Raises Problem 400 for others, and says why for `version`."""
    pairs = parameters(request)
    if values(pairs, "version"):
        raise Problem(400, "What was written stays as it is. Leave out version to write the graph anew.")
    return checked(pairs, known)


async def change(request: Request, graph: str | None) -> Response:
    """Change one graph; None is the default graph (Graph Store Protocol, sections 5.3 to 5.5)."""
    settings: Settings = request.app.state.settings
    is_paper = guards(graph, settings.base)
    token = may(request, *(OF_PAPERS if is_paper else ["graphs"]))
    check_graph(graph, settings.base)
    if request.method == "DELETE":
        return await in_turn(request, delete, request, token, graph)
    if is_paper and graph is not None:
        return await change_paper(request, token, graph, await payload(request, PAPERS, settings.paper_bytes))
    parts = await payload(request, GRAPHS, settings.body_bytes)
    return await in_turn(request, write, request, token, graph, parts, parts)


async def change_paper(request: Request, token: Token, graph: str, parts: list[Part]) -> Response:
    """Write the graph of a paper, if what it would hold passes the gate; else answer with the report."""
    store: Store = request.app.state.store
    async with writing(request):  # what is checked beside the new must be what it is added to
        added = request.method == "POST"
        there = await run_sync(store.graph, graph, N_TRIPLES.media_type) if added else b""
        passed = await pass_gate(request, graph, parts, there)
        if isinstance(passed, Response):
            return passed
        sent = [Part("", N_TRIPLES.media_type, passed)]
        return await run_sync(write, request, token, graph, sent, parts)


def write(
    request: Request, token: Token, graph: str | None, parts: list[Part], files: list[Part]
) -> Response:
    """Read the parts, then put them into the graph, in place of what it holds or beside it.

    The `files` are what was sent, for the record.
    """
    store: Store = request.app.state.store
    triples = read_parts(parts, graph)
    put = store.change_to if request.method == "PUT" else store.change_by
    return guarded(request, token, graph, lambda: put(graph, triples), files)


def delete(request: Request, token: Token, graph: str | None) -> Response:
    """Delete the graph. Raises Problem 404."""
    store: Store = request.app.state.store

    def gone() -> Change:
        if not store.has(graph):
            raise missing(graph)
        return store.change_to(graph, None)

    return guarded(request, token, graph, gone, [])


def guarded(
    request: Request, token: Token, graph: str | None, change: Callable[[], Change], files: list[Part]
) -> Response:
    """Make the change while nobody else writes, if the request's conditions hold.

    The answer to a PUT has no ETag: what was sent is not kept as it was sent (RFC 9110, section 9.3.4).
    """
    store: Store = request.app.state.store
    path = graph_path(graph, request.app.state.settings.base)
    with store.turn():
        there = store.has(graph)
        check_conditions(request, graph, there)
        commit(request, change(), Write(token, f"{request.method} {path}", files))
    if there:
        return Response(status_code=204, headers=UNKEPT)
    return Response(status_code=201, headers=UNKEPT | {"Location": path})


def check_conditions(request: Request, graph: str | None, there: bool) -> None:
    """Raises Problem 412 where If-Match or If-None-Match does not hold (RFC 9110, section 13.1)."""
    wanted, unwanted = (request.headers.getlist(name) for name in ("if-match", "if-none-match"))
    if wanted and not (there and holds(request, graph, wanted, weak=False)):
        raise Problem(412, "The graph is not the one that If-Match names. Get it again and redo the change.")
    if unwanted and there and holds(request, graph, unwanted, weak=True):
        raise Problem(412, "The graph is there already, and If-None-Match forbids that.")


def holds(request: Request, graph: str | None, condition: list[str], *, weak: bool) -> bool:
    """Whether the condition names a representation of the graph as it is now; `weak` as for `matches`.

    The page of a graph does not count: it stays the same when a statement that it does not show changes.
    """
    return matches(condition, "*", weak=weak) or any(
        matches(condition, entity_tag(body, one, coding), weak=weak)
        for one in GRAPHS
        for body in [written(request, graph, one)]
        for coding in (PLAIN, *CODINGS)
    )
