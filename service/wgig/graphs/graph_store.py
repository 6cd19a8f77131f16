"""Writing graphs over the Graph Store Protocol: PUT, POST and DELETE, each atomic.

Sections 5.3 to 5.5 of the protocol. A body is an RDF document or a multipart form. Relative IRIs are resolved
against the IRI of the graph. Content-Disposition or Slug (RFC 5023) may give a file name. If-Match and
If-None-Match are evaluated under the write lock, so that no other write can intervene (RFC 9110, section
13.1); a failed condition is 412. Graphs of papers are checked by the SHACL gate before they are written.
"""

import uuid
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain
from urllib.parse import unquote

import pyoxigraph as ox
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
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, list_parameter_names
from ..http.parameters import check_parameter_pairs
from ..http.responses import NO_STORE_HEADERS, compute_entity_tag, matches_entity_tag
from ..http.threads import run_in_write_thread
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.rendering import graph_path
from ..problems import Problem
from ..rdf.formats import GRAPH_FORMATS, JSON_LD, MARKDOWN, N_TRIPLES, RDF_XML, Format, get_named_format
from ..rdf.jsonld_context import parse_inlining_context
from ..rdf.serialization import parse_graph_document
from ..rdf.syntax_errors import explain_syntax_error
from ..settings import Settings
from ..shacl.gate import PAPER_WRITE_FORMATS, GateDecision, is_paper_graph
from ..store.change import Change
from .dependencies import WritesDep
from .group_commit import commit_in_group, commit_writes
from .parameters import GraphWriteParameters
from .provenance import WriteRequest
from .routes import GraphName, missing_graph_problem, parse_graph_parameter, parse_graph_path, serialize_graph
from .write_pipeline import (
    PendingWrite,
    PreparedWrite,
    WritePipeline,
    check_writable_graph,
    exclusive_write,
    pass_gate,
)


async def read_graph_payload(request: Request, formats: Sequence[Format], max_bytes: int) -> list[BodyPart]:
    """The documents in a body of at most `max_bytes`; the media type of each is one of the `formats`.

    Raises Problem 400, 413 and 415.
    """
    if "content-range" in request.headers:
        raise Problem(
            400, "A range of a graph cannot be written. Omit Content-Range and send the whole graph."
        )
    if "content-type" not in request.headers:  # means RDF/XML (Graph Store Protocol, section 5)
        return [
            BodyPart(
                requested_file_name(request),
                RDF_XML.media_type,
                await bodies.read_request_body(request, max_bytes),
            )
        ]
    content_type = bodies.require_content_type(request, (*list_media_types(formats), MULTIPART_MEDIA_TYPE))
    body = await bodies.read_request_body(request, max_bytes)
    if content_type.media_type != MULTIPART_MEDIA_TYPE:
        return [BodyPart(requested_file_name(request), content_type.media_type, body)]
    parts = bodies.parse_multipart(body, content_type.parameters.get("boundary", ""))
    refuse_token_in_form([(part.field_name, "") for part in parts])  # only the names are checked
    return [resolve_part_type(part, formats) for part in parts]


def requested_file_name(request: Request) -> str:
    """The file name in Content-Disposition or Slug (RFC 5023), or empty."""
    headers = request.headers
    return bodies.disposition_file_name(headers.get("content-disposition", "")) or unquote(
        headers.get("slug", "")
    )


def list_media_types(formats: Sequence[Format]) -> list[str]:
    """The media types of formats."""
    return [format_.media_type for format_ in formats]


def resolve_part_type(part: BodyPart, formats: Sequence[Format]) -> BodyPart:
    """The part with the media type of its Content-Type, or else of its file extension.

    Raises Problem 415 if both are unknown.
    """
    content_type = bodies.parse_content_type(part.content_type)
    for name in (content_type.media_type if content_type else "", part.file_name.rpartition(".")[2]):
        try:
            return BodyPart(part.file_name, get_named_format(name, formats).media_type, part.body)
        except Problem:  # many clients send an unspecific type, such as application/octet-stream
            continue
    raise bodies.unsupported_type_problem(
        f"The part {part.file_name!r} is not RDF. Send one of: {', '.join(list_media_types(formats))}.",
        list_media_types(formats),
    )


def parse_graph_parts(
    parts: list[BodyPart], graph: str | None, max_triples: int | None = None
) -> list[ox.Triple]:
    """The triples of all documents; relative IRIs are resolved against the IRI of the graph.

    Reads at most `max_triples` of each document. Raises Problem 400 for a syntax error.
    """
    triples: list[ox.Triple] = []
    for part in parts:
        try:
            triples += parse_graph_part(part, graph, max_triples)
        except SyntaxError as error:
            name = f"{part.file_name}: " if part.file_name else ""
            explained = explain_syntax_error(part.body.decode(errors="replace"), part.content_type, error)
            line, column = explained.position or (None, None)
            raise Problem(
                400,
                f"{name}The data cannot be parsed, and nothing has changed. {explained.message}",
                line=line,
                column=column,
            ) from error
    return triples


def parse_graph_part(part: BodyPart, graph: str | None, max_triples: int | None) -> list[ox.Triple]:
    """The triples of a document, up to `max_triples`; JSON-LD may refer to the context of the ontology.

    Raises SyntaxError.
    """
    if part.content_type != JSON_LD.media_type:
        return parse_graph_document(part.body, part.content_type, graph, max_triples)
    # Invalid bytes become surrogates and then bytes again, so that the parser reports them.
    text = part.body.removeprefix(BOM_UTF8).decode("utf-8", "surrogateescape")
    return parse_inlining_context(
        text,
        lambda document: parse_graph_document(
            document.encode("utf-8", "surrogateescape"), part.content_type, graph, max_triples
        ),
    )


# Writes to /graphs, and to /graph/<name>, where a paper may also be Markdown.
WRITE_GRAPHS_OPERATION = Operation(
    status=204,
    is_creation=True,
    bodies=(*list_media_types(GRAPH_FORMATS), MULTIPART_MEDIA_TYPE),
    is_body_required=False,
    needs_token=True,
    parameters=GraphWriteParameters,
    is_self_checked=True,  # the handlers check the token before the parameters
)
WRITE_GRAPH_OPERATION = replace(
    WRITE_GRAPHS_OPERATION,
    bodies=(*list_media_types(GRAPH_FORMATS), MARKDOWN.media_type, MULTIPART_MEDIA_TYPE),
    parameters=ParameterModel,
)


async def change_graphs(context: ContextDep, pipeline: WritesDep, tokens: TokensDep) -> Response:
    """Replace, add to or delete the graph that `?graph=` or `?default` names.

    A POST without parameters creates a new graph.
    """
    request = context.request
    await refuse_token_in_body(request)
    authorize_request(request, tokens, *PAPER_WRITE_SCOPES)
    pairs = parse_write_parameters(request, GraphWriteParameters)
    if request.method == "POST" and not pairs:
        return await apply_graph_change(context, pipeline, tokens, f"{context.base}graph/{uuid.uuid4()}")
    parameters = GraphWriteParameters.model_validate(dict(pairs))
    return await apply_graph_change(context, pipeline, tokens, parse_graph_parameter(context, parameters))


async def change_graph(
    context: ContextDep, pipeline: WritesDep, tokens: TokensDep, name: GraphName
) -> Response:
    """Replace (PUT), add to (POST) or delete the graph at this address; a paper is checked first."""
    request = context.request
    await refuse_token_in_body(request)
    authorize_request(request, tokens, *PAPER_WRITE_SCOPES)
    parse_write_parameters(request, ParameterModel)
    return await apply_graph_change(context, pipeline, tokens, parse_graph_path(context, name))


def parse_write_parameters(request: Request, model: type[ParameterModel]) -> Pairs:
    """The query parameters. Raises Problem 400 for `version`, and for a parameter not in the model."""
    pairs = get_query_parameters(request)
    if parameter_values(pairs, "version"):
        raise Problem(400, "An old version cannot be changed. Omit version to write the current graph.")
    return check_parameter_pairs(pairs, *list_parameter_names(model))


async def apply_graph_change(
    context: RequestContext, pipeline: WritePipeline, tokens: TokenStore, graph: str | None
) -> Response:
    """Change one graph (None: the default graph) by the method of the request.

    Graph Store Protocol, sections 5.3 to 5.5.
    """
    settings = context.settings
    is_paper = is_paper_graph(graph, settings.base)
    token = authorize_request(context.request, tokens, *(PAPER_WRITE_SCOPES if is_paper else ["graphs"]))
    check_writable_graph(graph, settings)
    request, title = context.request, f"{context.request.method} {graph_path(graph, settings.base)}"
    if request.method == "DELETE":
        return await delete_graph(context, pipeline, graph, WriteRequest(token, title, []))
    if is_paper and graph is not None:
        parts = await read_graph_payload(request, PAPER_WRITE_FORMATS, settings.paper_bytes)
        return await change_paper_graph(context, pipeline, graph, parts, WriteRequest(token, title, parts))
    parts = await read_graph_payload(request, GRAPH_FORMATS, settings.body_bytes)
    write = WriteRequest(token, title, parts)
    triples = await run_in_write_thread(parse_bounded_parts, settings, parts, graph)
    return await commit_graph_triples(context, pipeline, graph, triples, write)


def check_write_size(settings: Settings, triples: Iterable[ox.Triple], factor: int = 1) -> None:
    """Raise Problem 413 for more statements, or more bytes of them, than `factor` writes may have."""
    byte_count = 0
    for count, triple in enumerate(triples, 1):
        byte_count += len(str(triple).encode())
        if 0 < settings.write_statements * factor < count:
            raise write_too_large_problem(f"{settings.write_statements} statements")
        if 0 < settings.write_bytes * factor < byte_count:
            raise write_too_large_problem(f"{settings.write_bytes} bytes of statements")


def check_sum_size(context: RequestContext, graph: str, triples: list[ox.Triple]) -> None:
    """Raise Problem 413 if the content of the graph and these triples together exceed one write."""
    added = (quad.triple for quad in context.store.compute_addition(graph, triples).added)
    with closing(context.store.triples(graph)) as existing:  # only this thread may free it
        check_write_size(context.settings, chain(existing, added))


def write_too_large_problem(limit: str) -> Problem:
    """The 413 for a write beyond the limit, such as "10 statements"."""
    return Problem(
        413,
        f"One write may add and remove at most {limit}, and a paper have no more, so nothing has changed. "
        "Send several smaller writes, or ask the operator of this service to run wgig load.",
    )


def parse_bounded_parts(settings: Settings, parts: list[BodyPart], graph: str | None) -> list[ox.Triple]:
    """The triples of all documents. Raises Problem 400 for a syntax error, 413 if they exceed a write."""
    limit = settings.write_statements
    triples = parse_graph_parts(parts, graph, limit + 1 if limit else None)
    check_write_size(settings, triples)
    return triples


async def change_paper_graph(
    context: RequestContext, pipeline: WritePipeline, graph: str, parts: list[BodyPart], write: WriteRequest
) -> Response:
    """Write the graph of a paper if its new content passes the gate; else respond with the report."""
    if context.request.method != "POST":  # the check does not depend on other writes
        decision = await pass_gate(context.request, pipeline, graph, parts, existing=b"")
        if isinstance(decision, Response):
            return decision
        triples = await parse_checked_triples(context, graph, decision)
        write = replace(write, checked_quads=decision.by_digest)
        return await commit_graph_triples(context, pipeline, graph, triples, write)
    # No other write may change the content between the check and this write.
    async with exclusive_write(context.request, pipeline):
        existing = await run_in_write_thread(context.store.serialize_graph, graph, N_TRIPLES.media_type)
        decision = await pass_gate(context.request, pipeline, graph, parts, existing)
        if isinstance(decision, Response):
            return decision
        triples = await parse_checked_triples(context, graph, decision)
        # So that one write can delete the paper.
        await run_in_write_thread(check_sum_size, context, graph, triples)
        pending = make_graph_write(
            context, pipeline, graph, triples, replace(write, checked_quads=decision.by_digest)
        )
        await run_in_write_thread(commit_writes, pipeline, [pending])
        return pending.get_response()


async def parse_checked_triples(
    context: RequestContext, graph: str, decision: GateDecision
) -> list[ox.Triple]:
    """The triples that passed the gate. Raises Problem 413 if they exceed a write."""
    part = BodyPart("", N_TRIPLES.media_type, decision.triples)
    return await run_in_write_thread(parse_bounded_parts, context.settings, [part], graph)


async def commit_graph_triples(
    context: RequestContext,
    pipeline: WritePipeline,
    graph: str | None,
    triples: list[ox.Triple],
    write: WriteRequest,
) -> Response:
    """Write triples to the graph: replace its content (PUT) or add to it (POST)."""
    pending = make_graph_write(context, pipeline, graph, triples, write)
    return await commit_in_group(context.request, pipeline, pending)


def make_graph_write(
    context: RequestContext,
    pipeline: WritePipeline,
    graph: str | None,
    triples: list[ox.Triple],
    write: WriteRequest,
) -> PendingWrite:
    """The write that replaces the content of the graph (PUT) or adds to it (POST)."""
    store = context.store
    compute_change = store.compute_replacement if context.request.method == "PUT" else store.compute_addition

    def prepare() -> PreparedWrite:
        return prepare_write(context, pipeline, graph, lambda: compute_change(graph, triples), write)

    return PendingWrite(graph, prepare, write.checked_quads)


async def delete_graph(
    context: RequestContext, pipeline: WritePipeline, graph: str | None, write: WriteRequest
) -> Response:
    """Delete the graph. Raises Problem 404 if it does not exist."""
    store = context.store

    def compute_deletion() -> Change:
        if not store.has_graph(graph):
            raise missing_graph_problem(graph)
        return store.compute_replacement(graph, None)

    def prepare() -> PreparedWrite:
        return prepare_write(context, pipeline, graph, compute_deletion, write)

    return await commit_in_group(context.request, pipeline, PendingWrite(graph, prepare))


def prepare_write(
    context: RequestContext,
    pipeline: WritePipeline,
    graph: str | None,
    compute_change: Callable[[], Change],
    write: WriteRequest,
) -> PreparedWrite:
    """Compute the commit of a change, under the write lock. Raises Problem 412 if a condition fails.

    The response to a PUT has no ETag, as the body is not stored as it was sent (RFC 9110, section 9.3.4).
    """
    exists = context.store.has_graph(graph)
    check_existing_size(context, graph)
    check_write_conditions(context, graph, exists)
    change = compute_change()
    check_write_size(context.settings, (quad.triple for quad in chain(change.removed, change.added)))
    headers = NO_STORE_HEADERS | ({} if exists else {"Location": graph_path(graph, context.base)})
    response = Response(status_code=204 if exists else 201, headers=headers)
    return PreparedWrite(pipeline.build_commit(change, write) if change else None, response)


def check_existing_size(context: RequestContext, graph: str | None) -> None:
    """Raise Problem 413 if the request would compare or replace a graph that is too large for it.

    A PUT removes too much of a graph that is larger than two writes, as it can keep at most one. A graph of
    that size is not serialized to compare its ETags either.
    """
    request = context.request
    has_condition = any(
        not matches_entity_tag(fields, "", weak=False)  # `*` is compared with no ETag
        for fields in map(request.headers.getlist, ("if-match", "if-none-match"))
        if fields
    )
    if request.method != "POST" or has_condition:
        with closing(context.store.triples(graph)) as triples:  # only this thread may free it
            check_write_size(context.settings, triples, factor=2)


def check_write_conditions(context: RequestContext, graph: str | None, exists: bool) -> None:
    """Raise Problem 412 if the condition If-Match or If-None-Match fails (RFC 9110, section 13.1)."""
    if_match, if_none_match = (
        context.request.headers.getlist(name) for name in ("if-match", "if-none-match")
    )
    if if_match and not (exists and matches_graph_etag(context, graph, if_match, weak=False)):
        raise Problem(
            412, "If-Match has no current ETag of the graph. Fetch the graph again and repeat the change."
        )
    if if_none_match and exists and matches_graph_etag(context, graph, if_none_match, weak=True):
        raise Problem(412, "The graph exists already, and its ETag is excluded by If-None-Match.")


def matches_graph_etag(
    context: RequestContext, graph: str | None, entity_tags: list[str], *, weak: bool
) -> bool:
    """Whether one of the ETags is that of a current representation of the graph.

    `weak` is as in `matches_entity_tag`. The HTML page of a graph does not count: it does not show all
    statements, so it can stay the same when the graph changes.
    """
    return matches_entity_tag(entity_tags, "*", weak=weak) or any(
        matches_entity_tag(entity_tags, compute_entity_tag(body, format_, coding), weak=weak)
        for format_ in GRAPH_FORMATS
        for body in [serialize_graph(context, graph, format_)]
        for coding in (IDENTITY_CODING, *CONTENT_CODINGS)
    )
