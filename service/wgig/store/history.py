"""The versions of each graph, as recorded in the graph `history`, and the content of each version.

A version is named after the time of the write that made it. Whether a graph still has its last recorded
version is recognized by a digest: the SHA-256 of its N-Triples, independent of their order and of blank node
labels. After a write that records no history, such as `wgig load`, the state of the graph is an unrecorded
version. The graph `history` itself can be read as it was at an earlier version.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple, Protocol
from urllib.parse import quote, unquote

import pyoxigraph as ox

from ..rdf.namespaces import PROV_ENDED_AT_TIME, RDFS_LABEL, VOID_TRIPLES, WGIG_DIGEST, expand_curie
from .errors import MissingChangesError
from .store import Store
from .view import select_solutions, serialize_values_block

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
# The digest that identifies the content in the OldContents.
DCTERMS_IDENTIFIER = expand_curie("dcterms:identifier")
SCHEMA_ENCODING_FORMAT = expand_curie("schema:encodingFormat")
WGIG_TRIPLES_ADDED, WGIG_TRIPLES_REMOVED = (
    expand_curie(f"wgig:{name}") for name in ("triplesAdded", "triplesRemoved")
)

MAX_LISTED_VERSIONS = 20  # of a graph, on one HTML page
UNRECORDED_VERSION_PREFIX = "before-"  # of the name of a state that no write recorded
VERSION_TIME_FORMAT = "%Y%m%dT%H%M%S%fZ"  # no dot, as a dot in a URL starts the suffix of a format
BLANK_LABEL_PATTERN = re.compile(rb"_:[0-9A-Za-z]+")

# %s: the IRIs of the graph `history` and of the graph whose versions are listed.
GRAPH_VERSIONS_QUERY = f"""
SELECT ?version ?since ?until ?digest ?triples ?added ?removed ?writer {{ GRAPH <%s> {{
  ?version <{PROV_SPECIALIZATION_OF.value}> <%s> .
  OPTIONAL {{
    ?version <{PROV_WAS_GENERATED_BY.value}> ?write .
    ?write <{PROV_ENDED_AT_TIME.value}> ?since ;
      <{PROV_WAS_ASSOCIATED_WITH.value}>/<{RDFS_LABEL.value}> ?writer
  }}
  OPTIONAL {{
    ?version <{PROV_WAS_INVALIDATED_BY.value}>/<{PROV_ENDED_AT_TIME.value}> ?until ;
      <{DCTERMS_IDENTIFIER.value}> ?digest
  }}
  OPTIONAL {{ ?version <{VOID_TRIPLES.value}> ?triples }}
  OPTIONAL {{ ?version <{WGIG_TRIPLES_ADDED.value}> ?added ; <{WGIG_TRIPLES_REMOVED.value}> ?removed }}
}} }}"""

# The time of the last recorded write of each graph, by its URL.
WRITE_TIMES_QUERY = f"""
SELECT ?graph (MAX(?time) AS ?latest) {{ VALUES ?graph {{ %s }} GRAPH <%s> {{
  ?version <{PROV_SPECIALIZATION_OF.value}> ?graph ;
    <{PROV_WAS_GENERATED_BY.value}>/<{PROV_ENDED_AT_TIME.value}> ?time
}} }} GROUP BY ?graph"""


@dataclass(frozen=True)
class GraphVersion:
    """A version of a graph: its name, and the times when it became current and was replaced.

    `since` is None if it is unknown, `until` if the version is current. `content_digest` identifies the
    content in the OldContents; it is empty for the current version. `added` and `removed` are numbers of
    triples compared to the version before. They are 0, and `writer_name` is empty, for an unrecorded version.
    """

    name: str
    since: datetime | None
    until: datetime | None
    content_digest: str
    triples: int
    added: int
    removed: int
    writer_name: str

    @property
    def time(self) -> datetime:
        """A time when the version was current."""
        time = self.since or (self.until and self.until - timedelta(microseconds=1))
        assert time is not None
        return time


class RecordedGraphChange(NamedTuple):
    """What a write did to a graph (None: the unnamed graph): the numbers of triples added and removed.

    `version` is the name of the version that it made; empty if it deleted the graph.
    """

    graph: str | None
    version: str
    added: int
    removed: int


class RecordedWrite(NamedTuple):
    """A write in the history: the name of its writer, and the graphs that it changed."""

    writer_name: str
    changes: list[RecordedGraphChange]


class OldContents(Protocol):
    """The contents that graphs had before. Methods raise StoreError."""

    def keep_content(self, content: bytes) -> str:
        """Keep a content (sorted N-Triples), unless the commit that replaces it does. Returns its SHA-256."""

    def read_content(self, digest: str) -> bytes:
        """The content with this SHA-256."""


class GraphHistory:
    """Reads the recorded versions of graphs. A graph is given by its IRI, None for the unnamed graph."""

    def __init__(self, base: str, contents: OldContents) -> None:
        """Take the base IRI of the graphs, and the store of the contents of their versions."""
        self.base = base
        self.contents = contents
        self.graph = ox.NamedNode(f"{base}graph/history")

    def version_iri(self, graph: str | None, name: str) -> ox.NamedNode:
        """The IRI of a version, which is also its URL."""
        url = build_graph_url(graph, self.base)
        return ox.NamedNode(f"{url}{'&' if '?' in url else '?'}version={name}")

    def current_version(self, store: Store, node: ox.NamedNode) -> ox.NamedNode | None:
        """The version of a graph that its last recorded write made; None if no write is recorded."""
        version = self.find_object(store, node, DCAT_HAS_CURRENT_VERSION)
        assert version is None or isinstance(version, ox.NamedNode)
        return version

    def find_object(self, store: Store, subject: ox.NamedNode, predicate: ox.NamedNode) -> object:
        """The object of a triple in the history graph; None if there is no such triple."""
        triples = store.triples(self.graph.value, subject, predicate)
        return next((triple.object for triple in triples), None)

    def find_write(self, store: Store, time: datetime, max_graphs: int) -> RecordedWrite | None:
        """The write of this time, with up to `max_graphs` graphs; None if it is not recorded."""
        name = time.strftime(VERSION_TIME_FORMAT)
        activity = ox.NamedNode(f"{self.base}id/write/{name}")
        writer = self.find_object(store, activity, PROV_WAS_ASSOCIATED_WITH)
        if not isinstance(writer, ox.NamedNode):
            return None
        changes = dict[object, RecordedGraphChange]()
        for property_ in (PROV_WAS_GENERATED_BY, PROV_WAS_INVALIDATED_BY):
            quads = (quad for quad in store.match(None, property_, activity) if quad.graph_name == self.graph)
            for quad in islice(quads, max_graphs):
                version = quad.subject
                assert isinstance(version, ox.NamedNode)
                graph_node = self.find_object(store, version, PROV_SPECIALIZATION_OF)
                if graph_node in changes or not isinstance(graph_node, ox.NamedNode):
                    continue  # a version that the write replaced
                is_deleted = property_ == PROV_WAS_INVALIDATED_BY
                changes[graph_node] = RecordedGraphChange(
                    parse_graph_url(graph_node.value, self.base),
                    "" if is_deleted else name,
                    0 if is_deleted else self.read_count(store, version, WGIG_TRIPLES_ADDED),
                    self.read_count(store, version, VOID_TRIPLES if is_deleted else WGIG_TRIPLES_REMOVED),
                )
        writer_name = self.find_object(store, writer, RDFS_LABEL)
        return RecordedWrite(
            writer_name.value if isinstance(writer_name, ox.Literal) else "", [*changes.values()]
        )

    def read_count(self, store: Store, subject: ox.NamedNode, property_: ox.NamedNode) -> int:
        """A number of triples in the history graph; 0 if it is not recorded."""
        number = self.find_object(store, subject, property_)
        return int(number.value) if isinstance(number, ox.Literal) else 0

    def list_versions(self, store: Store, graph: str | None) -> list[GraphVersion]:
        """The versions of a graph whose content is available, oldest first."""
        graph_iri = build_graph_url(graph, self.base)
        if not self.has_versions(store, graph_iri):
            return []
        current = self.current_version(store, ox.NamedNode(graph_iri))
        rows = select_solutions(store, GRAPH_VERSIONS_QUERY % (self.graph.value, graph_iri))
        versions = [
            parse_version_row(row)
            for row in rows
            if "digest" in row or (current and row["version"] == current)
        ]
        return sorted(versions, key=lambda version: (version.time, version.until is None))

    def has_versions(self, store: Store, url: str) -> bool:
        """Whether versions of the graph with this URL are recorded. Most shipped graphs have none.

        To look this up takes a hundredth of the time of a query.
        """
        quads = store.match(None, PROV_SPECIALIZATION_OF, ox.NamedNode(url))
        return any(quad.graph_name == self.graph for quad in quads)

    def find_write_times(self, store: Store, graphs: Sequence[str]) -> dict[str, datetime]:
        """The time of the last recorded write of each graph that has one, by the IRI of the graph."""
        urls = {graph: build_graph_url(graph, self.base) for graph in graphs}
        graphs_by_url = {url: graph for graph, url in urls.items() if self.has_versions(store, url)}
        if not graphs_by_url:
            return {}
        values = serialize_values_block(graphs_by_url)
        rows = select_solutions(store, WRITE_TIMES_QUERY % (values, self.graph.value))
        return {
            graphs_by_url[row["graph"].value]: datetime.fromisoformat(row["latest"].value)
            for row in rows
            if "latest" in row
        }

    def read_version(self, store: Store, graph: str | None, version: GraphVersion) -> bytes | None:
        """The content of a version as N-Triples; None if it is neither current nor recorded.

        Raises StoreError.
        """
        if version.content_digest:
            return self.contents.read_content(version.content_digest)
        current_lines = read_graph_lines(store, graph)
        if self.find_object(store, self.version_iri(graph, version.name), WGIG_DIGEST) == ox.Literal(
            digest_n_triples(current_lines)
        ):
            return b"".join(sorted(current_lines))
        digests = [
            candidate.content_digest
            for candidate in self.list_versions(store, graph)
            if candidate.name == version.name and candidate.content_digest
        ]
        return self.contents.read_content(digests[0]) if digests else None


def parse_version_row(row: dict[str, ox.Literal]) -> GraphVersion:
    """The version in a row of GRAPH_VERSIONS_QUERY."""

    def read_count(name: str) -> int:
        return int(row[name].value) if name in row else 0

    def read_time(name: str) -> datetime | None:
        return datetime.fromisoformat(row[name].value) if name in row else None

    return GraphVersion(
        name=row["version"].value.rpartition("version=")[2],
        since=read_time("since"),
        until=read_time("until"),
        content_digest=row["digest"].value if "digest" in row else "",
        triples=read_count("triples"),
        added=read_count("added"),
        removed=read_count("removed"),
        writer_name=row["writer"].value if "writer" in row else "",
    )


def build_graph_url(graph: str | None, base: str) -> str:
    """The URL of a graph: the IRI of the graph if it is below the base, else a Graph Store Protocol URL."""
    if graph is None:
        return f"{base}graphs?default"
    return graph if graph.startswith(f"{base}graph/") else f"{base}graphs?graph={quote(graph, safe='')}"


def parse_graph_url(url: str, base: str) -> str | None:
    """The IRI of the graph with this URL (see `build_graph_url`); None for the unnamed graph."""
    if url == build_graph_url(None, base):
        return None
    prefix = build_graph_url("", base)
    return unquote(url.removeprefix(prefix)) if url.startswith(prefix) else url


def read_graph_lines(store: Store, graph: str | None) -> set[bytes]:
    """The N-Triples lines of a graph."""
    return set(store.serialize_graph(graph, "application/n-triples").splitlines(keepends=True))


def digest_n_triples(lines: Iterable[bytes]) -> str:
    """The SHA-256 of N-Triples in hexadecimal, independent of their order and blank node labels."""
    return hashlib.sha256(
        b"".join(sorted({BLANK_LABEL_PATTERN.sub(b"_:", line) for line in lines}))
    ).hexdigest()


# The IRI of a write, of a resource below it, or of a version that it made or ended. The group is the
# timestamp.
TIMESTAMPED_IRI_PATTERN = re.compile(r"(?:/id/write/|[?&]version=(?:before-)?)(\d{8}T\d{12}Z)")
WRITER_IRI_PATTERN = re.compile(r"/id/writer/[^/]+$")


def history_at_version(triples: Iterable[ox.Triple], version: str) -> set[ox.Triple]:
    """The triples that the history graph had after the write whose timestamp is the name of the version.

    An empty version, or the number of a release, such as 0.1.0, sorts before all timestamps, and so before
    the first write.
    """
    recorded_triples = {
        triple
        for triple in triples
        if timestamp_of_term(triple.subject) <= version and timestamp_of_term(triple.object) <= version
    }
    ended_versions = {
        triple.subject for triple in recorded_triples if triple.predicate == PROV_WAS_INVALIDATED_BY
    }
    writers = {triple.object for triple in recorded_triples if triple.predicate == PROV_WAS_ASSOCIATED_WITH}
    triples_at_version = {
        triple
        for triple in recorded_triples
        if triple.predicate != DCAT_HAS_CURRENT_VERSION
        and (triple.predicate != DCTERMS_IDENTIFIER or triple.subject in ended_versions)
        and (not WRITER_IRI_PATTERN.search(iri_or_empty(triple.subject)) or triple.subject in writers)
    }
    return triples_at_version | set(iter_current_versions(triples_at_version))


def iter_current_versions(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    """A dcat:hasCurrentVersion triple for each graph, unless its last write deleted it."""
    graph_by_version = {
        triple.subject: triple.object for triple in triples if triple.predicate == PROV_SPECIALIZATION_OF
    }
    last_events: dict[ox.NamedNode, tuple[str, bool, ox.NamedNode]] = {}
    for triple in triples:
        graph = graph_by_version.get(triple.subject)
        if triple.predicate in (PROV_WAS_GENERATED_BY, PROV_WAS_INVALIDATED_BY) and isinstance(
            graph, ox.NamedNode
        ):
            assert isinstance(triple.subject, ox.NamedNode)
            event = (
                timestamp_of_term(triple.object),
                triple.predicate == PROV_WAS_GENERATED_BY,
                triple.subject,
            )
            # A write may end a version and make the next one at the same time: the next one is last.
            last_events[graph] = max(last_events.get(graph, event), event, key=lambda event: event[:2])
    for graph, (_, is_current, version) in last_events.items():
        if is_current:
            yield ox.Triple(graph, DCAT_HAS_CURRENT_VERSION, version)


def timestamp_of_term(term: object) -> str:
    """The timestamp in the IRI of a resource that a write made; for other terms empty, which sorts first."""
    match = TIMESTAMPED_IRI_PATTERN.search(iri_or_empty(term))
    return match[1] if match else ""


def iri_or_empty(term: object) -> str:
    """The text of an IRI; empty for other terms."""
    return term.value if isinstance(term, ox.NamedNode) else ""


def list_graph_versions(history: GraphHistory | None, store: Store, graph: str | None) -> list[GraphVersion]:
    """The versions of a graph, oldest first; empty if the service keeps no history."""
    return history.list_versions(store, graph) if history else []


def find_erased_digests(
    history: GraphHistory | None, store: Store, versions: Iterable[GraphVersion]
) -> frozenset[str]:
    """The digests of those versions whose content was erased, and did not come back since."""
    digests = {version.content_digest for version in versions} - {""}
    if history is None or not digests:
        return frozenset()
    return frozenset(
        digest
        for digest in digests.intersection(store.log.erased_digests)
        if is_content_lost(history, digest)
    )


def is_content_lost(history: GraphHistory, digest: str) -> bool:
    """Whether an old content is no longer in the change log."""
    try:
        history.contents.read_content(digest)
    except MissingChangesError:
        return True
    return False
