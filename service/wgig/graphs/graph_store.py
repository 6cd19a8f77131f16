"""Writing graphs over the Graph Store Protocol: PUT, POST and DELETE, each whole or not at all.

Sections 5.3 to 5.5 of the protocol. A body is one RDF document or several parts; relative IRIs are resolved
against the IRI of the graph, and a file may be named by Content-Disposition or Slug (RFC 5023). If-Match and
If-None-Match are evaluated under the write lock, so that no other write comes between (RFC 9110, section
13.1); a failed condition is 412. Graphs of papers must pass the SHACL gate first.
"""

import uuid
from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import unquote

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..http import bodies
from ..http.auth import (
    PAPER_WRITE_SCOPES,
    TokenStore,
    authorize_request,
    refuse_token_in_body,
    refuse_token_in_form,
)
from ..http.bodies import MULTIPART_MEDIA_TYPE, BodyPart, Pairs, get_query_parameters, parameter_values
from ..http.dependencies import TokensDep
from ..http.negotiation import CONTENT_CODINGS, IDENTITY_CODING
from ..http.parameters import check_parameter_pairs
from ..http.responses import NO_STORE_HEADERS, compute_entity_tag, matches_entity_tag
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.rendering import graph_path
from ..problems import Problem
from ..rdf.formats import GRAPH_FORMATS, JSON_LD, N_TRIPLES, RDF_XML, Format, get_named_format
from ..rdf.jsonld_context import parse_inlining_context
from ..rdf.serialization import parse_graph_document
from ..shacl.gate import PAPER_WRITE_FORMATS as PAPERS
from ..shacl.gate import is_paper_graph
from ..store.change import Change
from .dependencies import WritesDep
from .provenance import WriteRequest
from .routes import missing_graph_problem, parse_graph_parameter, parse_graph_path, serialize_graph
from .write_pipeline import (
    WritePipeline,
    check_writable_graph,
    commit_with_record,
    exclusive_write,
    pass_gate,
    run_exclusive_write,
)


async def read_graph_payload(request: Request, offered: Sequence[Format], limit: int) -> list[BodyPart]:
    """The documents of the body in `limit` bytes, each with its media type, which is one of those offered.

    Raises Problem 400, 413 and 415.
    """
    if "content-range" in request.headers:
        raise Problem(
            400, "A part of a graph cannot be written. Leave out Content-Range and send the whole graph."
        )
    if "content-type" not in request.headers:  # RDF/XML then, by section 5 of the Graph Store Protocol
        return [
            BodyPart(
                requested_file_name(request),
                RDF_XML.media_type,
                await bodies.read_request_body(request, limit),
            )
        ]
    given = bodies.check_content_type(request, (*list_media_types(offered), MULTIPART_MEDIA_TYPE))
    body = await bodies.read_request_body(request, limit)
    if given.media_type != MULTIPART_MEDIA_TYPE:
        return [BodyPart(requested_file_name(request), given.media_type, body)]
    parts = bodies.parse_multipart(body, given.parameters.get("boundary", ""))
    refuse_token_in_form([(part.field, "") for part in parts])
    return [resolve_part_type(part, offered) for part in parts]


def requested_file_name(request: Request) -> str:
    """What the client calls its file, if anything: Content-Disposition, or Slug (RFC 5023)."""
    headers = request.headers
    return bodies.disposition_file_name(headers.get("content-disposition", "")) or unquote(
        headers.get("slug", "")
    )


def list_media_types(offered: Sequence[Format]) -> list[str]:
    """The media types of formats."""
    return [one.media_type for one in offered]


def resolve_part_type(part: BodyPart, offered: Sequence[Format]) -> BodyPart:
    """The part with its media type, or with that of the ending of its name. Raises Problem 415."""
    given = bodies.parse_content_type(part.content_type)
    for name in (given.media_type if given else "", part.name.rpartition(".")[2]):
        try:
            return BodyPart(part.name, get_named_format(name, offered).media_type, part.body)
        except Problem:  # many programs give a type that says nothing
            continue
    raise bodies.unsupported_type_problem(
        f"The part {part.name!r} is no RDF. Send one of: {', '.join(list_media_types(offered))}.",
        list_media_types(offered),
    )


def parse_graph_parts(parts: list[BodyPart], graph: str | None) -> list[ox.Triple]:
    """The triples of all documents, relative IRIs resolved against the graph's. Raises Problem 400."""
    triples: list[ox.Triple] = []
    for part in parts:
        try:
            triples += parse_graph_part(part, graph)
        except SyntaxError as error:
            name = f"{part.name}: " if part.name else ""
            raise Problem(
                400,
                f"{name}The data does not parse, and nothing has changed: {error.msg}",
                line=error.lineno,
                column=error.offset,
            ) from error
    return triples


def parse_graph_part(part: BodyPart, graph: str | None) -> list[ox.Triple]:
    """The triples of a document; JSON-LD may name the context of the ontology. Raises SyntaxError."""
    if part.content_type != JSON_LD.media_type:
        return parse_graph_document(part.body, part.content_type, graph)
    text = part.body.removeprefix(BOM_UTF8).decode("utf-8", "surrogateescape")  # the engine tells what is odd
    return parse_inlining_context(
        text,
        lambda one: parse_graph_document(one.encode("utf-8", "surrogateescape"), part.content_type, graph),
    )


async def change_graphs(context: ContextDep, writes: WritesDep, tokens: TokensDep) -> Response:
    """Replace, add to or delete the graph of `?graph=` or `?default`; a POST to neither makes a new graph."""
    request = context.request
    await refuse_token_in_body(request)
    authorize_request(request, tokens, *PAPER_WRITE_SCOPES)
    pairs = parse_write_parameters(request, "graph", "default")
    if (
        request.method == "POST"
        and not parameter_values(pairs, "graph")
        and not parameter_values(pairs, "default")
    ):
        return await apply_graph_change(context, writes, tokens, f"{context.base}graph/{uuid.uuid4()}")
    return await apply_graph_change(context, writes, tokens, parse_graph_parameter(context, pairs))


async def change_graph(context: ContextDep, writes: WritesDep, tokens: TokensDep, name: str) -> Response:
    """Replace (PUT), add to (POST) or delete the graph of this address; a paper is checked first."""
    request = context.request
    await refuse_token_in_body(request)
    authorize_request(request, tokens, *PAPER_WRITE_SCOPES)
    parse_write_parameters(request)
    return await apply_graph_change(context, writes, tokens, parse_graph_path(context, name))


def parse_write_parameters(request: Request, *known: str) -> Pairs:
    """The parameters, of which these are known. Raises Problem 400 for others, and says why for `version`."""
    pairs = get_query_parameters(request)
    if parameter_values(pairs, "version"):
        raise Problem(400, "What was written stays as it is. Leave out version to write the graph anew.")
    return check_parameter_pairs(pairs, known)


async def apply_graph_change(
    context: RequestContext, writes: WritePipeline, tokens: TokenStore, graph: str | None
) -> Response:
    """Change one graph; None is the default graph (Graph Store Protocol, sections 5.3 to 5.5)."""
    settings = context.settings
    is_paper = is_paper_graph(graph, settings.base)
    token = authorize_request(context.request, tokens, *(PAPER_WRITE_SCOPES if is_paper else ["graphs"]))
    check_writable_graph(graph, settings.base)
    request, title = context.request, f"{context.request.method} {graph_path(graph, settings.base)}"
    if request.method == "DELETE":
        return await run_exclusive_write(
            request, writes, delete_graph, context, writes, graph, WriteRequest(token, title, [])
        )
    if is_paper and graph is not None:
        parts = await read_graph_payload(request, PAPERS, settings.paper_bytes)
        return await change_paper_graph(context, writes, graph, parts, WriteRequest(token, title, parts))
    parts = await read_graph_payload(request, GRAPH_FORMATS, settings.body_bytes)
    asked = WriteRequest(token, title, parts)
    return await run_exclusive_write(request, writes, write_graph_parts, context, writes, graph, parts, asked)


async def change_paper_graph(
    context: RequestContext, writes: WritePipeline, graph: str, parts: list[BodyPart], asked: WriteRequest
) -> Response:
    """Write the graph of a paper, if what it would hold passes the gate; else answer with the report."""
    request = context.request
    store = context.store
    async with exclusive_write(request, writes):  # what is checked beside the new must be what it is added to
        added = request.method == "POST"
        there = await run_sync(store.serialize_graph, graph, N_TRIPLES.media_type) if added else b""
        passed = await pass_gate(request, writes, graph, parts, there)
        if isinstance(passed, Response):
            return passed
        sent = [BodyPart("", N_TRIPLES.media_type, passed.triples)]
        asked = replace(asked, checked=passed.by_digest)
        return await run_sync(write_graph_parts, context, writes, graph, sent, asked)


def write_graph_parts(
    context: RequestContext,
    writes: WritePipeline,
    graph: str | None,
    parts: list[BodyPart],
    asked: WriteRequest,
) -> Response:
    """Read the parts, then put them into the graph, in place of what it holds or beside it."""
    store = context.store
    triples = parse_graph_parts(parts, graph)
    put = store.compute_replacement if context.request.method == "PUT" else store.compute_addition
    return commit_conditional_change(context, writes, graph, lambda: put(graph, triples), asked)


def delete_graph(
    context: RequestContext, writes: WritePipeline, graph: str | None, asked: WriteRequest
) -> Response:
    """Delete the graph. Raises Problem 404."""
    store = context.store

    def gone() -> Change:
        if not store.has_graph(graph):
            raise missing_graph_problem(graph)
        return store.compute_replacement(graph, None)

    return commit_conditional_change(context, writes, graph, gone, asked)


def commit_conditional_change(
    context: RequestContext,
    writes: WritePipeline,
    graph: str | None,
    change: Callable[[], Change],
    asked: WriteRequest,
) -> Response:
    """Make the change while nobody else writes, if the request's conditions hold.

    The answer to a PUT has no ETag: what was sent is not kept as it was sent (RFC 9110, section 9.3.4).
    """
    store = context.store
    path = graph_path(graph, context.base)
    with store.exclusive_writer():
        there = store.has_graph(graph)
        check_write_conditions(context, graph, there)
        commit_with_record(writes, change(), asked)
    if there:
        return Response(status_code=204, headers=NO_STORE_HEADERS)
    return Response(status_code=201, headers=NO_STORE_HEADERS | {"Location": path})


def check_write_conditions(context: RequestContext, graph: str | None, there: bool) -> None:
    """Raises Problem 412 where If-Match or If-None-Match does not hold (RFC 9110, section 13.1)."""
    wanted, unwanted = (context.request.headers.getlist(name) for name in ("if-match", "if-none-match"))
    if wanted and not (there and matches_graph_etag(context, graph, wanted, weak=False)):
        raise Problem(412, "The graph is not the one that If-Match names. Get it again and redo the change.")
    if unwanted and there and matches_graph_etag(context, graph, unwanted, weak=True):
        raise Problem(412, "The graph is there already, and If-None-Match forbids that.")


def matches_graph_etag(
    context: RequestContext, graph: str | None, condition: list[str], *, weak: bool
) -> bool:
    """Whether the condition names a representation of the graph as it is now; `weak` as for `matches`.

    The page of a graph does not count: it stays the same when a statement that it does not show changes.
    """
    return matches_entity_tag(condition, "*", weak=weak) or any(
        matches_entity_tag(condition, compute_entity_tag(body, one, coding), weak=weak)
        for one in GRAPH_FORMATS
        for body in [serialize_graph(context, graph, one)]
        for coding in (IDENTITY_CODING, *CONTENT_CODINGS)
    )
