"""/changes: all versions of resources as a Linked Data Event Stream (LDES) with TREE pages.

Browsers get a page of what changed instead (`changes_page`).

Specifications: https://w3id.org/ldes/specification and https://w3id.org/tree/specification. A node is a
document of the stream: the root links to shelves, a shelf to up to 250 pages, and a page has members, which
are versions of resources. Each link has TREE relations with the time of the first member, and that of the
last member if the linked node is closed. A node is
closed when it is full; it then never changes and is cached as immutable. The last page is the open page.
Quads keep their order, so that the bytes of a page do not change.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, NamedTuple

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Path, Query, Request, Response
from wgig_client.namespaces import (
    ACTIVITY_STREAMS_NAMESPACE,
    DCTERMS_NAMESPACE,
    EXTERNAL_NAMESPACES,
    TREE_NAMESPACE,
    XSD_NAMESPACE,
)

from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_media_type, describe_parameter
from ..http.responses import IMMUTABLE_CACHE_CONTROL, respond_with_body
from ..pages.dependencies import ContextDep
from ..problems import Problem
from ..rdf.formats import HTML, N_QUADS, TRIG, Format
from ..rdf.namespaces import LICENSE_IRI, RDF_TYPE_IRI, XSD_DATE_TIME
from ..rdf.serialization import rdf_format
from ..resources.dependencies import ResourceVersionsDep
from ..store.resource_versions.database import ResourceVersions
from ..store.resource_versions.members import (
    ACTIVITY_CREATE,
    ACTIVITY_DELETE,
    ACTIVITY_UPDATE,
)
from .changes_page import respond_with_changes_page
from .news import MAX_NUMBER_DIGITS, parse_page_number

PAGES_PER_SHELF = 250  # the maximum, with which a shelf is full
LDES_NAMESPACE = "https://w3id.org/ldes#"
STREAM_TITLE = '"All versions of the resources of the graph since the start of the stream"@en'


class NodeSpan(NamedTuple):
    """The name of a node, the times of its first and last member, and whether it is closed."""

    name: str
    first: str
    last: str
    is_closed: bool


class StreamNode(NamedTuple):
    """A node in N-Quads, and whether it is closed."""

    n_quads: str
    is_closed: bool


def build_root_node(versions: ResourceVersions, root_url: str) -> StreamNode:
    """The root node, whose URL is `root_url`, with the metadata of the stream. It is never closed."""
    stream = f"<{versions.base}changes>"
    shelf_count = (versions.open_page_number - 1) // PAGES_PER_SHELF + 1
    shelf_spans = [find_shelf_span(versions, number) for number in range(1, shelf_count + 1)]
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
            f"{line}\n"
            for line in [*lines, *iter_node_lines(versions, root_url, root_url, spans, closed=False)]
        ),
        False,
    )


def build_shelf_node(versions: ResourceVersions, root_url: str, number: int) -> StreamNode | None:
    """The node of a shelf, with links to its pages; None if there is no such shelf."""
    span = find_shelf_span(versions, number)
    if span is None:
        return None
    lines = iter_node_lines(
        versions,
        root_url,
        f"{root_url}/{span.name}",
        list_page_spans(versions, number),
        closed=span.is_closed,
    )
    return StreamNode("".join(f"{line}\n" for line in lines), span.is_closed)


def build_page_node(versions: ResourceVersions, root_url: str, number: int) -> StreamNode | None:
    """The node of a page with its members; None if there is no such page."""
    if not 1 <= number <= versions.open_page_number or not versions.last_number:
        return None
    members, closed = versions.read_page(number)
    lines = iter_node_lines(
        versions, root_url, f"{root_url}/{versions.stream_id}/{number}", [], closed=closed
    )
    return StreamNode("".join(f"{line}\n" for line in lines) + members, closed)


def iter_node_lines(
    versions: ResourceVersions, root_url: str, node_url: str, spans: Iterable[NodeSpan], *, closed: bool
) -> Iterator[str]:
    """The description of a node and its relations to other nodes, in N-Quads."""
    yield f"<{versions.base}changes> <{TREE_NAMESPACE}view> <{root_url}> ."
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
    relation = f"<{source_url}#{target_url.rpartition('/')[2]}-{comparison}>"
    yield f"<{source_url}> <{TREE_NAMESPACE}relation> {relation} ."
    yield f"{relation} <{RDF_TYPE_IRI}> <{TREE_NAMESPACE}{comparison}Relation> ."
    yield f"{relation} <{TREE_NAMESPACE}node> <{target_url}> ."
    yield f"{relation} <{TREE_NAMESPACE}path> <{ACTIVITY_STREAMS_NAMESPACE}published> ."
    yield f'{relation} <{TREE_NAMESPACE}value> "{value}"^^<{XSD_DATE_TIME.value}> .'


def iter_retention_lines(root_url: str, start_time: str) -> Iterator[str]:
    """The retention policy, in N-Quads: all versions since the first one are kept."""
    policy = f"<{root_url}#retention>"
    yield f"<{root_url}> <{LDES_NAMESPACE}retentionPolicy> {policy} ."
    yield f"{policy} <{RDF_TYPE_IRI}> <{LDES_NAMESPACE}RetentionPolicy> ."
    yield f'{policy} <{LDES_NAMESPACE}startingFrom> "{start_time}"^^<{XSD_DATE_TIME.value}> .'


def list_page_spans(versions: ResourceVersions, number: int) -> list[NodeSpan]:
    """The spans of the pages of a shelf."""
    first_page = (number - 1) * PAGES_PER_SHELF + 1
    return [
        NodeSpan(f"{versions.stream_id}/{page}", first_time, last_time, page < versions.open_page_number)
        for page, first_time, last_time in versions.page_spans(first_page, first_page + PAGES_PER_SHELF - 1)
    ]


def find_shelf_span(versions: ResourceVersions, number: int) -> NodeSpan | None:
    """The span of a shelf; None if there is no such shelf."""
    pages = list_page_spans(versions, number)
    if not pages:
        return None
    closed = len(pages) == PAGES_PER_SHELF and pages[-1].is_closed
    return NodeSpan(f"{versions.stream_id}/shelf-{number}", pages[0].first, pages[-1].last, closed)


STREAM_FORMATS = (TRIG, N_QUADS)
STREAM_PREFIXES = {
    "as": ACTIVITY_STREAMS_NAMESPACE,
    "ldes": LDES_NAMESPACE,
    "tree": TREE_NAMESPACE,
    **EXTERNAL_NAMESPACES,
}
NODE_NAME_PATTERN = re.compile(r"(?P<shelf>shelf-)?(?P<number>[1-9]\d{0,14})")


CHANGES_OPERATION = Operation(formats=(*STREAM_FORMATS, HTML))
STREAM_OPERATION = Operation(formats=STREAM_FORMATS)


class StreamParameters(ParameterModel):
    """Query parameters of a page of the event stream."""

    media_type: Text = describe_media_type(STREAM_FORMATS)


class ChangesParameters(ParameterModel):
    """Query parameters of /changes."""

    media_type: Text = describe_media_type((*STREAM_FORMATS, HTML))
    before: Text = describe_parameter(
        "For the HTML page: a change number. It lists earlier changes only, and links to the next page.",
        json_schema_extra={"pattern": f"^[0-9]{{1,{MAX_NUMBER_DIGITS}}}$"},
        examples=["1000"],
    )


async def get_changes(
    context: ContextDep,
    resource_versions: ResourceVersionsDep,
    parameters: Annotated[ChangesParameters, Query()],
) -> Response:
    """The root of the event stream, which links to all versions of resources; for browsers, what changed.

    Raises Problem 400 if `before` is not a number, or not for the page, 404 if no change is before it.
    """
    request = context.request
    format_ = choose_response_format(request, (*STREAM_FORMATS, HTML), parameters.media_type)
    before = parameters.before
    if format_ is HTML:
        number = None if before is None else parse_page_number(before, "before")
        return await run_sync(respond_with_changes_page, context, number)
    if before is not None:
        raise Problem(400, "The parameter before is for the HTML page. Follow the links of the event stream.")
    versions = await resource_versions.get_versions()
    return await run_sync(
        lambda: respond_with_node(request, build_root_node(versions, stream_root_url(request)), format_)
    )


async def get_changes_node(
    request: Request,
    resource_versions: ResourceVersionsDep,
    path: Annotated[
        str,
        Path(
            description="The name of the stream, then a page or a shelf, as in the links of the root.",
            examples=["20250101T000000000000Z/1"],
        ),
    ],
    parameters: Annotated[StreamParameters, Query()],
) -> Response:
    """A page of the event stream, or a shelf of pages. A full page or shelf never changes.

    Raises Problem 404 if there is no such page or shelf.
    """
    format_ = choose_response_format(request, STREAM_FORMATS, parameters.media_type)
    versions = await resource_versions.get_versions()
    stream_id, _, node_name = path.partition("/")
    match = NODE_NAME_PATTERN.fullmatch(node_name)
    if stream_id != versions.stream_id or not match:
        raise unknown_node_problem(path, versions)
    build_node = build_shelf_node if match["shelf"] else build_page_node
    node = await run_sync(build_node, versions, stream_root_url(request), int(match["number"]))
    if node is None:
        raise unknown_node_problem(path, versions)
    return await run_sync(respond_with_node, request, node, format_)


def stream_root_url(request: Request) -> str:
    """The URL of the root node, which the URLs of all nodes begin with."""
    return f"{request.base_url}changes"


def respond_with_node(request: Request, node: StreamNode, format_: Format) -> Response:
    """The response with a node in the format. The quads keep their order, so that the bytes do not change."""
    body = node.n_quads.encode()
    if format_ is not N_QUADS:
        quads = ox.parse(body, ox.RdfFormat.N_QUADS)
        prefixes = {prefix: iri for prefix, iri in STREAM_PREFIXES.items() if iri in node.n_quads}
        body = ox.serialize(quads, format=rdf_format(format_.media_type), prefixes=prefixes) or b""
    headers = (  # public caching, and thus not for a response to an authorized request
        {"Cache-Control": IMMUTABLE_CACHE_CONTROL}
        if node.is_closed and "authorization" not in request.headers
        else {}
    )
    return respond_with_body(request, body, format_, headers=headers)


def unknown_node_problem(path: str, versions: ResourceVersions) -> Problem:
    """The Problem 404 for a node that does not exist."""
    existing_pages = (
        f"Its pages are {versions.stream_id}/1 to {versions.stream_id}/{versions.open_page_number}."
        if versions.last_number
        else "It is empty."
    )
    return Problem(404, f"The event stream has no page {path!r}. {existing_pages} Start from /changes.")
