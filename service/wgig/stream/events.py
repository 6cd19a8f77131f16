"""/changes: all versions of things as a Linked Data Event Stream (https://w3id.org/ldes/specification)."""

import re

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..answers import answer, pick
from ..formats import N_QUADS, TRIG, Format
from ..namespaces import OUTSIDE
from ..parameters import only
from ..problems import Problem
from ..rdf import rdf_format
from . import nodes
from .keeping import Stream
from .log import Log
from .members import ACTIVITY, TREE

OFFERED = (TRIG, N_QUADS)
FOR_EVER = "public, max-age=31536000, immutable"
PREFIXES = {"as": ACTIVITY, "ldes": nodes.LDES, "tree": TREE, **OUTSIDE}
NUMBER = re.compile(r"(?P<shelf>shelf-)?(?P<number>[1-9]\d{0,14})")


async def stream(request: Request) -> Response:
    """The root of the event stream, which leads to all versions of things."""
    format_ = picked(request)
    log = await stream_of(request).whole()
    return await run_sync(lambda: written(request, nodes.root(log, home(request)), format_))


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
    make = nodes.shelf if asked["shelf"] else nodes.page
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


def written(request: Request, made: nodes.Node, format_: Format) -> Response:
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
