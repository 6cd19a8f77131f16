"""/changes: all versions of resources as a Linked Data Event Stream (LDES) with TREE pages.

Specifications: https://w3id.org/ldes/specification and https://w3id.org/tree/specification. The root links
to shelves, which are nodes for 250 pages each, and these link to pages; each link has the times of the
members as relations. Full pages never change and are cached as immutable. Quads keep their order, so that
the bytes of a page stay the same.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, NamedTuple

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Path, Query, Request, Response

from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_media_type
from ..http.responses import IMMUTABLE_CACHE_CONTROL, respond_with_body
from ..problems import Problem
from ..rdf.formats import N_QUADS, TRIG, Format
from ..rdf.namespaces import (
    DCTERMS_NAMESPACE,
    EXTERNAL_NAMESPACES,
    LICENSE_IRI,
    RDF_TYPE_IRI,
    XSD_DATE_TIME,
    XSD_NAMESPACE,
)
from ..rdf.serialization import rdf_format
from ..resources.dependencies import StreamDep
from ..store.changelog.log import (
    ACTIVITY_CREATE,
    ACTIVITY_DELETE,
    ACTIVITY_STREAMS_NAMESPACE,
    ACTIVITY_UPDATE,
    TREE_NAMESPACE,
    ChangeLog,
)

PAGES_PER_SHELF = 250
LDES_NAMESPACE = "https://w3id.org/ldes#"
STREAM_TITLE = '"All versions of the things of the graph, from when the stream began"@en'


class NodeSpan(NamedTuple):
    """The name of a node, the times of its first and last member, and whether it is closed."""

    name: str
    first: str
    last: str
    is_closed: bool


class StreamNode(NamedTuple):
    """A node in N-Quads, and whether it is closed: a closed node never changes."""

    n_quads: str
    is_closed: bool


def build_root_node(log: ChangeLog, root_url: str) -> StreamNode:
    """The root node at the address `root_url`, with the metadata of the stream."""
    stream = f"<{log.base}changes>"
    shelf_spans = [
        find_shelf_span(log, number) for number in range(1, (log.open_page_number - 1) // PAGES_PER_SHELF + 2)
    ]
    spans = [span for span in shelf_spans if span]
    lines = [
        f"{stream} <{RDF_TYPE_IRI}> <{LDES_NAMESPACE}EventStream> .",
        f"{stream} <{DCTERMS_NAMESPACE}title> {STREAM_TITLE} .",
        f"{stream} <{DCTERMS_NAMESPACE}license> <{LICENSE_IRI}> .",
        f"{stream} <{LDES_NAMESPACE}timestampPath> <{ACTIVITY_STREAMS_NAMESPACE}published> .",
        f"{stream} <{LDES_NAMESPACE}versionOfPath> <{ACTIVITY_STREAMS_NAMESPACE}object> .",
        *(
            f"{stream} <{LDES_NAMESPACE}version{version_kind}{suffix}> <{value}> ."
            for version_kind, activity in (
                ("Create", ACTIVITY_CREATE),
                ("Update", ACTIVITY_UPDATE),
                ("Delete", ACTIVITY_DELETE),
            )
            for suffix, value in (("Path", RDF_TYPE_IRI), ("Object", ACTIVITY_STREAMS_NAMESPACE + activity))
        ),
        f"<{root_url}> <{RDF_TYPE_IRI}> <{LDES_NAMESPACE}EventSource> .",
        *(iter_retention_lines(root_url, spans[0].first) if spans else []),
    ]
    return StreamNode(
        "".join(
            f"{line}\n" for line in [*lines, *iter_node_lines(log, root_url, root_url, spans, closed=False)]
        ),
        False,
    )


def build_shelf_node(log: ChangeLog, root_url: str, number: int) -> StreamNode | None:
    """The node of a shelf, with links to its pages; None where there is no such shelf."""
    span = find_shelf_span(log, number)
    if span is None:
        return None
    lines = iter_node_lines(
        log, root_url, f"{root_url}/{span.name}", list_page_spans(log, number), closed=span.is_closed
    )
    return StreamNode("".join(f"{line}\n" for line in lines), span.is_closed)


def build_page_node(log: ChangeLog, root_url: str, number: int) -> StreamNode | None:
    """The node of a page with its members; None where there is no such page."""
    if not 1 <= number <= log.open_page_number or not log.last_number:
        return None
    members, closed = log.read_page(number)
    lines = iter_node_lines(log, root_url, f"{root_url}/{log.log_id}/{number}", [], closed=closed)
    return StreamNode("".join(f"{line}\n" for line in lines) + members, closed)


def iter_node_lines(
    log: ChangeLog, root_url: str, node_url: str, spans: Iterable[NodeSpan], *, closed: bool
) -> Iterator[str]:
    """The description of a node and its relations to other nodes, in N-Quads."""
    yield f"<{log.base}changes> <{TREE_NAMESPACE}view> <{root_url}> ."
    yield f"<{node_url}> <{RDF_TYPE_IRI}> <{TREE_NAMESPACE}Node> ."
    if closed:
        yield f'<{node_url}> <{LDES_NAMESPACE}immutable> "true"^^<{XSD_NAMESPACE}boolean> .'
    for span in spans:
        yield from iter_relation_lines(
            node_url, f"{root_url}/{span.name}", "GreaterThanOrEqualTo", span.first
        )
        if span.is_closed:
            yield from iter_relation_lines(
                node_url, f"{root_url}/{span.name}", "LessThanOrEqualTo", span.last
            )


def iter_relation_lines(source_url: str, target_url: str, comparison: str, value: str) -> Iterator[str]:
    """A TREE relation between two nodes by the time of members, in N-Quads."""
    iri = f"<{source_url}#{target_url.rpartition('/')[2]}-{comparison}>"
    yield f"<{source_url}> <{TREE_NAMESPACE}relation> {iri} ."
    yield f"{iri} <{RDF_TYPE_IRI}> <{TREE_NAMESPACE}{comparison}Relation> ."
    yield f"{iri} <{TREE_NAMESPACE}node> <{target_url}> ."
    yield f"{iri} <{TREE_NAMESPACE}path> <{ACTIVITY_STREAMS_NAMESPACE}published> ."
    yield f'{iri} <{TREE_NAMESPACE}value> "{value}"^^<{XSD_DATE_TIME.value}> .'


def iter_retention_lines(root_url: str, start_time: str) -> Iterator[str]:
    """The retention policy, in N-Quads: all versions since the first one are kept."""
    policy = f"<{root_url}#retention>"
    yield f"<{root_url}> <{LDES_NAMESPACE}retentionPolicy> {policy} ."
    yield f"{policy} <{RDF_TYPE_IRI}> <{LDES_NAMESPACE}RetentionPolicy> ."
    yield f'{policy} <{LDES_NAMESPACE}startingFrom> "{start_time}"^^<{XSD_DATE_TIME.value}> .'


def list_page_spans(log: ChangeLog, number: int) -> list[NodeSpan]:
    """The spans of the pages of a shelf."""
    first = (number - 1) * PAGES_PER_SHELF + 1
    return [
        NodeSpan(f"{log.log_id}/{page}", begin, end, page < log.open_page_number)
        for page, begin, end in log.page_spans(first, first + PAGES_PER_SHELF - 1)
    ]


def find_shelf_span(log: ChangeLog, number: int) -> NodeSpan | None:
    """The span of a shelf; None where there is no such shelf."""
    pages = list_page_spans(log, number)
    if not pages:
        return None
    closed = len(pages) == PAGES_PER_SHELF and pages[-1].is_closed
    return NodeSpan(f"{log.log_id}/shelf-{number}", pages[0].first, pages[-1].last, closed)


STREAM_FORMATS = (TRIG, N_QUADS)
STREAM_PREFIXES = {
    "as": ACTIVITY_STREAMS_NAMESPACE,
    "ldes": LDES_NAMESPACE,
    "tree": TREE_NAMESPACE,
    **EXTERNAL_NAMESPACES,
}
NODE_NAME_PATTERN = re.compile(r"(?P<shelf>shelf-)?(?P<number>[1-9]\d{0,14})")


STREAM_OPERATION = Operation(formats=STREAM_FORMATS)


class StreamParameters(ParameterModel):
    """Query parameters of /changes."""

    media_type: Text = describe_media_type(STREAM_FORMATS)


async def get_changes(
    request: Request, stream: StreamDep, parameters: Annotated[StreamParameters, Query()]
) -> Response:
    """The root of the event stream, which leads to all versions of things."""
    format_ = choose_response_format(request, STREAM_FORMATS, parameters.media_type)
    log = await stream.get_complete_log()
    return await run_sync(
        lambda: respond_with_node(request, build_root_node(log, stream_root_url(request)), format_)
    )


async def get_changes_node(
    request: Request,
    stream: StreamDep,
    path: Annotated[
        str,
        Path(
            description="The name of the stream, and a page or a shelf of it, to which the root leads.",
            examples=["20250101T000000000000Z/1"],
        ),
    ],
    parameters: Annotated[StreamParameters, Query()],
) -> Response:
    """A page of the event stream, or a shelf of pages; it never changes once it is full.

    Raises Problem 404.
    """
    format_ = choose_response_format(request, STREAM_FORMATS, parameters.media_type)
    log = await stream.get_complete_log()
    name, _, node_name = path.partition("/")
    match = NODE_NAME_PATTERN.fullmatch(node_name)
    if name != log.log_id or not match:
        raise unknown_node_problem(path, log)
    build_node = build_shelf_node if match["shelf"] else build_page_node
    node = await run_sync(build_node, log, stream_root_url(request), int(match["number"]))
    if node is None:
        raise unknown_node_problem(path, log)
    return await run_sync(respond_with_node, request, node, format_)


def stream_root_url(request: Request) -> str:
    """The address of the root, relative to which clients find the other nodes."""
    return f"{request.base_url}changes"


def respond_with_node(request: Request, node: StreamNode, format_: Format) -> Response:
    """A node in the format, with its quads in order, so that its bytes stay the same."""
    body = node.n_quads.encode()
    if format_ is not N_QUADS:
        quads = ox.parse(body, ox.RdfFormat.N_QUADS)
        prefixes = {prefix: iri for prefix, iri in STREAM_PREFIXES.items() if iri in node.n_quads}
        body = ox.serialize(quads, format=rdf_format(format_.media_type), prefixes=prefixes) or b""
    headers = (
        {"Cache-Control": IMMUTABLE_CACHE_CONTROL}
        if node.is_closed and "authorization" not in request.headers
        else {}
    )
    return respond_with_body(request, body, format_, headers=headers)


def unknown_node_problem(path: str, log: ChangeLog) -> Problem:
    """The 404 for a node that does not exist."""
    extent = (
        f"Its pages are {log.log_id}/1 to {log.log_id}/{log.open_page_number}."
        if log.last_number
        else "It is empty."
    )
    return Problem(404, f"The event stream has no page {path!r}. {extent} Start from /changes.")
