"""Who wrote what, when and from which file: PROV of each write, in the graph `history` of the store.

The record is written with the change, in one transaction. What a graph held before is kept first, so that its
versions can be read. The current version of a graph is known by its digest: where something else wrote the
graph since, such as `wgig load`, its state counts as one that nobody recorded.
"""

import hashlib
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pyoxigraph as ox

from .bodies import Part
from .changes import Change
from .commit import lines, touched
from .lookup import rows
from .namespaces import OUTSIDE, namespaces
from .rdf import quad
from .settings import Settings
from .store import Store
from .tokens import Token
from .versions import Versions

PROV, VOID, XSD = OUTSIDE["prov"], OUTSIDE["void"], OUTSIDE["xsd"]
WGIG = namespaces(Settings.base)["wgig"]
TYPE = ox.NamedNode(f"{OUTSIDE['rdf']}type")
LABEL = ox.NamedNode(f"{OUTSIDE['rdfs']}label")
OF, BY, GONE, REVISES, USED, WHO, AT = (
    ox.NamedNode(PROV + name)
    for name in (
        "specializationOf",
        "wasGeneratedBy",
        "wasInvalidatedBy",
        "wasRevisionOf",
        "used",
        "wasAssociatedWith",
        "endedAtTime",
    )
)
ACTIVITY, AGENT = ox.NamedNode(f"{PROV}Activity"), ox.NamedNode(f"{PROV}Agent")
CURRENT = ox.NamedNode(f"{OUTSIDE['dcat']}hasCurrentVersion")
KEPT = ox.NamedNode(f"{OUTSIDE['dcterms']}identifier")  # the digest under which the content is kept
TRIPLES = ox.NamedNode(f"{VOID}triples")
DIGEST, ADDED, REMOVED = (ox.NamedNode(WGIG + name) for name in ("digest", "triplesAdded", "triplesRemoved"))

BEFORE = "before-"  # begins the name of a state that no write recorded
STAMP = "%Y%m%dT%H%M%S%fZ"  # without a dot, behind which an address names a format
BLANK = re.compile(rb"_:[0-9A-Za-z]+")

VERSIONS = f"""
SELECT ?version ?since ?until ?kept ?triples ?added ?removed ?who {{ GRAPH <%s> {{
  ?version <{OF.value}> <%s> .
  OPTIONAL {{
    ?version <{BY.value}> ?write .
    ?write <{AT.value}> ?since ; <{WHO.value}>/<{LABEL.value}> ?who
  }}
  OPTIONAL {{ ?version <{GONE.value}>/<{AT.value}> ?until ; <{KEPT.value}> ?kept }}
  OPTIONAL {{ ?version <{TRIPLES.value}> ?triples }}
  OPTIONAL {{ ?version <{ADDED.value}> ?added ; <{REMOVED.value}> ?removed }}
}} }}"""


@dataclass(frozen=True)
class Write:
    """A write as it was asked for: by which token, in which words, with which files."""

    token: Token
    title: str
    files: Sequence[Part]


@dataclass(frozen=True)
class Version:
    """A state of a graph: its name, and since and until when it was the current one, as far as known.

    `kept` is the digest under which its content is kept, empty for the current one. `who` made it out of the
    one before by adding and removing so many triples; a state that no write recorded has no such thing.
    """

    name: str
    since: datetime | None
    until: datetime | None
    kept: str
    triples: int
    added: int
    removed: int
    who: str

    @property
    def at(self) -> datetime:
        """A moment at which it was the current state."""
        moment = self.since or (self.until and self.until - timedelta(microseconds=1))
        assert moment is not None
        return moment


class History:
    """Records writes, and tells the versions of a graph."""

    def __init__(self, base: str, versions: Versions) -> None:
        """Take the base of the graphs, and where contents are kept."""
        self.base = base
        self.versions = versions
        self.graph = ox.NamedNode(f"{base}graph/history")
        self.last = datetime.min.replace(tzinfo=UTC)
        self.lock = threading.Lock()

    def recorded(self, store: Store, change: Change, write: Write) -> Change:
        """The change with the record of it; what it replaces is kept by then. Raises StoreError.

        Nobody else may write until it is made.
        """
        at = self.moment()
        name = at.strftime(STAMP)
        activity = ox.NamedNode(f"{self.base}id/write/{name}")
        record = set(self.asked(activity, at, write))
        over = set[ox.Triple]()
        for graph in sorted(graphs_of(change), key=str):
            new, old = self.turned(store, graph, change, activity, name)
            record |= new
            over |= old
        made = () if store.has(self.graph.value) else (self.graph.value,)
        return Change(
            (*change.removed, *(quad(one, self.graph) for one in over)),
            (*change.added, *(quad(one, self.graph) for one in record)),
            change.dropped,
            (*change.made, *made),
        )

    def moment(self) -> datetime:
        """Now, or the first moment after the last one that was told."""
        with self.lock:
            self.last = max(datetime.now(UTC), self.last + timedelta(microseconds=1))
            return self.last

    def asked(self, activity: ox.NamedNode, at: datetime, write: Write) -> Iterator[ox.Triple]:
        """Who asked for what, and when, with the digests of the files."""
        writer = ox.NamedNode(f"{self.base}id/writer/{write.token.id}")
        yield ox.Triple(writer, TYPE, AGENT)
        yield ox.Triple(writer, LABEL, ox.Literal(write.token.name))
        yield ox.Triple(activity, TYPE, ACTIVITY)
        yield ox.Triple(activity, LABEL, ox.Literal(write.title, language="en"))
        yield ox.Triple(activity, AT, typed(at.isoformat(timespec="microseconds"), "dateTime"))
        yield ox.Triple(activity, WHO, writer)
        for number, file in enumerate(write.files, 1):
            node = ox.NamedNode(f"{activity.value}/file-{number}")
            yield ox.Triple(activity, USED, node)
            yield ox.Triple(node, LABEL, ox.Literal(file.name or file.content_type))
            yield ox.Triple(node, DIGEST, ox.Literal(hashlib.sha256(file.body).hexdigest()))

    def turned(
        self, store: Store, graph: str | None, change: Change, activity: ox.NamedNode, name: str
    ) -> tuple[set[ox.Triple], set[ox.Triple]]:
        """How a graph turns from one version into the next: what to record, and what is so no more."""
        node = ox.NamedNode(graph_iri(graph, self.base))
        before = content(store, graph)
        current = self.current(store, node)
        over = {ox.Triple(node, CURRENT, current)} if current else set()
        if current and self.said(store, current, DIGEST) != ox.Literal(digest(before)):
            current = None
        record = set[ox.Triple]()
        old = None
        if current or (graph not in change.made and (before or graph is not None)):
            old = current or self.version(graph, BEFORE + name)
            record |= {
                ox.Triple(old, OF, node),
                ox.Triple(old, TRIPLES, number(len(before))),
                ox.Triple(old, GONE, activity),
                ox.Triple(old, KEPT, ox.Literal(self.versions.keep(b"".join(sorted(before))))),
            }
        if graph not in change.dropped:
            new = self.version(graph, name)
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

    def version(self, graph: str | None, name: str) -> ox.NamedNode:
        """The IRI of a version, which is where it is read."""
        iri = graph_iri(graph, self.base)
        return ox.NamedNode(f"{iri}{'&' if '?' in iri else '?'}version={name}")

    def current(self, store: Store, node: ox.NamedNode) -> ox.NamedNode | None:
        """The version that the last recorded write made of a graph."""
        found = self.said(store, node, CURRENT)
        assert found is None or isinstance(found, ox.NamedNode)
        return found

    def said(self, store: Store, subject: ox.NamedNode, predicate: ox.NamedNode) -> object:
        """What the history says of something; None where it says nothing."""
        found = store.triples(self.graph.value, subject, predicate)
        return next((one.object for one in found), None)

    def of(self, store: Store, graph: str | None) -> list[Version]:
        """The versions of a graph that can be read, the oldest first."""
        node = graph_iri(graph, self.base)
        current = self.current(store, ox.NamedNode(node))
        found = rows(store, VERSIONS % (self.graph.value, node))
        versions = [version(row) for row in found if "kept" in row or (current and row["version"] == current)]
        return sorted(versions, key=lambda one: (one.at, one.until is None))

    def lines(self, store: Store, graph: str | None, wanted: Version) -> bytes | None:
        """A version as N-Triples; None where it was not recorded what became of it. Raises StoreError."""
        if wanted.kept:
            return self.versions.content(wanted.kept)
        held = content(store, graph)
        if self.said(store, self.version(graph, wanted.name), DIGEST) == ox.Literal(digest(held)):
            return b"".join(sorted(held))
        replaced = [one.kept for one in self.of(store, graph) if one.name == wanted.name and one.kept]
        return self.versions.content(replaced[0]) if replaced else None


def version(row: dict[str, ox.Literal]) -> Version:
    """A version from a row of the query for them."""

    def count(name: str) -> int:
        return int(row[name].value) if name in row else 0

    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(row[name].value) if name in row else None

    return Version(
        name=row["version"].value.rpartition("version=")[2],
        since=moment("since"),
        until=moment("until"),
        kept=row["kept"].value if "kept" in row else "",
        triples=count("triples"),
        added=count("added"),
        removed=count("removed"),
        who=row["who"].value if "who" in row else "",
    )


def graphs_of(change: Change) -> set[str | None]:
    """The graphs that a change is about, None for the default graph."""
    named = touched((*change.removed, *change.added))
    iris = {one.value if isinstance(one, ox.NamedNode) else None for one in named}
    return iris.union(change.dropped, change.made)


def graph_iri(graph: str | None, base: str) -> str:
    """The IRI under which a graph is read: its own below the base, else that of the Graph Store Protocol."""
    if graph is None:
        return f"{base}graphs?default"
    return graph if graph.startswith(f"{base}graph/") else f"{base}graphs?graph={quote(graph, safe='')}"


def after(store: Store, graph: str, change: Change) -> set[bytes]:
    """The lines of a graph as the change makes it."""
    gone, come = (those_of(graph, quads) for quads in (change.removed, change.added))
    return (content(store, graph) - gone) | come


def content(store: Store, graph: str | None) -> set[bytes]:
    """The lines of a graph as N-Triples."""
    return set(store.graph(graph, "application/n-triples").splitlines(keepends=True))


def those_of(graph: str | None, quads: Iterable[ox.Quad]) -> set[bytes]:
    """The lines of the quads that are in a graph."""
    found = (one.triple for one in quads if getattr(one.graph_name, "value", None) == graph)
    return set(lines(found).encode().splitlines(keepends=True))


def digest(content: Iterable[bytes]) -> str:
    """The SHA-256 of N-Triples, whatever their order and the names of their blank nodes."""
    return hashlib.sha256(b"".join(sorted({BLANK.sub(b"_:", one) for one in content}))).hexdigest()


def number(count: int) -> ox.Literal:
    """A count."""
    return typed(str(count), "integer")


def typed(value: str, datatype: str) -> ox.Literal:
    """A value of a datatype of XML Schema."""
    return ox.Literal(value, datatype=ox.NamedNode(XSD + datatype))
