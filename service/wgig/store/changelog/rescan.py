"""Full scan of the store, which adds changes that no commit recorded to the change log.

The state of a resource consists of its quads without the subject, as sorted N-Quads, so that states can be
compared. A resource is any subject. A blank node is skolemized to an IRI (RDF 1.1 Concepts, section 3.5), as
its label is valid only in one document. Large stores are scanned on a snapshot by a separate process with low
priority, which ends with the service.
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
    find_quads: Callable[[Node], Iterable[ox.Quad]], nodes: Iterable[Node], base: str
) -> dict[str, str]:
    """The state of each resource by its IRI, empty if it does not exist. Skolem IRIs are below `base`."""
    lines_by_iri = {skolemize_node(node, base).value: (node, list[str]()) for node in nodes}
    quads = (skolemize_quad(quad, base) for node, _ in lines_by_iri.values() for quad in find_quads(node))
    for line in filter(None, serialize_n_quads(quads).decode().split("\n")):
        subject, _, line_without_subject = line.partition(" ")
        lines_by_iri[subject[1:-1]][1].append(line_without_subject)
    return {iri: "\n".join(sorted(lines)) for iri, (_, lines) in lines_by_iri.items()}


def find_quad_subject(quad: ox.Quad) -> Node | None:
    """The subject of a quad; None if it is a triple term, which RDF 1.2 does not allow."""
    return None if isinstance(quad.subject, ox.Triple) else quad.subject


def graphs_of_state(state: str) -> set[str]:
    """The IRIs of the named graphs in a resource state."""
    # A line has more than two spaces if it has a graph after its property and object.
    graph_terms = (
        line.removesuffix(" .").rpartition(" ")[2] for line in state.split("\n") if line.count(" ") > 2
    )
    return {term[1:-1] for term in graph_terms if term.startswith("<")}


def skolemize_node(node: Node, base: str) -> ox.NamedNode:
    """The IRI of a node; a Skolem IRI for a blank node."""
    return node if isinstance(node, ox.NamedNode) else ox.NamedNode(f"{base}{SKOLEM_IRI_PATH}{node.value}")


def skolemize_quad(quad: ox.Quad, base: str) -> ox.Quad:
    """The quad with blank nodes replaced by Skolem IRIs."""
    if not any(isinstance(term, ox.BlankNode) for term in (quad.subject, quad.object, quad.graph_name)):
        return quad
    terms = (skolemize_node(term, base) if isinstance(term, ox.BlankNode) else term for term in quad)
    return ox.Quad(*terms)


SCAN_BATCH_RESOURCES = 500  # per transaction
LARGE_STORE_BYTES = 64 * MIB  # a separate process scans a store of this size on disk or larger
SCAN_NICE_LEVEL = 10  # added to the nice value: lower priority than the service


def scan_view(log: ChangeLog, view: StoreView, times: Mapping[str, str], now: str) -> None:
    """Add new, changed and deleted resources to the log.

    `times` has the time of the last change of a graph by its IRI; `now` is for graphs without one. Raises
    StoreError.
    """
    number = log.begin_scan()
    subjects = iter_view_subjects(view)
    while batch := list(islice(subjects, SCAN_BATCH_RESOURCES)):
        unscanned = [
            node for node in batch if not log.is_scanned(number, skolemize_node(node, log.base).value)
        ]
        states = states_of_resources(view.match, unscanned, log.base)
        log.add_scanned(
            number, (date_resource_state(iri, state, times, now) for iri, state in states.items())
        )
    log.end_scan(number, now)


def scan_snapshot(log: ChangeLog, view: StoreView, times: Mapping[str, str], now: str) -> None:
    """Like `scan_view`, but scan a large snapshot on disk in a separate process."""
    snapshot = view.folder
    if snapshot is None or sum(path.stat().st_size for path in snapshot.iterdir()) < LARGE_STORE_BYTES:
        scan_view(log, view, times, now)
        return
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=prepare_scan_process) as pool:
        try:
            pool.submit(scan_in_process, log.path, log.base, snapshot, dict(times), now).result()
        except BrokenProcessPool as error:
            raise StoreError("The process that scans the store for changes was killed.") from error


def prepare_scan_process() -> None:
    """Lower the priority of the process, and make it end with the service."""
    os.nice(SCAN_NICE_LEVEL)
    threading.Thread(target=exit_with_parent, args=(parent_process(),), daemon=True).start()


def exit_with_parent(parent: BaseProcess) -> None:
    """Exit when the parent process ends."""
    parent.join()
    os._exit(1)


def scan_in_process(path: Path | None, base: str, snapshot: Path, times: dict[str, str], now: str) -> None:
    """Open the log and the snapshot, and scan them; runs in the scan process."""
    scan_view(ChangeLog(path, base), StoreView(ox.Store.read_only(str(snapshot))), times, now)


def iter_view_subjects(view: StoreView) -> Iterator[Node]:
    """The subjects of the quads of a view; only adjacent duplicates are removed."""
    previous: Node | None = None
    for subject in map(find_quad_subject, view.match()):
        if subject is not None and subject != previous:
            previous = subject
            yield subject


def date_resource_state(iri: str, state: str, times: Mapping[str, str], now: str) -> ResourceState:
    """A state with the time of the last change of its graphs, or `now` if no time is known."""
    graph_times = [times[graph] for graph in graphs_of_state(state) if graph in times]
    return ResourceState(iri, max(graph_times, default=now), bool(graph_times), state)
