"""Rebuild the whole store as it was in an old version, in another process, to evaluate a query on it."""

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
from ...resources.labels import find_label
from ...settings import MIB, Settings
from ...shacl.conformance_graph import ConformanceGraph
from ...sparql.workers.evaluation import evaluate_query
from ...sparql.workers.protocol import QueryFault, QueryJob
from ...store.history import history_at_version
from ...store.inference.inference import Inference
from ...store.store import Store
from ...store.view import StoreView, to_graph_name
from ..description.derived import DescriptionGraphs
from .citable import CitedResource, read_cited_resource
from .versions import VersionLostError, graphs_changed_since, read_graph_at_version

MAX_REBUILT_GRAPH_BYTES = 32 * MIB  # size of the store as N-Quads
MAX_REBUILT_GRAPHS = 1000  # graphs written since the version
# Graphs computed from the others.
COMPUTED_GRAPH_NAMES = ("conformance", "inferred", *DESCRIPTION_GRAPH_NAMES)

UNRECORDED_GRAPH_NAMES = ("history", *COMPUTED_GRAPH_NAMES)  # graphs without versions of their own

AnswerOrFault = tuple[bytes, str, str]


class TooLargeError(Exception):
    """The store is larger than MAX_REBUILT_GRAPH_BYTES."""


class BoundedBuffer(io.BytesIO):
    """A buffer that holds up to `limit` bytes and raises TooLargeError beyond."""

    def __init__(self, limit: int) -> None:
        """An empty buffer."""
        super().__init__()
        self.limit = limit

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Append the bytes; returns their number. Raises TooLargeError."""
        if self.tell() + len(data) > self.limit:
            raise TooLargeError
        return super().write(data)


class PastVersion(NamedTuple):
    """The input from which another process rebuilds a version.

    `quads` is the current store as N-Quads, `changed_graphs` the old content, as N-Triples, of each graph
    written since.
    """

    version: str
    quads: bytes
    changed_graphs: dict[str | None, bytes]
    settings: Settings


def read_past_version(context: RequestContext, version: str) -> PastVersion:
    """The input to rebuild a version. Raises VersionLostError where it is too large or was not kept."""
    store = context.store
    settings = context.settings
    changed = graphs_changed_since(store, settings.base, version, MAX_REBUILT_GRAPHS + 1)
    if len(changed) > MAX_REBUILT_GRAPHS:
        raise VersionLostError(
            f"More than {MAX_REBUILT_GRAPHS:,} graphs were written since, too many to rebuild the version."
        )
    graphs = [history_graph_iri(node, settings.base) for node in changed]
    contents = {graph: read_graph_at_version(context, graph, version) for graph in graphs}
    quads = BoundedBuffer(MAX_REBUILT_GRAPH_BYTES)
    try:
        store.dump(quads, ox.RdfFormat.N_QUADS.media_type)
    except TooLargeError as error:
        raise VersionLostError(
            f"A version is rebuilt only from a store of up to {MAX_REBUILT_GRAPH_BYTES:,} bytes as N-Quads, "
            "and this one is larger."
        ) from error
    return PastVersion(version, quads.getvalue(), contents, settings)


def history_graph_iri(node: str, base: str) -> str | None:
    """The IRI of the graph of a node in the history; None for the default graph."""
    if node == f"{base}graphs?default":
        return None
    prefix = f"{base}graphs?graph="
    return unquote(node.removeprefix(prefix)) if node.startswith(prefix) else node


def answer_past_query(past: PastVersion, job: QueryJob) -> AnswerOrFault:
    """The result of a query on the rebuilt store; on a fault, no bytes, its kind and the engine's message."""
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
    """A resource of the rebuilt store; None where it was unknown."""
    try:
        return read_cited_resource(Store(rebuild_past_store(past)), iri, past.settings.base)
    finally:
        find_label.forget()  # its cache would keep the rebuilt store in memory


def rebuild_past_store(past: PastVersion) -> ox.Store:
    """The quads of a version, with the computed graphs if the current store has them."""
    base = past.settings.base
    current_quads = list(ox.parse(past.quads, ox.RdfFormat.N_QUADS))
    history, *computed_graphs = (
        ox.NamedNode(f"{base}graph/{name}") for name in ("history", *COMPUTED_GRAPH_NAMES)
    )
    replaced_graphs = {history, *computed_graphs, *map(to_graph_name, past.changed_graphs)}
    quads = ox.Store()
    quads.bulk_extend(quad for quad in current_quads if quad.graph_name not in replaced_graphs)
    quads.bulk_extend(iter_past_quads(past))
    version = "" if past.version == __version__ else past.version
    writes = history_at_version(
        (quad.triple for quad in current_quads if quad.graph_name == history), version
    )
    quads.bulk_extend(build_quad(triple, history) for triple in writes)
    if any(quad.graph_name in computed_graphs for quad in current_quads):
        projections = [ConformanceGraph(base, past.settings.shacl)], [DescriptionGraphs(base)]
        Inference(read_inference_rules(), f"{base}graph/inferred", None, *projections).apply(quads, None)
    return quads


def iter_past_quads(past: PastVersion) -> Iterator[ox.Quad]:
    """The old content of the graphs that were written since."""
    for graph, lines in past.changed_graphs.items():
        for quad in ox.parse(lines, ox.RdfFormat.N_TRIPLES):
            yield build_quad(quad.triple, to_graph_name(graph))
