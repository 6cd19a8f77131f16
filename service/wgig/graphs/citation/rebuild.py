"""The whole graph as it was in an old version, built anew in another process to ask it something."""

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

MAX_REBUILT_GRAPH_BYTES = 32 * MIB  # bytes of a graph that is built anew, as N-Quads
MAX_REBUILT_GRAPHS = 1000  # that were written since
# Graphs of what follows from the others.
COMPUTED_GRAPH_NAMES = ("conformance", "inferred", *DESCRIPTION_GRAPH_NAMES)

UNRECORDED_GRAPH_NAMES = ("history", *COMPUTED_GRAPH_NAMES)  # graphs that have no history of their own

AnswerOrFault = tuple[bytes, str, str]


class TooLargeError(Exception):
    """The graph does not fit."""


class BoundedBuffer(io.BytesIO):
    """A buffer that takes `limit` bytes and raises TooLargeError on more."""

    def __init__(self, limit: int) -> None:
        """A buffer for `limit` bytes."""
        super().__init__()
        self.limit = limit

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take the bytes and say how many they were."""
        if self.tell() + len(data) > self.limit:
            raise TooLargeError
        return super().write(data)


class PastVersion(NamedTuple):
    """A version, as another process builds it: from all there is now, and what some graphs held then."""

    version: str
    quads: bytes
    changed_graphs: dict[str | None, bytes]
    settings: Settings


def read_past_version(context: RequestContext, version: str) -> PastVersion:
    """The graph in an old version. Raises VersionLostError where it is too large or not all kept."""
    store = context.store
    settings = context.settings
    changed = graphs_changed_since(store, settings.base, version, MAX_REBUILT_GRAPHS + 1)
    if len(changed) > MAX_REBUILT_GRAPHS:
        raise VersionLostError(
            f"More than {MAX_REBUILT_GRAPHS:,} graphs were written since: no more than those are put back."
        )
    graphs = [history_graph_iri(one, settings.base) for one in changed]
    held = {graph: read_graph_at_version(context, graph, version) for graph in graphs}
    quads = BoundedBuffer(MAX_REBUILT_GRAPH_BYTES)
    try:
        store.dump(quads, ox.RdfFormat.N_QUADS.media_type)
    except TooLargeError as error:
        raise VersionLostError(
            f"Only what has up to {MAX_REBUILT_GRAPH_BYTES:,} bytes as N-Quads is built anew, "
            "and this graph has more."
        ) from error
    return PastVersion(version, quads.getvalue(), held, settings)


def history_graph_iri(node: str, base: str) -> str | None:
    """The graph that the history calls so."""
    if node == f"{base}graphs?default":
        return None
    begin = f"{base}graphs?graph="
    return unquote(node.removeprefix(begin)) if node.startswith(begin) else node


def answer_past_query(then: PastVersion, job: QueryJob) -> AnswerOrFault:
    """The answer to a query; or no bytes, and the kind of the fault and what the engine said."""
    pieces: list[bytes] = []
    try:
        pieces.append(evaluate_query(StoreView(rebuild_past_store(then)), job, pieces.append))
    except QueryFault as fault:
        return b"", fault.kind, str(fault)
    return b"".join(pieces), "", ""


def serialize_past_graph(then: PastVersion, iri: str) -> bytes:
    """A graph, as N-Triples."""
    return StoreView(rebuild_past_store(then)).serialize_graph(iri, N_TRIPLES.media_type)


def describe_past_resource(then: PastVersion, iri: str) -> CitedResource | None:
    """A thing; None where nothing was known about it."""
    try:
        return read_cited_resource(Store(rebuild_past_store(then)), iri, then.settings.base)
    finally:
        find_label.forget()  # which would keep the whole graph


def rebuild_past_store(then: PastVersion) -> ox.Store:
    """The quads of a version, with what follows from them where that is among those of now."""
    base = then.settings.base
    now = list(ox.parse(then.quads, ox.RdfFormat.N_QUADS))
    history, *following = (ox.NamedNode(f"{base}graph/{name}") for name in ("history", *COMPUTED_GRAPH_NAMES))
    others = {history, *following, *map(to_graph_name, then.changed_graphs)}
    quads = ox.Store()
    quads.bulk_extend(one for one in now if one.graph_name not in others)
    quads.bulk_extend(iter_past_quads(then))
    version = "" if then.version == __version__ else then.version
    writes = history_at_version((one.triple for one in now if one.graph_name == history), version)
    quads.bulk_extend(build_quad(one, history) for one in writes)
    if any(one.graph_name in following for one in now):
        computed = [ConformanceGraph(base, then.settings.shacl)], [DescriptionGraphs(base)]
        Inference(read_inference_rules(), f"{base}graph/inferred", None, *computed).follow(quads, None)
    return quads


def iter_past_quads(then: PastVersion) -> Iterator[ox.Quad]:
    """What those graphs held then that were written since."""
    for graph, lines in then.changed_graphs.items():
        for one in ox.parse(lines, ox.RdfFormat.N_TRIPLES):
            yield build_quad(one.triple, to_graph_name(graph))
