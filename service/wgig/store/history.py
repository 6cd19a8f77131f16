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

from ..rdf.namespaces import PROV_ENDED_AT_TIME, RDFS_LABEL, VOID_TRIPLES, WGIG_DIGEST, expand_curie
from .files import ContentStore
from .store import Store
from .view import select_solutions

(
    PROV_SPECIALIZATION_OF,
    PROV_WAS_GENERATED_BY,
    PROV_WAS_INVALIDATED_BY,
    PROV_WAS_REVISION_OF,
    PROV_USED,
    PROV_WAS_ASSOCIATED_WITH,
) = (
    expand_curie(f"prov:{name}")
    for name in (
        "specializationOf",
        "wasGeneratedBy",
        "wasInvalidatedBy",
        "wasRevisionOf",
        "used",
        "wasAssociatedWith",
    )
)
DCAT_HAS_CURRENT_VERSION = expand_curie("dcat:hasCurrentVersion")
# The digest under which the content is kept.
DCTERMS_IDENTIFIER = expand_curie("dcterms:identifier")
SCHEMA_ENCODING_FORMAT = expand_curie("schema:encodingFormat")
WGIG_TRIPLES_ADDED, WGIG_TRIPLES_REMOVED = (
    expand_curie(f"wgig:{name}") for name in ("triplesAdded", "triplesRemoved")
)

MAX_LISTED_VERSIONS = 20  # of a graph, on a page
UNRECORDED_VERSION_PREFIX = "before-"  # begins the name of a state that no write recorded
VERSION_TIME_FORMAT = "%Y%m%dT%H%M%S%fZ"  # without a dot, behind which an address names a format
BLANK_LABEL_PATTERN = re.compile(rb"_:[0-9A-Za-z]+")

GRAPH_VERSIONS_QUERY = f"""
SELECT ?version ?since ?until ?kept ?triples ?added ?removed ?who {{ GRAPH <%s> {{
  ?version <{PROV_SPECIALIZATION_OF.value}> <%s> .
  OPTIONAL {{
    ?version <{PROV_WAS_GENERATED_BY.value}> ?write .
    ?write <{PROV_ENDED_AT_TIME.value}> ?since ;
      <{PROV_WAS_ASSOCIATED_WITH.value}>/<{RDFS_LABEL.value}> ?who
  }}
  OPTIONAL {{
    ?version <{PROV_WAS_INVALIDATED_BY.value}>/<{PROV_ENDED_AT_TIME.value}> ?until ;
      <{DCTERMS_IDENTIFIER.value}> ?kept
  }}
  OPTIONAL {{ ?version <{VOID_TRIPLES.value}> ?triples }}
  OPTIONAL {{ ?version <{WGIG_TRIPLES_ADDED.value}> ?added ; <{WGIG_TRIPLES_REMOVED.value}> ?removed }}
}} }}"""


@dataclass(frozen=True)
class GraphVersion:
    """A state of a graph: its name, and since and until when it was the current one, as far as known.

    `content_digest` is the digest under which its content is kept, empty for the current one. `who` made it
    out of the one before by adding and removing so many triples; a state that no write recorded has no such
    thing.
    """

    name: str
    since: datetime | None
    until: datetime | None
    content_digest: str
    triples: int
    added: int
    removed: int
    who: str

    @property
    def moment(self) -> datetime:
        """A moment at which it was the current state."""
        moment = self.since or (self.until and self.until - timedelta(microseconds=1))
        assert moment is not None
        return moment


class GraphHistory:
    """Tells the versions of the graphs of a store."""

    def __init__(self, base: str, versions: ContentStore) -> None:
        """Take the base of the graphs, and where contents are kept."""
        self.base = base
        self.contents = versions
        self.graph = ox.NamedNode(f"{base}graph/history")

    def version_iri(self, graph: str | None, name: str) -> ox.NamedNode:
        """The IRI of a version, which is where it is read."""
        iri = readable_graph_iri(graph, self.base)
        return ox.NamedNode(f"{iri}{'&' if '?' in iri else '?'}version={name}")

    def current_version(self, store: Store, node: ox.NamedNode) -> ox.NamedNode | None:
        """The version that the last recorded write made of a graph."""
        found = self.find_object(store, node, DCAT_HAS_CURRENT_VERSION)
        assert found is None or isinstance(found, ox.NamedNode)
        return found

    def find_object(self, store: Store, subject: ox.NamedNode, predicate: ox.NamedNode) -> object:
        """What the history says of something; None where it says nothing."""
        found = store.triples(self.graph.value, subject, predicate)
        return next((one.object for one in found), None)

    def list_versions(self, store: Store, graph: str | None) -> list[GraphVersion]:
        """The versions of a graph that can be read, the oldest first."""
        node = readable_graph_iri(graph, self.base)
        current = self.current_version(store, ox.NamedNode(node))
        found = select_solutions(store, GRAPH_VERSIONS_QUERY % (self.graph.value, node))
        versions = [
            parse_version_row(row)
            for row in found
            if "kept" in row or (current and row["version"] == current)
        ]
        return sorted(versions, key=lambda one: (one.moment, one.until is None))

    def read_version(self, store: Store, graph: str | None, wanted: GraphVersion) -> bytes | None:
        """A version as N-Triples; None where it was not recorded what became of it. Raises StoreError."""
        if wanted.content_digest:
            return self.contents.read(wanted.content_digest)
        held = read_graph_lines(store, graph)
        if self.find_object(store, self.version_iri(graph, wanted.name), WGIG_DIGEST) == ox.Literal(
            digest_n_triples(held)
        ):
            return b"".join(sorted(held))
        replaced = [
            one.content_digest
            for one in self.list_versions(store, graph)
            if one.name == wanted.name and one.content_digest
        ]
        return self.contents.read(replaced[0]) if replaced else None


def parse_version_row(row: dict[str, ox.Literal]) -> GraphVersion:
    """A version from a row of the query for them."""

    def count(name: str) -> int:
        return int(row[name].value) if name in row else 0

    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(row[name].value) if name in row else None

    return GraphVersion(
        name=row["version"].value.rpartition("version=")[2],
        since=moment("since"),
        until=moment("until"),
        content_digest=row["kept"].value if "kept" in row else "",
        triples=count("triples"),
        added=count("added"),
        removed=count("removed"),
        who=row["who"].value if "who" in row else "",
    )


def readable_graph_iri(graph: str | None, base: str) -> str:
    """The IRI under which a graph is read: its own below the base, else that of the Graph Store Protocol."""
    if graph is None:
        return f"{base}graphs?default"
    return graph if graph.startswith(f"{base}graph/") else f"{base}graphs?graph={quote(graph, safe='')}"


def read_graph_lines(store: Store, graph: str | None) -> set[bytes]:
    """The lines of a graph as N-Triples."""
    return set(store.serialize_graph(graph, "application/n-triples").splitlines(keepends=True))


def digest_n_triples(content: Iterable[bytes]) -> str:
    """The SHA-256 of N-Triples, whatever their order and the names of their blank nodes."""
    return hashlib.sha256(
        b"".join(sorted({BLANK_LABEL_PATTERN.sub(b"_:", one) for one in content}))
    ).hexdigest()


# The moment in the name of a write, of its parts, or of a version that it made or ended.
STAMPED_IRI_PATTERN = re.compile(r"(?:/id/write/|[?&]version=(?:before-)?)(\d{8}T\d{12}Z)")
WRITER_IRI_PATTERN = re.compile(r"/id/writer/[^/]+$")


def history_at_version(triples: Iterable[ox.Triple], version: str) -> set[ox.Triple]:
    """The triples of the history as they were after the write that a version is named after.

    An empty version, or the name of a release, is before the first write.
    """
    then = {
        one
        for one in triples
        if stamp_of_term(one.subject) <= version and stamp_of_term(one.object) <= version
    }
    ended = {one.subject for one in then if one.predicate == PROV_WAS_INVALIDATED_BY}
    who = {one.object for one in then if one.predicate == PROV_WAS_ASSOCIATED_WITH}
    kept = {
        one
        for one in then
        if one.predicate != DCAT_HAS_CURRENT_VERSION
        and (one.predicate != DCTERMS_IDENTIFIER or one.subject in ended)
        and (not WRITER_IRI_PATTERN.search(text_of_iri(one.subject)) or one.subject in who)
    }
    return kept | set(iter_current_versions(kept))


def iter_current_versions(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    """From each graph to the version that the last write of it made, unless that deleted it."""
    graphs = {one.subject: one.object for one in triples if one.predicate == PROV_SPECIALIZATION_OF}
    last: dict[ox.NamedNode, tuple[str, bool, ox.NamedNode]] = {}
    for one in triples:
        graph = graphs.get(one.subject)
        if one.predicate in (PROV_WAS_GENERATED_BY, PROV_WAS_INVALIDATED_BY) and isinstance(
            graph, ox.NamedNode
        ):
            assert isinstance(one.subject, ox.NamedNode)
            event = (stamp_of_term(one.object), one.predicate == PROV_WAS_GENERATED_BY, one.subject)
            last[graph] = max(last.get(graph, event), event, key=lambda event: event[:2])
    for graph, (_, made, version) in last.items():
        if made:
            yield ox.Triple(graph, DCAT_HAS_CURRENT_VERSION, version)


def stamp_of_term(term: object) -> str:
    """The moment in the name of what a write made; empty for all else, and so before any."""
    found = STAMPED_IRI_PATTERN.search(text_of_iri(term))
    return found[1] if found else ""


def text_of_iri(term: object) -> str:
    """An IRI as text; empty for all other terms."""
    return term.value if isinstance(term, ox.NamedNode) else ""


def list_graph_versions(history: GraphHistory | None, store: Store, graph: str | None) -> list[GraphVersion]:
    """The versions of a graph, the oldest first; none where no history is kept."""
    return history.list_versions(store, graph) if history else []
