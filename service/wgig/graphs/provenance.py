"""Provenance of writes (PROV): who wrote which graphs, when and from which files.

The record of a write is part of its change, so both are committed in one transaction. Before the commit, the
previous content of each graph is stored, so that every recorded version can be read.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyoxigraph as ox
from wgig_client.literals import build_typed_literal

from ..http.auth import AccessToken
from ..http.bodies import BodyPart
from ..rdf.namespaces import (
    PROV_ENDED_AT_TIME,
    PROV_NAMESPACE,
    RDF_TYPE,
    RDFS_LABEL,
    VOID_TRIPLES,
    WGIG_DIGEST,
)
from ..rdf.serialization import build_quad, normalize_quads, serialize_n_triples
from ..store.change import BEGINNING_OF_TIME, Change
from ..store.change_log import CommitOrigin, NewCommit, ReplacedContent, SourceFile
from ..store.commit import CheckedQuads, graphs_of_quads
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
    build_graph_url,
    digest_n_triples,
    read_graph_lines,
)
from ..store.store import Store
from ..store.view import select_solutions
from ..text import shorten_untrusted_text

PROV_ACTIVITY_CLASS, PROV_AGENT_CLASS = (
    ox.NamedNode(f"{PROV_NAMESPACE}{name}") for name in ("Activity", "Agent")
)

# %s is the history graph.
LAST_WRITE_QUERY = (
    f"SELECT (MAX(?at) AS ?last) {{ GRAPH <%s> {{ ?write <{PROV_ENDED_AT_TIME.value}> ?at }} }}"
)


@dataclass(frozen=True)
class WriteRequest:
    """A requested write: the access token, a title such as `PUT /graph/x`, and the files that were sent.

    `checked_quads` are the results of the check of its papers before the write, as the conformance graph has
    them, by digest of the paper, so that each paper is checked once.
    """

    token: AccessToken
    title: str
    files: Sequence[BodyPart]
    checked_quads: CheckedQuads = field(default_factory=dict)

    @property
    def origin(self) -> CommitOrigin:
        """The writer, title and files, as the change log has them."""
        return CommitOrigin(
            self.token.id,
            self.title,
            tuple(
                SourceFile(
                    shorten_untrusted_text(file.file_name),
                    shorten_untrusted_text(file.content_type),
                    hashlib.sha256(file.body).hexdigest(),
                )
                for file in self.files
            ),
        )


class ProvenanceRecorder:
    """Adds the provenance of writes to the history. Only one thread may add records at a time."""

    def __init__(self, history: GraphHistory, store: Store) -> None:
        """Record writes to `store` in `history`, which may already have records of earlier writes."""
        self.history, self.store = history, store
        self.last_write_time: datetime | None = None  # None: not read yet
        self.last_durable_write = ""  # name of the last write known to be on disk; empty: not read yet
        store.on_external_write.append(self.reset)

    def reset(self) -> None:
        """Forget the last write, after another process wrote."""
        self.last_write_time, self.last_durable_write = None, ""

    def build_commit(self, change: Change, write: WriteRequest) -> NewCommit:
        """The commit of a change with its provenance, and with the contents that it replaces.

        Raises StoreError if the replaced contents cannot be stored.
        """
        time = self.next_write_time()
        write_name = time.strftime(VERSION_TIME_FORMAT)
        activity = ox.NamedNode(f"{self.history.base}id/write/{write_name}")
        record = set(self.request_triples(activity, time, write))
        obsolete, replaced = set[ox.Triple](), list[ReplacedContent]()
        for graph in sorted(graphs_in_change(change), key=str):
            added_triples, removed_triples, content = self.graph_version_changes(
                graph, change, activity, write_name
            )
            record |= added_triples
            obsolete |= removed_triples
            replaced += [content] if content else []
        history_graph = self.history.graph
        created = () if self.store.has_graph(history_graph.value) else (history_graph.value,)
        new_quads = normalize_quads(record, history_graph)
        recorded_change = Change(
            (*change.removed, *(build_quad(triple, history_graph) for triple in obsolete)),
            (*change.added, *(quad for quad in new_quads if not self.store.has_quad(quad))),
            change.dropped,
            (*change.created, *created),
        )
        return NewCommit(recorded_change, write.origin, time, replaced)

    def mark_durable(self) -> None:
        """Remember that the write of the last `build_commit` is on disk."""
        assert self.last_write_time
        self.last_durable_write = self.last_write_time.strftime(VERSION_TIME_FORMAT)

    @property
    def last_write_name(self) -> str:
        """The name of the last durable write, such as `20260101T120000000000Z`; empty before the first."""
        if not self.last_durable_write:
            last = self.last_recorded_time()
            self.last_durable_write = last.strftime(VERSION_TIME_FORMAT) if last > BEGINNING_OF_TIME else ""
        return self.last_durable_write

    def next_write_time(self) -> datetime:
        """The time of the next write: now, or 1 µs after the last write if the clock was set back."""
        last = self.last_write_time or self.last_recorded_time()
        self.last_write_time = max(self.store.log.next_time(), last + timedelta(microseconds=1))
        return self.last_write_time

    def last_recorded_time(self) -> datetime:
        """The time of the last recorded write, or BEGINNING_OF_TIME."""
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
            file_node = ox.NamedNode(f"{activity.value}/file-{number}")
            yield ox.Triple(activity, PROV_USED, file_node)
            if file.file_name:
                yield ox.Triple(file_node, RDFS_LABEL, ox.Literal(shorten_untrusted_text(file.file_name)))
            yield ox.Triple(
                file_node, SCHEMA_ENCODING_FORMAT, ox.Literal(shorten_untrusted_text(file.content_type))
            )
            yield ox.Triple(file_node, WGIG_DIGEST, ox.Literal(hashlib.sha256(file.body).hexdigest()))

    def graph_version_changes(
        self, graph: str | None, change: Change, activity: ox.NamedNode, write_name: str
    ) -> tuple[set[ox.Triple], set[ox.Triple], ReplacedContent | None]:
        """The triples to add to the history, and those to remove, for the new version of a graph.

        Also the content that the version replaces; None if the graph did not exist.
        """
        graph_node = ox.NamedNode(build_graph_url(graph, self.history.base))
        before = read_graph_lines(self.store, graph)
        current = self.history.current_version(self.store, graph_node)
        obsolete = {ox.Triple(graph_node, DCAT_HAS_CURRENT_VERSION, current)} if current else set()
        # If the digest differs, the graph was written without a record, and its content becomes a version
        # named after this write. WGIG_DIGEST does not depend on blank node labels; DCTERMS_IDENTIFIER is the
        # digest of the stored file, which contains these labels.
        if current and self.history.find_object(self.store, current, WGIG_DIGEST) != ox.Literal(
            digest_n_triples(before)
        ):
            current = None
        record = set[ox.Triple]()
        old_version, replaced = None, None
        # The default graph exists if it has triples.
        existed_before = graph not in change.created and (bool(before) or graph is not None)
        if current or existed_before:
            content = b"".join(sorted(before))
            replaced = ReplacedContent(graph, content, self.history.contents.keep_content(content))
            old_version = current or self.history.version_iri(graph, UNRECORDED_VERSION_PREFIX + write_name)
            record |= {
                ox.Triple(old_version, PROV_SPECIALIZATION_OF, graph_node),
                ox.Triple(old_version, VOID_TRIPLES, ox.Literal(len(before))),
                ox.Triple(old_version, PROV_WAS_INVALIDATED_BY, activity),
                ox.Triple(old_version, DCTERMS_IDENTIFIER, ox.Literal(replaced.digest)),
            }
        if graph not in change.dropped:
            new_version = self.history.version_iri(graph, write_name)
            removed, added = (lines_in_graph(graph, quads) for quads in (change.removed, change.added))
            after = (before - removed) | added
            record |= {
                ox.Triple(graph_node, DCAT_HAS_CURRENT_VERSION, new_version),
                ox.Triple(new_version, PROV_SPECIALIZATION_OF, graph_node),
                ox.Triple(new_version, PROV_WAS_GENERATED_BY, activity),
                ox.Triple(new_version, VOID_TRIPLES, ox.Literal(len(after))),
                ox.Triple(new_version, WGIG_TRIPLES_ADDED, ox.Literal(len(added))),
                ox.Triple(new_version, WGIG_TRIPLES_REMOVED, ox.Literal(len(removed))),
                ox.Triple(new_version, WGIG_DIGEST, ox.Literal(digest_n_triples(after))),
                *([ox.Triple(new_version, PROV_WAS_REVISION_OF, old_version)] if old_version else []),
            }
        return record, obsolete, replaced


def graphs_in_change(change: Change) -> set[str | None]:
    """The IRIs of the graphs that a change affects; None for the default graph."""
    graph_names = graphs_of_quads((*change.removed, *change.added))
    iris = {graph_name.value if isinstance(graph_name, ox.NamedNode) else None for graph_name in graph_names}
    return iris.union(change.dropped, change.created)


def graph_lines_after(store: Store, graph: str, change: Change) -> set[bytes]:
    """The N-Triples lines of a graph as it is after the change."""
    removed, added = (lines_in_graph(graph, quads) for quads in (change.removed, change.added))
    return (read_graph_lines(store, graph) - removed) | added


def lines_in_graph(graph: str | None, quads: Iterable[ox.Quad]) -> set[bytes]:
    """The quads of a graph (None: the default graph) as N-Triples lines."""
    triples = (quad.triple for quad in quads if getattr(quad.graph_name, "value", None) == graph)
    return set(serialize_n_triples(triples).splitlines(keepends=True))
