"""Provenance of writes (PROV): who wrote which graphs, when and from which files.

The record is added to the change and so committed in the same transaction. The previous content of each graph
is stored first, so that every version on record can be read.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyoxigraph as ox

from ..http.auth import AccessToken
from ..http.bodies import BodyPart
from ..rdf.literals import build_typed_literal
from ..rdf.namespaces import (
    PROV_ENDED_AT_TIME,
    PROV_NAMESPACE,
    RDF_TYPE,
    RDFS_LABEL,
    VOID_TRIPLES,
    WGIG_DIGEST,
)
from ..rdf.serialization import build_quad, serialize_n_triples
from ..store.change import BEGINNING_OF_TIME, Change
from ..store.commit import CheckResults, graphs_of_quads
from ..store.history import (
    DCAT_HAS_CURRENT_VERSION,
    DCTERMS_IDENTIFIER,
    PROV_SPECIALIZATION_OF,
    PROV_USED,
    PROV_WAS_ASSOCIATED_WITH,
    PROV_WAS_GENERATED_BY,
    PROV_WAS_INVALIDATED_BY,
    PROV_WAS_REVISION_OF,
    SCHEMA_ENCODING_FORMAT,
    UNRECORDED_VERSION_PREFIX,
    VERSION_TIME_FORMAT,
    WGIG_TRIPLES_ADDED,
    WGIG_TRIPLES_REMOVED,
    GraphHistory,
    digest_n_triples,
    read_graph_lines,
    readable_graph_iri,
)
from ..store.store import Store
from ..store.view import select_solutions
from ..text import shorten_untrusted_text

PROV_ACTIVITY_CLASS, PROV_AGENT_CLASS = (
    ox.NamedNode(f"{PROV_NAMESPACE}{name}") for name in ("Activity", "Agent")
)

LAST_WRITE_QUERY = (
    f"SELECT (MAX(?at) AS ?last) {{ GRAPH <%s> {{ ?write <{PROV_ENDED_AT_TIME.value}> ?at }} }}"
)


@dataclass(frozen=True)
class WriteRequest:
    """A requested write: the access token, a title such as `PUT /graph/x`, and the files sent.

    `checked` holds the results of the checks of papers that were done before, by digest.
    """

    token: AccessToken
    title: str
    files: Sequence[BodyPart]
    checked: CheckResults = field(default_factory=dict)


class ProvenanceRecorder:
    """Adds the provenance of writes to the history. Only one thread may write at a time."""

    def __init__(self, history: GraphHistory, store: Store) -> None:
        """Record writes to `store` in `history`, after the writes that it already holds."""
        self.history, self.store = history, store
        self.last_write_time: datetime | None = None
        self.last_durable_write = ""  # name of the last write known to be on disk; empty: not read yet
        store.on_external_write.append(self.reset)

    def reset(self) -> None:
        """Forget the last write, after another process wrote."""
        self.last_write_time, self.last_durable_write = None, ""

    def add_record(self, change: Change, write: WriteRequest) -> Change:
        """The change with its provenance added. First stores the replaced content. Raises StoreError."""
        time = self.next_write_time()
        write_name = time.strftime(VERSION_TIME_FORMAT)
        activity = ox.NamedNode(f"{self.history.base}id/write/{write_name}")
        record = set(self.request_triples(activity, time, write))
        obsolete = set[ox.Triple]()
        for graph in sorted(graphs_in_change(change), key=str):
            added_triples, removed_triples = self.graph_version_changes(graph, change, activity, write_name)
            record |= added_triples
            obsolete |= removed_triples
        history_graph = self.history.graph
        created = () if self.store.has_graph(history_graph.value) else (history_graph.value,)
        return Change(
            (*change.removed, *(build_quad(triple, history_graph) for triple in obsolete)),
            (*change.added, *(build_quad(triple, history_graph) for triple in record)),
            change.dropped,
            (*change.created, *created),
        )

    def mark_durable(self) -> None:
        """Note that the write recorded last is on disk."""
        assert self.last_write_time
        self.last_durable_write = self.last_write_time.strftime(VERSION_TIME_FORMAT)

    @property
    def last_write_name(self) -> str:
        """The name of the last write on record; empty before the first."""
        if not self.last_durable_write:
            last = self.last_recorded_time()
            self.last_durable_write = last.strftime(VERSION_TIME_FORMAT) if last > BEGINNING_OF_TIME else ""
        return self.last_durable_write

    def next_write_time(self) -> datetime:
        """The time of the next write: now, but at least 1 µs after the last, in case the clock went back."""
        last = self.last_write_time or self.last_recorded_time()
        self.last_write_time = max(datetime.now(UTC), last + timedelta(microseconds=1))
        return self.last_write_time

    def last_recorded_time(self) -> datetime:
        """The time of the last write on record, or BEGINNING_OF_TIME."""
        rows = select_solutions(self.store, LAST_WRITE_QUERY % self.history.graph.value)
        return datetime.fromisoformat(rows[0]["last"].value) if rows and rows[0] else BEGINNING_OF_TIME

    def request_triples(
        self, activity: ox.NamedNode, time: datetime, write: WriteRequest
    ) -> Iterator[ox.Triple]:
        """The writer, time, title and files (name, media type, SHA-256) of a write, as PROV."""
        writer = ox.NamedNode(f"{self.history.base}id/writer/{write.token.id}")
        yield ox.Triple(writer, RDF_TYPE, PROV_AGENT_CLASS)
        yield ox.Triple(writer, RDFS_LABEL, ox.Literal(write.token.name))
        yield ox.Triple(activity, RDF_TYPE, PROV_ACTIVITY_CLASS)
        yield ox.Triple(activity, RDFS_LABEL, ox.Literal(write.title, language="en"))
        yield ox.Triple(
            activity,
            PROV_ENDED_AT_TIME,
            build_typed_literal(time.isoformat(timespec="microseconds"), "dateTime"),
        )
        yield ox.Triple(activity, PROV_WAS_ASSOCIATED_WITH, writer)
        for number, file in enumerate(write.files, 1):
            node = ox.NamedNode(f"{activity.value}/file-{number}")
            yield ox.Triple(activity, PROV_USED, node)
            if file.file_name:
                yield ox.Triple(node, RDFS_LABEL, ox.Literal(shorten_untrusted_text(file.file_name)))
            yield ox.Triple(
                node, SCHEMA_ENCODING_FORMAT, ox.Literal(shorten_untrusted_text(file.content_type))
            )
            yield ox.Triple(node, WGIG_DIGEST, ox.Literal(hashlib.sha256(file.body).hexdigest()))

    def graph_version_changes(
        self, graph: str | None, change: Change, activity: ox.NamedNode, write_name: str
    ) -> tuple[set[ox.Triple], set[ox.Triple]]:
        """The triples to add to and to remove from the history for the new version of a graph."""
        node = ox.NamedNode(readable_graph_iri(graph, self.history.base))
        before = read_graph_lines(self.store, graph)
        current = self.history.current_version(self.store, node)
        obsolete = {ox.Triple(node, DCAT_HAS_CURRENT_VERSION, current)} if current else set()
        # WGIG_DIGEST does not depend on blank node labels. If it differs, something wrote the graph without a
        # record. DCTERMS_IDENTIFIER is the digest of the stored file, which has the labels.
        if current and self.history.find_object(self.store, current, WGIG_DIGEST) != ox.Literal(
            digest_n_triples(before)
        ):
            current = None
        record = set[ox.Triple]()
        old_version = None
        # The default graph exists if it has triples.
        existed_before = graph not in change.created and (bool(before) or graph is not None)
        if current or existed_before:
            old_version = current or self.history.version_iri(graph, UNRECORDED_VERSION_PREFIX + write_name)
            record |= {
                ox.Triple(old_version, PROV_SPECIALIZATION_OF, node),
                ox.Triple(old_version, VOID_TRIPLES, ox.Literal(len(before))),
                ox.Triple(old_version, PROV_WAS_INVALIDATED_BY, activity),
                ox.Triple(
                    old_version,
                    DCTERMS_IDENTIFIER,
                    ox.Literal(self.history.contents.keep(b"".join(sorted(before)))),
                ),
            }
        if graph not in change.dropped:
            new_version = self.history.version_iri(graph, write_name)
            removed, added = (lines_in_graph(graph, quads) for quads in (change.removed, change.added))
            after = (before - removed) | added
            record |= {
                ox.Triple(node, DCAT_HAS_CURRENT_VERSION, new_version),
                ox.Triple(new_version, PROV_SPECIALIZATION_OF, node),
                ox.Triple(new_version, PROV_WAS_GENERATED_BY, activity),
                ox.Triple(new_version, VOID_TRIPLES, ox.Literal(len(after))),
                ox.Triple(new_version, WGIG_TRIPLES_ADDED, ox.Literal(len(added))),
                ox.Triple(new_version, WGIG_TRIPLES_REMOVED, ox.Literal(len(removed))),
                ox.Triple(new_version, WGIG_DIGEST, ox.Literal(digest_n_triples(after))),
                *([ox.Triple(new_version, PROV_WAS_REVISION_OF, old_version)] if old_version else []),
            }
        return record, obsolete


def graphs_in_change(change: Change) -> set[str | None]:
    """The IRIs of the graphs that a change touches, None for the default graph."""
    graph_names = graphs_of_quads((*change.removed, *change.added))
    iris = {graph_name.value if isinstance(graph_name, ox.NamedNode) else None for graph_name in graph_names}
    return iris.union(change.dropped, change.created)


def graph_lines_after(store: Store, graph: str, change: Change) -> set[bytes]:
    """The N-Triples lines of a graph as it is after the change."""
    removed, added = (lines_in_graph(graph, quads) for quads in (change.removed, change.added))
    return (read_graph_lines(store, graph) - removed) | added


def lines_in_graph(graph: str | None, quads: Iterable[ox.Quad]) -> set[bytes]:
    """The quads of one graph as N-Triples lines."""
    triples = (quad.triple for quad in quads if getattr(quad.graph_name, "value", None) == graph)
    return set(serialize_n_triples(triples).splitlines(keepends=True))
