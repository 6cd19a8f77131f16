"""The versions of a graph, as the graph `history` of the store tells them, and what each of them held.

A version is named after the moment of the write that made it. The current one is known by its digest: where
something else wrote the graph since, such as `wgig load`, its state counts as one that nobody recorded.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

import pyoxigraph as ox

from ..lookup import rows
from ..namespaces import OUTSIDE, namespaces
from ..settings import Settings
from ..store import Store
from .versions import Versions

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
