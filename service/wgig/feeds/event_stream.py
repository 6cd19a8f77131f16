"""/changes: all versions of resources as a Linked Data Event Stream (LDES) with TREE pages.

Specifications: https://w3id.org/ldes/specification and https://w3id.org/tree/specification. The root links to
nodes of 250 pages, and these to pages, each with the times of its members as relations. Full pages never
change and are cached as immutable. Quads keep their order, so that the bytes of a page stay the same.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..http.negotiation import choose_response_format
from ..http.parameters import check_query_parameters
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

PAGES_PER_SHELF = 250  # pages
LDES_NAMESPACE = "https://w3id.org/ldes#"
STREAM_TITLE = '"All versions of the things of the graph, from when the stream began"@en'


class NodeSpan(NamedTuple):
    """The name of a node, the times of its first and its last member, and whether it is closed."""

    name: str
    first: str
    last: str
    is_closed: bool


class StreamNode(NamedTuple):
    """A node in N-Quads, and whether it is closed, so that it never changes."""

    n_quads: str
    is_closed: bool


def build_root_node(log: ChangeLog, home: str) -> StreamNode:
    """The root at the address `home`, with what there is to know of the stream."""
    stream = f"<{log.base}changes>"
    shelves = [
        find_shelf_span(log, number) for number in range(1, (log.open_page_number - 1) // PAGES_PER_SHELF + 2)
    ]
    spans = [one for one in shelves if one]
    lines = [
        f"{stream} <{RDF_TYPE_IRI}> <{LDES_NAMESPACE}EventStream> .",
        f"{stream} <{DCTERMS_NAMESPACE}title> {STREAM_TITLE} .",
        f"{stream} <{DCTERMS_NAMESPACE}license> <{LICENSE_IRI}> .",
        f"{stream} <{LDES_NAMESPACE}timestampPath> <{ACTIVITY_STREAMS_NAMESPACE}published> .",
        f"{stream} <{LDES_NAMESPACE}versionOfPath> <{ACTIVITY_STREAMS_NAMESPACE}object> .",
        *(
            f"{stream} <{LDES_NAMESPACE}version{what}{end}> <{value}> ."
            for what, name in (
                ("Create", ACTIVITY_CREATE),
                ("Update", ACTIVITY_UPDATE),
                ("Delete", ACTIVITY_DELETE),
            )
            for end, value in (("Path", RDF_TYPE_IRI), ("Object", ACTIVITY_STREAMS_NAMESPACE + name))
        ),
        f"<{home}> <{RDF_TYPE_IRI}> <{LDES_NAMESPACE}EventSource> .",
        *(iter_retention_lines(home, spans[0].first) if spans else []),
    ]
    return StreamNode(
        "".join(f"{one}\n" for one in [*lines, *iter_node_lines(log, home, home, spans, closed=False)]), False
    )


def build_shelf_node(log: ChangeLog, home: str, number: int) -> StreamNode | None:
    """A shelf, which leads to its pages; None where there is none of this number."""
    span = find_shelf_span(log, number)
    if span is None:
        return None
    lines = iter_node_lines(
        log, home, f"{home}/{span.name}", list_page_spans(log, number), closed=span.is_closed
    )
    return StreamNode("".join(f"{one}\n" for one in lines), span.is_closed)


def build_page_node(log: ChangeLog, home: str, number: int) -> StreamNode | None:
    """A page with its members; None where there is none of this number."""
    if not 1 <= number <= log.open_page_number or not log.last_number:
        return None
    text, closed = log.read_page(number)
    lines = iter_node_lines(log, home, f"{home}/{log.name}/{number}", [], closed=closed)
    return StreamNode("".join(f"{one}\n" for one in lines) + text, closed)


def iter_node_lines(
    log: ChangeLog, home: str, here: str, spans: Iterable[NodeSpan], *, closed: bool
) -> Iterator[str]:
    """What a node says of itself, and where it leads."""
    yield f"<{log.base}changes> <{TREE_NAMESPACE}view> <{home}> ."
    yield f"<{here}> <{RDF_TYPE_IRI}> <{TREE_NAMESPACE}Node> ."
    if closed:
        yield f'<{here}> <{LDES_NAMESPACE}immutable> "true"^^<{XSD_NAMESPACE}boolean> .'
    for span in spans:
        yield from iter_relation_lines(here, f"{home}/{span.name}", "GreaterThanOrEqualTo", span.first)
        if span.is_closed:
            yield from iter_relation_lines(here, f"{home}/{span.name}", "LessThanOrEqualTo", span.last)


def iter_relation_lines(here: str, there: str, kind: str, value: str) -> Iterator[str]:
    """The relation between two nodes: how the times of the members there compare with a time."""
    iri = f"<{here}#{there.rpartition('/')[2]}-{kind}>"
    yield f"<{here}> <{TREE_NAMESPACE}relation> {iri} ."
    yield f"{iri} <{RDF_TYPE_IRI}> <{TREE_NAMESPACE}{kind}Relation> ."
    yield f"{iri} <{TREE_NAMESPACE}node> <{there}> ."
    yield f"{iri} <{TREE_NAMESPACE}path> <{ACTIVITY_STREAMS_NAMESPACE}published> ."
    yield f'{iri} <{TREE_NAMESPACE}value> "{value}"^^<{XSD_DATE_TIME.value}> .'


def iter_retention_lines(home: str, first: str) -> Iterator[str]:
    """That all versions are kept since the first one."""
    policy = f"<{home}#retention>"
    yield f"<{home}> <{LDES_NAMESPACE}retentionPolicy> {policy} ."
    yield f"{policy} <{RDF_TYPE_IRI}> <{LDES_NAMESPACE}RetentionPolicy> ."
    yield f'{policy} <{LDES_NAMESPACE}startingFrom> "{first}"^^<{XSD_DATE_TIME.value}> .'


def list_page_spans(log: ChangeLog, number: int) -> list[NodeSpan]:
    """The pages of a shelf."""
    first = (number - 1) * PAGES_PER_SHELF + 1
    return [
        NodeSpan(f"{log.name}/{page}", begin, end, page < log.open_page_number)
        for page, begin, end in log.page_spans(first, first + PAGES_PER_SHELF - 1)
    ]


def find_shelf_span(log: ChangeLog, number: int) -> NodeSpan | None:
    """A shelf; None where there is none of this number."""
    pages = list_page_spans(log, number)
    if not pages:
        return None
    closed = len(pages) == PAGES_PER_SHELF and pages[-1].is_closed
    return NodeSpan(f"{log.name}/shelf-{number}", pages[0].first, pages[-1].last, closed)


STREAM_FORMATS = (TRIG, N_QUADS)
STREAM_PREFIXES = {
    "as": ACTIVITY_STREAMS_NAMESPACE,
    "ldes": LDES_NAMESPACE,
    "tree": TREE_NAMESPACE,
    **EXTERNAL_NAMESPACES,
}
NODE_NAME_PATTERN = re.compile(r"(?P<shelf>shelf-)?(?P<number>[1-9]\d{0,14})")


async def get_changes(request: Request, stream: StreamDep) -> Response:
    """The root of the event stream, which leads to all versions of things."""
    format_ = choose_stream_format(request)
    log = await stream.get_complete_log()
    return await run_sync(
        lambda: respond_with_node(request, build_root_node(log, stream_root_url(request)), format_)
    )


async def get_changes_node(request: Request, stream: StreamDep, path: str) -> Response:
    """A page of the event stream, or a shelf of pages; it never changes once it is full.

    Raises Problem 404.
    """
    format_ = choose_stream_format(request)
    log = await stream.get_complete_log()
    name, _, rest = path.partition("/")
    asked = NODE_NAME_PATTERN.fullmatch(rest)
    if name != log.name or not asked:
        raise unknown_node_problem(path, log)
    make = build_shelf_node if asked["shelf"] else build_page_node
    made = await run_sync(make, log, stream_root_url(request), int(asked["number"]))
    if made is None:
        raise unknown_node_problem(path, log)
    return await run_sync(respond_with_node, request, made, format_)


def choose_stream_format(request: Request) -> Format:
    """The format of the answer. Raises Problem 400, 406."""
    check_query_parameters(request, ("_mediatype",))
    return choose_response_format(request, STREAM_FORMATS)


def stream_root_url(request: Request) -> str:
    """The address of the root, at which clients find the other nodes, too."""
    return f"{request.base_url}changes"


def respond_with_node(request: Request, made: StreamNode, format_: Format) -> Response:
    """A node in a format, its quads in their order, so that its bytes stay the same."""
    body = made.n_quads.encode()
    if format_ is not N_QUADS:
        quads = ox.parse(body, ox.RdfFormat.N_QUADS)
        prefixes = {prefix: iri for prefix, iri in STREAM_PREFIXES.items() if iri in made.n_quads}
        body = ox.serialize(quads, format=rdf_format(format_.media_type), prefixes=prefixes) or b""
    headers = (
        {"Cache-Control": IMMUTABLE_CACHE_CONTROL}
        if made.is_closed and "authorization" not in request.headers
        else {}
    )
    return respond_with_body(request, body, format_, headers=headers)


def unknown_node_problem(path: str, log: ChangeLog) -> Problem:
    """The 404 for a node."""
    where = (
        f"Its pages are {log.name}/1 to {log.name}/{log.open_page_number}."
        if log.last_number
        else "It is empty."
    )
    return Problem(404, f"The event stream has no page {path!r}. {where} Begin at /changes.")
