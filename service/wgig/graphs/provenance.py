"""Who wrote what, when and from which file: PROV of each write, made with the change, in one transaction.

What a graph held before is kept first, so that no version is told of that cannot be read.
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
from ..rdf.serialization import build_quad
from ..store.change import BEGINNING_OF_TIME, Change
from ..store.commit import CheckResults, graphs_of_quads, serialize_n_triples
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
    """A write as it was asked for: by which token, in which words, with which files.

    `checked` is what the gate found in the papers of it.
    """

    token: AccessToken
    title: str
    files: Sequence[BodyPart]
    checked: CheckResults = field(default_factory=dict)


class ProvenanceRecorder:
    """Records writes in a history. Nobody else may write meanwhile."""

    def __init__(self, history: GraphHistory, store: Store) -> None:
        """Take the history of a store, which goes on where it is."""
        self.history, self.store = history, store
        self.last_moment: datetime | None = None
        self.durable_version = ""  # the name of the last write of this process that is on disk
        store.on_external_write.append(self.reset)

    def reset(self) -> None:
        """Others wrote."""
        self.last_moment, self.durable_version = None, ""

    def add_record(self, change: Change, write: WriteRequest) -> Change:
        """The change with the record of it; what it replaces is kept by then. Raises StoreError."""
        at = self.next_moment()
        name = at.strftime(VERSION_TIME_FORMAT)
        activity = ox.NamedNode(f"{self.history.base}id/write/{name}")
        record = set(self.request_triples(activity, at, write))
        over = set[ox.Triple]()
        for graph in sorted(graphs_in_change(change), key=str):
            new, old = self.graph_version_changes(graph, change, activity, name)
            record |= new
            over |= old
        home = self.history.graph
        made = () if self.store.has_graph(home.value) else (home.value,)
        return Change(
            (*change.removed, *(build_quad(one, home) for one in over)),
            (*change.added, *(build_quad(one, home) for one in record)),
            change.dropped,
            (*change.created, *made),
        )

    def mark_durable(self) -> None:
        """The write that was recorded last is on disk."""
        assert self.last_moment
        self.durable_version = self.last_moment.strftime(VERSION_TIME_FORMAT)

    @property
    def version(self) -> str:
        """The name of the last write on record; empty before the first."""
        if not self.durable_version:
            last = self.last_recorded_moment()
            self.durable_version = last.strftime(VERSION_TIME_FORMAT) if last > BEGINNING_OF_TIME else ""
        return self.durable_version

    def next_moment(self) -> datetime:
        """Now, or the first moment after the last one, whatever the clock says."""
        last = self.last_moment or self.last_recorded_moment()
        self.last_moment = max(datetime.now(UTC), last + timedelta(microseconds=1))
        return self.last_moment

    def last_recorded_moment(self) -> datetime:
        """The moment of the last write on record."""
        found = select_solutions(self.store, LAST_WRITE_QUERY % self.history.graph.value)
        return datetime.fromisoformat(found[0]["last"].value) if found and found[0] else BEGINNING_OF_TIME

    def request_triples(
        self, activity: ox.NamedNode, at: datetime, write: WriteRequest
    ) -> Iterator[ox.Triple]:
        """Who asked for what, and when, and with which files: names, media types, digests."""
        writer = ox.NamedNode(f"{self.history.base}id/writer/{write.token.id}")
        yield ox.Triple(writer, RDF_TYPE, PROV_AGENT_CLASS)
        yield ox.Triple(writer, RDFS_LABEL, ox.Literal(write.token.name))
        yield ox.Triple(activity, RDF_TYPE, PROV_ACTIVITY_CLASS)
        yield ox.Triple(activity, RDFS_LABEL, ox.Literal(write.title, language="en"))
        yield ox.Triple(
            activity,
            PROV_ENDED_AT_TIME,
            build_typed_literal(at.isoformat(timespec="microseconds"), "dateTime"),
        )
        yield ox.Triple(activity, PROV_WAS_ASSOCIATED_WITH, writer)
        for number, file in enumerate(write.files, 1):
            node = ox.NamedNode(f"{activity.value}/file-{number}")
            yield ox.Triple(activity, PROV_USED, node)
            if file.name:
                yield ox.Triple(node, RDFS_LABEL, ox.Literal(shorten_untrusted_text(file.name)))
            yield ox.Triple(
                node, SCHEMA_ENCODING_FORMAT, ox.Literal(shorten_untrusted_text(file.content_type))
            )
            yield ox.Triple(node, WGIG_DIGEST, ox.Literal(hashlib.sha256(file.body).hexdigest()))

    def graph_version_changes(
        self, graph: str | None, change: Change, activity: ox.NamedNode, name: str
    ) -> tuple[set[ox.Triple], set[ox.Triple]]:
        """How a graph turns from one version into the next: what to record, and what is so no more."""
        node = ox.NamedNode(readable_graph_iri(graph, self.history.base))
        before = read_graph_lines(self.store, graph)
        current = self.history.current_version(self.store, node)
        over = {ox.Triple(node, DCAT_HAS_CURRENT_VERSION, current)} if current else set()
        if current and self.history.find_object(self.store, current, WGIG_DIGEST) != ox.Literal(
            digest_n_triples(before)
        ):
            current = None
        record = set[ox.Triple]()
        old = None
        if current or (graph not in change.created and (before or graph is not None)):
            old = current or self.history.version_iri(graph, UNRECORDED_VERSION_PREFIX + name)
            record |= {
                ox.Triple(old, PROV_SPECIALIZATION_OF, node),
                ox.Triple(old, VOID_TRIPLES, ox.Literal(len(before))),
                ox.Triple(old, PROV_WAS_INVALIDATED_BY, activity),
                ox.Triple(
                    old, DCTERMS_IDENTIFIER, ox.Literal(self.history.contents.keep(b"".join(sorted(before))))
                ),
            }
        if graph not in change.dropped:
            new = self.history.version_iri(graph, name)
            gone, come = (lines_in_graph(graph, quads) for quads in (change.removed, change.added))
            now = (before - gone) | come
            record |= {
                ox.Triple(node, DCAT_HAS_CURRENT_VERSION, new),
                ox.Triple(new, PROV_SPECIALIZATION_OF, node),
                ox.Triple(new, PROV_WAS_GENERATED_BY, activity),
                ox.Triple(new, VOID_TRIPLES, ox.Literal(len(now))),
                ox.Triple(new, WGIG_TRIPLES_ADDED, ox.Literal(len(come))),
                ox.Triple(new, WGIG_TRIPLES_REMOVED, ox.Literal(len(gone))),
                ox.Triple(new, WGIG_DIGEST, ox.Literal(digest_n_triples(now))),
                *([ox.Triple(new, PROV_WAS_REVISION_OF, old)] if old else []),
            }
        return record, over


def graphs_in_change(change: Change) -> set[str | None]:
    """The graphs that a change is about, None for the default graph."""
    named = graphs_of_quads((*change.removed, *change.added))
    iris = {one.value if isinstance(one, ox.NamedNode) else None for one in named}
    return iris.union(change.dropped, change.created)


def graph_lines_after(store: Store, graph: str, change: Change) -> set[bytes]:
    """The lines of a graph as the change makes it."""
    gone, come = (lines_in_graph(graph, quads) for quads in (change.removed, change.added))
    return (read_graph_lines(store, graph) - gone) | come


def lines_in_graph(graph: str | None, quads: Iterable[ox.Quad]) -> set[bytes]:
    """The lines of the quads that are in a graph."""
    found = (one.triple for one in quads if getattr(one.graph_name, "value", None) == graph)
    return set(serialize_n_triples(found).encode().splitlines(keepends=True))
