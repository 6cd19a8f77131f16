"""Writing graphs over the Graph Store Protocol: PUT, POST and DELETE, each whole or not at all.

Sections 5.3 to 5.5 of the protocol. A body is one RDF document or several parts; relative IRIs are resolved
against the IRI of the graph, and a file may be named by Content-Disposition or Slug (RFC 5023). If-Match and
If-None-Match are evaluated under the write lock, so that no other write comes between (RFC 9110, section
13.1); a failed condition is 412. Graphs of papers must pass the SHACL gate first.
"""

import uuid
from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from urllib.parse import unquote

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..http import bodies
from ..http.auth import OF_PAPERS, Token, may, refuse_in_body, refuse_in_form
from ..http.bodies import MULTIPART, Pairs, Part, parameters, values
from ..http.negotiation import CODINGS, PLAIN
from ..http.parameters import checked
from ..http.responses import entity_tag, matches
from ..pages.rendering import graph_path
from ..problems import Problem
from ..rdf.formats import GRAPHS, JSON_LD, N_TRIPLES, RDF_XML, Format, named
from ..rdf.jsonld_context import inlined
from ..rdf.serialization import read
from ..settings import Settings
from ..shacl.gate import TYPES as PAPERS
from ..shacl.gate import guards
from ..store.change import Change
from ..store.store import Store
from .provenance import Write
from .routes import asked_graph, graph_iri, missing, written
from .write_pipeline import UNKEPT, check_graph, commit, in_turn, pass_gate, writing


async def payload(request: Request, offered: Sequence[Format], limit: int) -> list[Part]:
    """The documents of the body in `limit` bytes, each with its media type, which is one of those offered.

    Raises Problem 400, 413 and 415.
    """
    if "content-range" in request.headers:
        raise Problem(
            400, "A part of a graph cannot be written. Leave out Content-Range and send the whole graph."
        )
    if "content-type" not in request.headers:  # RDF/XML then, by section 5 of the Graph Store Protocol
        return [Part(file_name(request), RDF_XML.media_type, await bodies.read(request, limit))]
    given = bodies.content_type(request, (*types(offered), MULTIPART))
    body = await bodies.read(request, limit)
    if given.media_type != MULTIPART:
        return [Part(file_name(request), given.media_type, body)]
    parts = bodies.parse_multipart(body, given.parameters.get("boundary", ""))
    refuse_in_form([(part.field, "") for part in parts])
    return [part_type(part, offered) for part in parts]


def file_name(request: Request) -> str:
    """What the client calls its file, if anything: Content-Disposition, or Slug (RFC 5023)."""
    headers = request.headers
    return bodies.file_name(headers.get("content-disposition", "")) or unquote(headers.get("slug", ""))


def types(offered: Sequence[Format]) -> list[str]:
    """The media types of formats."""
    return [one.media_type for one in offered]


def part_type(part: Part, offered: Sequence[Format]) -> Part:
    """The part with its media type, or with that of the ending of its name. Raises Problem 415."""
    given = bodies.parse_content_type(part.content_type)
    for name in (given.media_type if given else "", part.name.rpartition(".")[2]):
        try:
            return Part(part.name, named(name, offered).media_type, part.body)
        except Problem:  # many programs give a type that says nothing
            continue
    raise bodies.unsupported(
        f"The part {part.name!r} is no RDF. Send one of: {', '.join(types(offered))}.", types(offered)
    )


def read_parts(parts: list[Part], graph: str | None) -> list[ox.Triple]:
    """The triples of all documents, relative IRIs resolved against the graph's. Raises Problem 400."""
    triples: list[ox.Triple] = []
    for part in parts:
        try:
            triples += read_part(part, graph)
        except SyntaxError as error:
            name = f"{part.name}: " if part.name else ""
            raise Problem(
                400,
                f"{name}The data does not parse, and nothing has changed: {error.msg}",
                line=error.lineno,
                column=error.offset,
            ) from error
    return triples


def read_part(part: Part, graph: str | None) -> list[ox.Triple]:
    """The triples of a document; JSON-LD may name the context of the ontology. Raises SyntaxError."""
    if part.content_type != JSON_LD.media_type:
        return read(part.body, part.content_type, graph)
    text = part.body.removeprefix(BOM_UTF8).decode("utf-8", "surrogateescape")  # the engine tells what is odd
    return inlined(text, lambda one: read(one.encode("utf-8", "surrogateescape"), part.content_type, graph))


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
