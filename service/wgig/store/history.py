"""The versions of each graph, as the graph `history` records them, and the content of each version.

A version is named after the time of the write that made it. The current one is recognized by its digest: the
SHA-256 of its N-Triples, whatever their order and the labels of blank nodes. If something else wrote the
graph since, such as `wgig load`, its state counts as an unrecorded version. The graph `history` itself can be
given as it was at an earlier version.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

import pyoxigraph as ox
from fastapi import Request

from ..rdf.namespaces import OUTSIDE, namespaces
from ..settings import Settings
from .files import Versions
from .store import Store
from .view import rows

PROV = OUTSIDE["prov"]
WGIG = namespaces(Settings.base)["wgig"]
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
CURRENT = ox.NamedNode(f"{OUTSIDE['dcat']}hasCurrentVersion")
KEPT = ox.NamedNode(f"{OUTSIDE['dcterms']}identifier")  # the digest under which the content is kept
TRIPLES = ox.NamedNode(f"{OUTSIDE['void']}triples")
MEDIA_TYPE = ox.NamedNode(f"{OUTSIDE['schema']}encodingFormat")
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
    """Tells the versions of the graphs of a store."""

    def __init__(self, base: str, versions: Versions) -> None:
        """Take the base of the graphs, and where contents are kept."""
        self.base = base
        self.versions = versions
        self.graph = ox.NamedNode(f"{base}graph/history")

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


def graph_iri(graph: str | None, base: str) -> str:
    """The IRI under which a graph is read: its own below the base, else that of the Graph Store Protocol."""
    if graph is None:
        return f"{base}graphs?default"
    return graph if graph.startswith(f"{base}graph/") else f"{base}graphs?graph={quote(graph, safe='')}"


def content(store: Store, graph: str | None) -> set[bytes]:
    """The lines of a graph as N-Triples."""
    return set(store.graph(graph, "application/n-triples").splitlines(keepends=True))


def digest(content: Iterable[bytes]) -> str:
    """The SHA-256 of N-Triples, whatever their order and the names of their blank nodes."""
    return hashlib.sha256(b"".join(sorted({BLANK.sub(b"_:", one) for one in content}))).hexdigest()


# The moment in the name of a write, of its parts, or of a version that it made or ended.
STAMPED = re.compile(r"(?:/id/write/|[?&]version=(?:before-)?)(\d{8}T\d{12}Z)")
WRITER = re.compile(r"/id/writer/[^/]+$")


def told(triples: Iterable[ox.Triple], version: str) -> set[ox.Triple]:
    """The triples of the history as they were after the write that a version is named after.

    An empty version, or the name of a release, is before the first write.
    """
    then = {one for one in triples if stamp(one.subject) <= version and stamp(one.object) <= version}
    ended = {one.subject for one in then if one.predicate == GONE}
    who = {one.object for one in then if one.predicate == WHO}
    kept = {
        one
        for one in then
        if one.predicate != CURRENT
        and (one.predicate != KEPT or one.subject in ended)
        and (not WRITER.search(text(one.subject)) or one.subject in who)
    }
    return kept | set(pointers(kept))


def pointers(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    """From each graph to the version that the last write of it made, unless that deleted it."""
    graphs = {one.subject: one.object for one in triples if one.predicate == OF}
    last: dict[ox.NamedNode, tuple[str, bool, ox.NamedNode]] = {}
    for one in triples:
        graph = graphs.get(one.subject)
        if one.predicate in (BY, GONE) and isinstance(graph, ox.NamedNode):
            assert isinstance(one.subject, ox.NamedNode)
            event = (stamp(one.object), one.predicate == BY, one.subject)
            last[graph] = max(last.get(graph, event), event, key=lambda event: event[:2])
    for graph, (_, made, version) in last.items():
        if made:
            yield ox.Triple(graph, CURRENT, version)


def stamp(term: object) -> str:
    """The moment in the name of what a write made; empty for all else, and so before any."""
    found = STAMPED.search(text(term))
    return found[1] if found else ""


def text(term: object) -> str:
    """An IRI as text; empty for all other terms."""
    return term.value if isinstance(term, ox.NamedNode) else ""


def versions(request: Request, graph: str | None) -> list[Version]:
    """The versions of a graph, the oldest first; none where no history is kept."""
    history: History | None = request.app.state.history
    return history.of(request.app.state.store, graph) if history else []
