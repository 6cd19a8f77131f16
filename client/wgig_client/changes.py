"""Changes of resources, read from the event stream of a service (Linked Data Event Streams, TREE)."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

import httpx2
import pyoxigraph as ox

from .calls import N_QUADS_MEDIA_TYPE, Call, invalid_response_error
from .errors import ServiceError
from .namespaces import ACTIVITY_STREAMS_NAMESPACE, EXTERNAL_NAMESPACES, TREE_NAMESPACE
from .values import IRI

TREE_MEMBER = ox.NamedNode(f"{TREE_NAMESPACE}member")
TYPE_PROPERTY = ox.NamedNode(f"{EXTERNAL_NAMESPACES['rdf']}type")
AS_OBJECT, AS_PUBLISHED = (
    ox.NamedNode(ACTIVITY_STREAMS_NAMESPACE + name) for name in ("object", "published")
)
STREAM_ID_PATTERN = re.compile(r"/changes/([0-9A-Za-z_-]+)/")  # in the URL of a node of the stream
ENVELOPE_QUADS = 3  # of a member after its tree:member: the activity, the resource and the time
POSITION_PATTERN = re.compile(r"([0-9A-Za-z_-]+)/([1-9][0-9]{0,8})\.([0-9]{1,9})")


class Change(NamedTuple):
    """A version of a resource.

    `kind` is `create`, `update` or `delete`. `quads` are all statements about the resource after the change,
    in their graphs. `position` is the place after it in the stream, for the argument `since` of `changes`.
    """

    resource: IRI
    kind: str
    time: datetime
    quads: tuple[ox.Quad, ...]
    position: str


class ChangeCursor:
    """A place in the event stream, and the calls that read what follows it."""

    def __init__(self, position: str) -> None:
        """Take a position; empty: the start of the stream. Raises ValueError for any other text."""
        if position and not POSITION_PATTERN.fullmatch(position):
            raise ValueError(
                f"{position!r} is not a position of changes. Give the `position` of changes that were read."
            )
        self.position = position
        self.is_page_closed = False

    def iter_calls(self) -> Iterator[Call[list[Change]]]:
        """The calls for all pages after the position. Each must be sent before the next one is taken."""
        if not self.position:
            yield self.build_call("changes", self.parse_root)
        while self.position:
            page = self.position.partition(".")[0]
            yield self.build_call(f"changes/{page}", self.parse_page)
            if not self.is_page_closed:
                return
            stream_id, _, number = page.partition("/")
            self.position = f"{stream_id}/{int(number) + 1}.0"

    def build_call(self, path: str, parse: Callable[[httpx2.Response], list[Change]]) -> Call[list[Change]]:
        """The call of a node of the stream."""
        return Call("GET", path, {"headers": {"Accept": N_QUADS_MEDIA_TYPE}}, parse)

    def parse_root(self, response: httpx2.Response) -> list[Change]:
        """Set the position to the first page, if there is one. No changes are at the root."""
        match = STREAM_ID_PATTERN.search(response.text)
        self.position = f"{match[1]}/1.0" if match else ""
        return []

    def parse_page(self, response: httpx2.Response) -> list[Change]:
        """The changes on the page after the position."""
        self.is_page_closed = "immutable" in response.headers.get("cache-control", "")
        page, _, count = self.position.partition(".")
        try:
            changes = [*parse_members(response.content, page)]
        except (SyntaxError, ValueError, KeyError) as error:
            raise invalid_response_error(f"is not a page of an event stream: {error}") from error
        if int(count) > len(changes):
            detail = f"The page {page} has only {len(changes)} changes. Read all changes again."
            raise ServiceError(None, "Unknown position", detail)
        return changes[int(count) :]


def parse_members(content: bytes, page: str) -> Iterator[Change]:
    """The members of a page in N-Quads; each starts with its tree:member."""
    members: list[list[ox.Quad]] = []
    for quad in ox.parse(content, ox.RdfFormat.N_QUADS):
        if quad.predicate == TREE_MEMBER:
            members.append([])
        elif members:
            members[-1].append(quad)
    for number, quads in enumerate(members, 1):
        yield parse_member(quads, f"{page}.{number}")


def parse_member(quads: list[ox.Quad], position: str) -> Change:
    """The change of a member. Raises KeyError if its resource, its time or its activity is missing."""
    envelope = {quad.predicate: quad.object for quad in quads[:ENVELOPE_QUADS]}
    resource, time, activity = envelope[AS_OBJECT], envelope[AS_PUBLISHED], envelope[TYPE_PROPERTY]
    assert isinstance(resource, ox.NamedNode)
    assert isinstance(time, ox.Literal)
    assert isinstance(activity, ox.NamedNode)
    return Change(
        IRI(resource.value),
        activity.value.removeprefix(ACTIVITY_STREAMS_NAMESPACE).lower(),
        datetime.fromisoformat(time.value),
        tuple(
            ox.Quad(resource, quad.predicate, quad.object, quad.graph_name) for quad in quads[ENVELOPE_QUADS:]
        ),
        position,
    )
