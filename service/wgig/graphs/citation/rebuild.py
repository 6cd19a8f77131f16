"""Rebuild the whole store as it was in an old version, in another process, and read cited content from it."""

import io
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

import pyoxigraph as ox

from ..._version import __version__
from ...pages.dependencies import RequestContext
from ...rdf.formats import N_TRIPLES
from ...rdf.namespaces import DESCRIPTION_GRAPH_NAMES
from ...rdf.serialization import build_quad
from ...rdf.shipped import read_inference_rules
from ...settings import MIB, Settings
from ...shacl.conformance_graph import ConformanceGraph
from ...sparql.workers.evaluation import evaluate_query
from ...sparql.workers.protocol import QueryFault, QueryJob
from ...store.commit import apply_to_engine
from ...store.history import history_at_version
from ...store.inference.inference import Inference
from ...store.store import Store
from ...store.view import StoreView, to_graph_name
from ..description.derived import DescriptionGraphs
from .citable import CitedResource, read_cited_resource
from .versions import VersionLostError, graphs_changed_since, read_graph_at_version

MAX_REBUILT_STORE_BYTES = 32 * MIB  # size of the current store as N-Quads
MAX_REBUILT_GRAPHS = 1000  # graphs written since the version
COMPUTED_GRAPH_NAMES = ("conformance", "inferred", *DESCRIPTION_GRAPH_NAMES)  # computed from other graphs
UNRECORDED_GRAPH_NAMES = ("history", *COMPUTED_GRAPH_NAMES)  # the history has no versions of these

ResultOrFault = tuple[bytes, str, str]  # the result, and the kind and message of the fault; empty for none


class TooLargeError(Exception):
    """The store is larger than MAX_REBUILT_STORE_BYTES."""


class BoundedBuffer(io.BytesIO):
    """A buffer of at most `max_bytes` bytes; a write that exceeds them raises TooLargeError."""

    def __init__(self, max_bytes: int) -> None:
        """Start empty."""
        super().__init__()
        self.max_bytes = max_bytes

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Append the bytes; returns their number. Raises TooLargeError."""
        if self.tell() + len(data) > self.max_bytes:
            raise TooLargeError
        return super().write(data)


class PastVersion(NamedTuple):
    """The input from which another process rebuilds a version of the store.

    `quads` is the current store as N-Quads. `changed_graphs` has the old content, as N-Triples, of each graph
    written since that version; the key of the default graph is None.
    """

    version: str
    quads: bytes
    changed_graphs: dict[str | None, bytes]
    settings: Settings


def read_past_version(context: RequestContext, version: str) -> PastVersion:
    """The input to rebuild a version. Raises VersionLostError if the input is too large or was not kept."""
    store = context.store
    settings = context.settings
    changed_iris = graphs_changed_since(store, settings.base, version, MAX_REBUILT_GRAPHS + 1)
    if len(changed_iris) > MAX_REBUILT_GRAPHS:
        raise VersionLostError(
            f"More than {MAX_REBUILT_GRAPHS:,} graphs were written since, too many to rebuild the version."
        )
    graphs = [graph_of_history_iri(iri, settings.base) for iri in changed_iris]
    contents = {graph: read_graph_at_version(context, graph, version) for graph in graphs}
    quads = BoundedBuffer(MAX_REBUILT_STORE_BYTES)
    try:
        store.dump(quads, ox.RdfFormat.N_QUADS.media_type)
    except TooLargeError as error:
        raise VersionLostError(
            f"A version is rebuilt only from a store of up to {MAX_REBUILT_STORE_BYTES:,} bytes as N-Quads, "
            "and this one is larger."
        ) from error
    return PastVersion(version, quads.getvalue(), contents, settings)


def graph_of_history_iri(iri: str, base: str) -> str | None:
    """The IRI of a graph from its IRI in the history; None for the default graph, `…/graphs?default`."""
    if iri == f"{base}graphs?default":
        return None
    prefix = f"{base}graphs?graph="
    return unquote(iri.removeprefix(prefix)) if iri.startswith(prefix) else iri


def evaluate_past_query(past: PastVersion, job: QueryJob) -> ResultOrFault:
    """The result of a query on the rebuilt store, with kind and message of the fault if it failed."""
    chunks: list[bytes] = []
    try:
        chunks.append(evaluate_query(StoreView(rebuild_past_store(past)), job, chunks.append))
    except QueryFault as fault:
        return b"", fault.kind, str(fault)
    return b"".join(chunks), "", ""


def serialize_past_graph(past: PastVersion, iri: str) -> bytes:
    """A graph of the rebuilt store as N-Triples."""
    return StoreView(rebuild_past_store(past)).serialize_graph(iri, N_TRIPLES.media_type)


def describe_past_resource(past: PastVersion, iri: str) -> CitedResource | None:
    """A resource of the rebuilt store, or None if it was unknown."""
    return read_cited_resource(Store(rebuild_past_store(past)), iri, past.settings.base)


def rebuild_past_store(past: PastVersion) -> ox.Store:
    """The quads of a version. If the current store has computed graphs, they are computed anew."""
    base = past.settings.base
    current_quads = list(ox.parse(past.quads, ox.RdfFormat.N_QUADS))
    history, *computed_graphs = (
        ox.NamedNode(f"{base}graph/{name}") for name in ("history", *COMPUTED_GRAPH_NAMES)
    )
    replaced_graphs = {history, *computed_graphs, *map(to_graph_name, past.changed_graphs)}
    quads = ox.Store()
    quads.bulk_extend(quad for quad in current_quads if quad.graph_name not in replaced_graphs)
    quads.bulk_extend(iter_past_quads(past))
    version = "" if past.version == __version__ else past.version  # empty: before all writes
    history_triples = history_at_version(
        (quad.triple for quad in current_quads if quad.graph_name == history), version
    )
    quads.bulk_extend(build_quad(triple, history) for triple in history_triples)
    if any(quad.graph_name in computed_graphs for quad in current_quads):
        inference = Inference(
            read_inference_rules(),
            f"{base}graph/inferred",
            None,  # in memory
            [ConformanceGraph(base, past.settings.shacl)],
            [DescriptionGraphs(base)],
        )
        inference.rebuild(quads)
        apply_to_engine(inference.describe(quads, None), quads)
    return quads


def iter_past_quads(past: PastVersion) -> Iterator[ox.Quad]:
    """The old content of the graphs that were written since the version."""
    for graph, content in past.changed_graphs.items():
        for quad in ox.parse(content, ox.RdfFormat.N_TRIPLES):
            yield build_quad(quad.triple, to_graph_name(graph))
