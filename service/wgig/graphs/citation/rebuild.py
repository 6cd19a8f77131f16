"""The whole graph as it was in an old version, built anew in another process to ask it something."""

import io
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

import pyoxigraph as ox
from fastapi import Request

from ..._version import __version__
from ...rdf.formats import N_TRIPLES
from ...rdf.namespaces import NAMES
from ...rdf.serialization import quad
from ...rdf.shipped import rules
from ...resources.labels import label
from ...settings import MIB, Settings
from ...shacl.conformance_graph import Board
from ...sparql.workers.evaluation import evaluate
from ...sparql.workers.protocol import Fault, Job
from ...store.history import told
from ...store.inference.inference import Inference
from ...store.store import Store
from ...store.view import View, graph_name
from ..description.derived import Portrait
from .citable import Thing, of_store
from .versions import LostError, changed_since, held_at

MOST = 32 * MIB  # bytes of a graph that is built anew, as N-Quads
GRAPHS = 1000  # that were written since
FOLLOWING = ("conformance", "inferred", *NAMES)  # graphs of what follows from the others

UNRECORDED = ("history", *FOLLOWING)  # graphs that have no history of their own

Answer = tuple[bytes, str, str]


class TooLargeError(Exception):
    """The graph does not fit."""


class Bounded(io.BytesIO):
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


class Past(NamedTuple):
    """A version, as another process builds it: from all there is now, and what some graphs held then."""

    version: str
    quads: bytes
    held: dict[str | None, bytes]
    settings: Settings


def past(request: Request, version: str) -> Past:
    """The graph in an old version. Raises LostError where it is too large, or not all of it was kept."""
    store: Store = request.app.state.store
    settings: Settings = request.app.state.settings
    changed = changed_since(store, settings.base, version, GRAPHS + 1)
    if len(changed) > GRAPHS:
        raise LostError(f"More than {GRAPHS:,} graphs were written since: no more than those are put back.")
    graphs = [graph_of(one, settings.base) for one in changed]
    held = {graph: held_at(request, graph, version) for graph in graphs}
    quads = Bounded(MOST)
    try:
        store.dump(quads, ox.RdfFormat.N_QUADS.media_type)
    except TooLargeError as error:
        raise LostError(
            f"Only what has up to {MOST:,} bytes as N-Quads is built anew, and this graph has more."
        ) from error
    return Past(version, quads.getvalue(), held, settings)


def graph_of(node: str, base: str) -> str | None:
    """The graph that the history calls so."""
    if node == f"{base}graphs?default":
        return None
    begin = f"{base}graphs?graph="
    return unquote(node.removeprefix(begin)) if node.startswith(begin) else node


def answered(then: Past, job: Job) -> Answer:
    """The answer to a query; or no bytes, and the kind of the fault and what the engine said."""
    pieces: list[bytes] = []
    try:
        pieces.append(evaluate(View(built(then)), job, pieces.append))
    except Fault as fault:
        return b"", fault.kind, str(fault)
    return b"".join(pieces), "", ""


def lines_of(then: Past, iri: str) -> bytes:
    """A graph, as N-Triples."""
    return View(built(then)).graph(iri, N_TRIPLES.media_type)


def described(then: Past, iri: str) -> Thing | None:
    """A thing; None where nothing was known about it."""
    try:
        return of_store(Store(built(then)), iri, then.settings.base)
    finally:
        label.forget()  # which would keep the whole graph


def built(then: Past) -> ox.Store:
    """The quads of a version, with what follows from them where that is among those of now."""
    base = then.settings.base
    now = list(ox.parse(then.quads, ox.RdfFormat.N_QUADS))
    history, *following = (ox.NamedNode(f"{base}graph/{name}") for name in ("history", *FOLLOWING))
    others = {history, *following, *map(graph_name, then.held)}
    quads = ox.Store()
    quads.bulk_extend(one for one in now if one.graph_name not in others)
    quads.bulk_extend(held(then))
    version = "" if then.version == __version__ else then.version
    writes = told((one.triple for one in now if one.graph_name == history), version)
    quads.bulk_extend(quad(one, history) for one in writes)
    if any(one.graph_name in following for one in now):
        computed = [Board(base, then.settings.shacl)], [Portrait(base)]
        Inference(rules(), f"{base}graph/inferred", None, *computed).follow(quads, None)
    return quads


def held(then: Past) -> Iterator[ox.Quad]:
    """What those graphs held then that were written since."""
    for graph, lines in then.held.items():
        for one in ox.parse(lines, ox.RdfFormat.N_TRIPLES):
            yield quad(one.triple, graph_name(graph))
