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

from ..http.parameters import only
from ..http.responses import answer, pick
from ..problems import Problem
from ..rdf.formats import N_QUADS, TRIG, Format
from ..rdf.namespaces import OUTSIDE
from ..rdf.serialization import rdf_format
from ..resources.alternates import LICENSE
from ..store.changelog.log import ACTIVITY, CHANGED, DATE_TIME, GONE, NEW, RDF_TYPE, TREE, Log
from ..store.changelog.sync import Stream

SHELF = 250  # pages
LDES = "https://w3id.org/ldes#"
DCTERMS = OUTSIDE["dcterms"]
TITLE = '"All versions of the things of the graph, from when the stream began"@en'


class Span(NamedTuple):
    """The name of a node, the times of its first and its last member, and whether it is closed."""

    name: str
    first: str
    last: str
    closed: bool


class Node(NamedTuple):
    """A node in N-Quads, and whether it is closed, so that it never changes."""

    text: str
    closed: bool


def root(log: Log, home: str) -> Node:
    """The root at the address `home`, with what there is to know of the stream."""
    stream = f"<{log.base}changes>"
    shelves = [shelf_span(log, number) for number in range(1, (log.open_page - 1) // SHELF + 2)]
    spans = [one for one in shelves if one]
    lines = [
        f"{stream} <{RDF_TYPE}> <{LDES}EventStream> .",
        f"{stream} <{DCTERMS}title> {TITLE} .",
        f"{stream} <{DCTERMS}license> <{LICENSE}> .",
        f"{stream} <{LDES}timestampPath> <{ACTIVITY}published> .",
        f"{stream} <{LDES}versionOfPath> <{ACTIVITY}object> .",
        *(
            f"{stream} <{LDES}version{what}{end}> <{value}> ."
            for what, name in (("Create", NEW), ("Update", CHANGED), ("Delete", GONE))
            for end, value in (("Path", RDF_TYPE), ("Object", ACTIVITY + name))
        ),
        f"<{home}> <{RDF_TYPE}> <{LDES}EventSource> .",
        *(retention(home, spans[0].first) if spans else []),
    ]
    return Node(
        "".join(f"{one}\n" for one in [*lines, *write_node(log, home, home, spans, closed=False)]), False
    )


def shelf(log: Log, home: str, number: int) -> Node | None:
    """A shelf, which leads to its pages; None where there is none of this number."""
    span = shelf_span(log, number)
    if span is None:
        return None
    lines = write_node(log, home, f"{home}/{span.name}", page_spans(log, number), closed=span.closed)
    return Node("".join(f"{one}\n" for one in lines), span.closed)


def page(log: Log, home: str, number: int) -> Node | None:
    """A page with its members; None where there is none of this number."""
    if not 1 <= number <= log.open_page or not log.last:
        return None
    text, closed = log.page(number)
    lines = write_node(log, home, f"{home}/{log.name}/{number}", [], closed=closed)
    return Node("".join(f"{one}\n" for one in lines) + text, closed)


def write_node(log: Log, home: str, here: str, spans: Iterable[Span], *, closed: bool) -> Iterator[str]:
    """What a node says of itself, and where it leads."""
    yield f"<{log.base}changes> <{TREE}view> <{home}> ."
    yield f"<{here}> <{RDF_TYPE}> <{TREE}Node> ."
    if closed:
        yield f'<{here}> <{LDES}immutable> "true"^^<{OUTSIDE["xsd"]}boolean> .'
    for span in spans:
        yield from relation(here, f"{home}/{span.name}", "GreaterThanOrEqualTo", span.first)
        if span.closed:
            yield from relation(here, f"{home}/{span.name}", "LessThanOrEqualTo", span.last)


def relation(here: str, there: str, kind: str, value: str) -> Iterator[str]:
    """The relation between two nodes: how the times of the members there compare with a time."""
    iri = f"<{here}#{there.rpartition('/')[2]}-{kind}>"
    yield f"<{here}> <{TREE}relation> {iri} ."
    yield f"{iri} <{RDF_TYPE}> <{TREE}{kind}Relation> ."
    yield f"{iri} <{TREE}node> <{there}> ."
    yield f"{iri} <{TREE}path> <{ACTIVITY}published> ."
    yield f'{iri} <{TREE}value> "{value}"^^<{DATE_TIME}> .'


def retention(home: str, first: str) -> Iterator[str]:
    """That all versions are kept since the first one."""
    policy = f"<{home}#retention>"
    yield f"<{home}> <{LDES}retentionPolicy> {policy} ."
    yield f"{policy} <{RDF_TYPE}> <{LDES}RetentionPolicy> ."
    yield f'{policy} <{LDES}startingFrom> "{first}"^^<{DATE_TIME}> .'


def page_spans(log: Log, number: int) -> list[Span]:
    """The pages of a shelf."""
    first = (number - 1) * SHELF + 1
    return [
        Span(f"{log.name}/{page}", begin, end, page < log.open_page)
        for page, begin, end in log.spans(first, first + SHELF - 1)
    ]


def shelf_span(log: Log, number: int) -> Span | None:
    """A shelf; None where there is none of this number."""
    pages = page_spans(log, number)
    if not pages:
        return None
    closed = len(pages) == SHELF and pages[-1].closed
    return Span(f"{log.name}/shelf-{number}", pages[0].first, pages[-1].last, closed)


OFFERED = (TRIG, N_QUADS)
FOR_EVER = "public, max-age=31536000, immutable"
PREFIXES = {"as": ACTIVITY, "ldes": LDES, "tree": TREE, **OUTSIDE}
NUMBER = re.compile(r"(?P<shelf>shelf-)?(?P<number>[1-9]\d{0,14})")


async def stream(request: Request) -> Response:
    """The root of the event stream, which leads to all versions of things."""
    format_ = picked(request)
    log = await stream_of(request).whole()
    return await run_sync(lambda: written(request, root(log, home(request)), format_))


async def node(request: Request, path: str) -> Response:
    """A page of the event stream, or a shelf of pages; it never changes once it is full.

    Raises Problem 404.
    """
    format_ = picked(request)
    log = await stream_of(request).whole()
    name, _, rest = path.partition("/")
    asked = NUMBER.fullmatch(rest)
    if name != log.name or not asked:
        raise unknown(path, log)
    make = shelf if asked["shelf"] else page
    made = await run_sync(make, log, home(request), int(asked["number"]))
    if made is None:
        raise unknown(path, log)
    return await run_sync(written, request, made, format_)


def picked(request: Request) -> Format:
    """The format of the answer. Raises Problem 400, 406."""
    only(request, ("_mediatype",))
    return pick(request, OFFERED)


def stream_of(request: Request) -> Stream:
    """The versions that the service tells of."""
    found: Stream = request.app.state.stream
    return found


def home(request: Request) -> str:
    """The address of the root, at which clients find the other nodes, too."""
    return f"{request.base_url}changes"


def written(request: Request, made: Node, format_: Format) -> Response:
    """A node in a format, its quads in their order, so that its bytes stay the same."""
    body = made.text.encode()
    if format_ is not N_QUADS:
        quads = ox.parse(body, ox.RdfFormat.N_QUADS)
        prefixes = {prefix: iri for prefix, iri in PREFIXES.items() if iri in made.text}
        body = ox.serialize(quads, format=rdf_format(format_.media_type), prefixes=prefixes) or b""
    headers = {"Cache-Control": FOR_EVER} if made.closed and "authorization" not in request.headers else {}
    return answer(request, body, format_, headers=headers)


def unknown(path: str, log: Log) -> Problem:
    """The 404 for a node."""
    where = f"Its pages are {log.name}/1 to {log.name}/{log.open_page}." if log.last else "It is empty."
    return Problem(404, f"The event stream has no page {path!r}. {where} Begin at /changes.")
