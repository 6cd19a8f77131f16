"""Full comparison of the store with the change log, for changes that were not recorded one by one.

A version is the quads of a resource without the subject, as sorted N-Quads, so that two versions can be
compared. A resource is any subject; a blank node is skolemized to an IRI (RDF 1.1 Concepts, section 3.5), as
nothing else could name it in another document. Large stores are scanned in a separate process on a snapshot,
with low priority, which ends with the service.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path

import pyoxigraph as ox

from ...rdf.serialization import serialize_n_quads
from ...settings import MIB
from ..errors import StoreError
from ..view import StoreView
from .log import ChangeLog, ResourceState

Node = ox.NamedNode | ox.BlankNode
SKOLEM_IRI_PATH = ".well-known/genid/"


def states_of_resources(
    said: Callable[[Node], Iterable[ox.Quad]], things: Iterable[Node], base: str
) -> dict[str, str]:
    """By the IRI of each thing, what is said of it as sorted N-Quads without subject; nothing: it is gone."""
    found = {skolemize_node(one, base).value: (one, list[str]()) for one in things}
    quads = (skolemize_quad(quad, base) for node, _ in found.values() for quad in said(node))
    for line in filter(None, serialize_n_quads(quads).decode().split("\n")):
        subject, _, rest = line.partition(" ")
        found[subject[1:-1]][1].append(rest)
    return {iri: "\n".join(sorted(lines)) for iri, (_, lines) in found.items()}


def find_quad_subject(quad: ox.Quad) -> Node | None:
    """The thing that a quad is about; None where that is a triple, which RDF 1.2 does not allow."""
    return None if isinstance(quad.subject, ox.Triple) else quad.subject


def graphs_of_state(state: str) -> set[str]:
    """The IRIs of the graphs in which the quads of a state are."""
    ends = (line.removesuffix(" .").rpartition(" ")[2] for line in state.split("\n") if line.count(" ") > 2)
    return {end[1:-1] for end in ends if end.startswith("<")}


def skolemize_node(node: Node, base: str) -> ox.NamedNode:
    """The IRI of a thing."""
    return node if isinstance(node, ox.NamedNode) else ox.NamedNode(f"{base}{SKOLEM_IRI_PATH}{node.value}")


def skolemize_quad(quad: ox.Quad, base: str) -> ox.Quad:
    """A quad in which IRIs stand for its blank nodes."""
    if not any(isinstance(one, ox.BlankNode) for one in (quad.subject, quad.object, quad.graph_name)):
        return quad
    terms = (skolemize_node(one, base) if isinstance(one, ox.BlankNode) else one for one in quad)
    return ox.Quad(*terms)


SCAN_BATCH_RESOURCES = 500  # things that are looked at in one go
LARGE_STORE_BYTES = 64 * MIB  # of a store on disk, through which a process of its own looks
SCAN_NICE_LEVEL = 10  # how far others go first


def scan_view(log: ChangeLog, view: StoreView, times: Mapping[str, str], now: str) -> None:
    """Add to the log what is other in the view, and what is gone; `times` says since when each graph is so.

    Raises StoreError.
    """
    number = log.begin_scan()
    every = iter_view_subjects(view)
    while batch := list(islice(every, SCAN_BATCH_RESOURCES)):
        new = [one for one in batch if not log.is_scanned(number, skolemize_node(one, log.base).value)]
        found = states_of_resources(view.match, new, log.base)
        log.add_scanned(number, (date_resource_state(iri, state, times, now) for iri, state in found.items()))
    log.end_scan(number, now)


def scan_snapshot(log: ChangeLog, view: StoreView, times: Mapping[str, str], now: str) -> None:
    """As `scan_view` for a snapshot. Of a large one on disk, nobody else has to wait for it."""
    copy = view.folder
    if copy is None or sum(path.stat().st_size for path in copy.iterdir()) < LARGE_STORE_BYTES:
        scan_view(log, view, times, now)
        return
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=prepare_scan_process) as pool:
        try:
            pool.submit(scan_in_process, log.path, log.base, copy, dict(times), now).result()
        except BrokenProcessPool as error:
            raise StoreError("The process that looks for what has changed was ended by another.") from error


def prepare_scan_process() -> None:
    """Let others go first, and end with the service."""
    os.nice(SCAN_NICE_LEVEL)
    threading.Thread(target=exit_with_parent, args=(parent_process(),), daemon=True).start()


def exit_with_parent(parent: BaseProcess) -> None:
    """End this process as soon as that one has."""
    parent.join()
    os._exit(1)


def scan_in_process(path: Path | None, base: str, copy: Path, times: dict[str, str], now: str) -> None:
    """What the process does."""
    scan_view(ChangeLog(path, base), StoreView(ox.Store.read_only(str(copy))), times, now)


def iter_view_subjects(view: StoreView) -> Iterator[Node]:
    """What the quads are about; something may come more than once."""
    before: Node | None = None
    for thing in map(find_quad_subject, view.match()):
        if thing is not None and thing != before:
            before = thing
            yield thing


def date_resource_state(iri: str, state: str, times: Mapping[str, str], now: str) -> ResourceState:
    """A state with the time at which the last of its graphs was written, or now where that is not known."""
    known = [times[graph] for graph in graphs_of_state(state) if graph in times]
    return ResourceState(iri, max(known, default=now), bool(known), state)
