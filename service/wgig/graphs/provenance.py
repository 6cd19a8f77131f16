"""Who wrote what, when and from which file: PROV of each write, made with the change, in one transaction.

What a graph held before is kept first, so that no version is told of that cannot be read.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyoxigraph as ox

from ..http.auth import Token
from ..http.bodies import Part
from ..rdf.namespaces import OUTSIDE
from ..rdf.serialization import quad
from ..store.change import Change
from ..store.commit import lines, touched
from ..store.history import (
    ADDED,
    AT,
    BEFORE,
    BY,
    CURRENT,
    DIGEST,
    GONE,
    KEPT,
    LABEL,
    MEDIA_TYPE,
    OF,
    REMOVED,
    REVISES,
    STAMP,
    TRIPLES,
    USED,
    WHO,
    History,
    content,
    digest,
    graph_iri,
)
from ..store.store import Store
from ..store.view import rows
from ..text import cut

TYPE = ox.NamedNode(f"{OUTSIDE['rdf']}type")
ACTIVITY, AGENT = (ox.NamedNode(f"{OUTSIDE['prov']}{name}") for name in ("Activity", "Agent"))

LONG_AGO = datetime.min.replace(tzinfo=UTC)
LAST = f"SELECT (MAX(?at) AS ?last) {{ GRAPH <%s> {{ ?write <{AT.value}> ?at }} }}"


@dataclass(frozen=True)
class Write:
    """A write as it was asked for: by which token, in which words, with which files."""

    token: Token
    title: str
    files: Sequence[Part]


class Record:
    """Records writes in a history. Nobody else may write meanwhile."""

    def __init__(self, history: History, store: Store) -> None:
        """Take the history of a store, which goes on where it is."""
        self.history, self.store = history, store
        self.last: datetime | None = None
        self.settled = ""  # the name of the last write of this process that is on disk
        store.forgetting.append(self.forget)

    def forget(self) -> None:
        """Others wrote."""
        self.last, self.settled = None, ""

    def of(self, change: Change, write: Write) -> Change:
        """The change with the record of it; what it replaces is kept by then. Raises StoreError."""
        at = self.moment()
        name = at.strftime(STAMP)
        activity = ox.NamedNode(f"{self.history.base}id/write/{name}")
        record = set(self.asked(activity, at, write))
        over = set[ox.Triple]()
        for graph in sorted(graphs_of(change), key=str):
            new, old = self.turned(graph, change, activity, name)
            record |= new
            over |= old
        home = self.history.graph
        made = () if self.store.has(home.value) else (home.value,)
        return Change(
            (*change.removed, *(quad(one, home) for one in over)),
            (*change.added, *(quad(one, home) for one in record)),
            change.dropped,
            (*change.made, *made),
        )

    def settle(self) -> None:
        """The write that was recorded last is on disk."""
        assert self.last
        self.settled = self.last.strftime(STAMP)

    @property
    def version(self) -> str:
        """The name of the last write on record; empty before the first."""
        if not self.settled:
            last = self.last_recorded()
            self.settled = last.strftime(STAMP) if last > LONG_AGO else ""
        return self.settled

    def moment(self) -> datetime:
        """Now, or the first moment after the last one, whatever the clock says."""
        last = self.last or self.last_recorded()
        self.last = max(datetime.now(UTC), last + timedelta(microseconds=1))
        return self.last

    def last_recorded(self) -> datetime:
        """The moment of the last write on record."""
        found = rows(self.store, LAST % self.history.graph.value)
        return datetime.fromisoformat(found[0]["last"].value) if found and found[0] else LONG_AGO

    def asked(self, activity: ox.NamedNode, at: datetime, write: Write) -> Iterator[ox.Triple]:
        """Who asked for what, and when, and with which files: names, media types, digests."""
        writer = ox.NamedNode(f"{self.history.base}id/writer/{write.token.id}")
        yield ox.Triple(writer, TYPE, AGENT)
        yield ox.Triple(writer, LABEL, ox.Literal(write.token.name))
        yield ox.Triple(activity, TYPE, ACTIVITY)
        yield ox.Triple(activity, LABEL, ox.Literal(write.title, language="en"))
        yield ox.Triple(activity, AT, typed(at.isoformat(timespec="microseconds"), "dateTime"))
        yield ox.Triple(activity, WHO, writer)
        for number, file in enumerate(write.files, 1):
            node = ox.NamedNode(f"{activity.value}/file-{number}")
            yield ox.Triple(activity, USED, node)
            if file.name:
                yield ox.Triple(node, LABEL, ox.Literal(cut(file.name)))
            yield ox.Triple(node, MEDIA_TYPE, ox.Literal(cut(file.content_type)))
            yield ox.Triple(node, DIGEST, ox.Literal(hashlib.sha256(file.body).hexdigest()))

    def turned(
        self, graph: str | None, change: Change, activity: ox.NamedNode, name: str
    ) -> tuple[set[ox.Triple], set[ox.Triple]]:
        """How a graph turns from one version into the next: what to record, and what is so no more."""
        node = ox.NamedNode(graph_iri(graph, self.history.base))
        before = content(self.store, graph)
        current = self.history.current(self.store, node)
        over = {ox.Triple(node, CURRENT, current)} if current else set()
        if current and self.history.said(self.store, current, DIGEST) != ox.Literal(digest(before)):
            current = None
        record = set[ox.Triple]()
        old = None
        if current or (graph not in change.made and (before or graph is not None)):
            old = current or self.history.version(graph, BEFORE + name)
            record |= {
                ox.Triple(old, OF, node),
                ox.Triple(old, TRIPLES, number(len(before))),
                ox.Triple(old, GONE, activity),
                ox.Triple(old, KEPT, ox.Literal(self.history.versions.keep(b"".join(sorted(before))))),
            }
        if graph not in change.dropped:
            new = self.history.version(graph, name)
            gone, come = (those_of(graph, quads) for quads in (change.removed, change.added))
            now = (before - gone) | come
            record |= {
                ox.Triple(node, CURRENT, new),
                ox.Triple(new, OF, node),
                ox.Triple(new, BY, activity),
                ox.Triple(new, TRIPLES, number(len(now))),
                ox.Triple(new, ADDED, number(len(come))),
                ox.Triple(new, REMOVED, number(len(gone))),
                ox.Triple(new, DIGEST, ox.Literal(digest(now))),
                *([ox.Triple(new, REVISES, old)] if old else []),
            }
        return record, over


def graphs_of(change: Change) -> set[str | None]:
    """The graphs that a change is about, None for the default graph."""
    named = touched((*change.removed, *change.added))
    iris = {one.value if isinstance(one, ox.NamedNode) else None for one in named}
    return iris.union(change.dropped, change.made)


def after(store: Store, graph: str, change: Change) -> set[bytes]:
    """The lines of a graph as the change makes it."""
    gone, come = (those_of(graph, quads) for quads in (change.removed, change.added))
    return (content(store, graph) - gone) | come


def those_of(graph: str | None, quads: Iterable[ox.Quad]) -> set[bytes]:
    """The lines of the quads that are in a graph."""
    found = (one.triple for one in quads if getattr(one.graph_name, "value", None) == graph)
    return set(lines(found).encode().splitlines(keepends=True))


def number(count: int) -> ox.Literal:
    """A count."""
    return typed(str(count), "integer")


def typed(value: str, datatype: str) -> ox.Literal:
    """A value of a datatype of XML Schema."""
    return ox.Literal(value, datatype=ox.NamedNode(OUTSIDE["xsd"] + datatype))
