"""Check papers for the conformance graph: a few in this process, many in several processes.

A process takes 0.4 s to start, and then 1.3 ms a paper. So processes are started only for many papers, and
end with the last of them. If one dies, this process checks the other papers.
"""

import gc
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import current_process, get_context, parent_process

import pyoxigraph as ox

from ..rdf.serialization import build_quad, parse_n_quads, serialize_n_quads
from ..store.commit import NO_CHECK_RESULTS, CheckResults
from .conformance import PaperToCheck, build_conformance_triples
from .conformance_graph import StalePaper
from .engines import get_shacl_engine

MIN_PARALLEL_PAPERS = 600  # with fewer papers, starting processes takes longer than checking
BATCH_PAPERS = 25  # papers that are checked together, by one call of the engine
MAX_CHECK_PROCESSES = 16
WAITING_BATCHES_PER_PROCESS = 4  # so that no process waits for work

CheckedPaper = tuple[StalePaper, frozenset[ox.Quad]]  # with the new quads about the paper


def iter_checked_papers(
    papers: Iterable[StalePaper], check_results: CheckResults, engine_name: str, graph: ox.NamedNode
) -> Iterator[CheckedPaper]:
    """The papers in their order, each with the quads about it that the graph should have.

    `check_results` are known results by the digest of a paper; they are not passed to other processes.
    """
    remaining = iter(papers)
    first_papers = list(islice(remaining, MIN_PARALLEL_PAPERS))
    batches = iter_paper_batches(chain(first_papers, remaining))
    process_count = min(os.cpu_count() or 1, MAX_CHECK_PROCESSES)
    # A daemonic process may not start processes.
    if len(first_papers) == MIN_PARALLEL_PAPERS and process_count > 1 and not current_process().daemon:
        yield from check_in_processes(batches, engine_name, graph, process_count)
    else:
        for batch in batches:
            yield from check_paper_batch(batch, check_results, engine_name, graph)


def iter_paper_batches(papers: Iterator[StalePaper]) -> Iterator[list[StalePaper]]:
    """The papers in batches of BATCH_PAPERS."""
    while batch := list(islice(papers, BATCH_PAPERS)):
        yield batch


def check_paper_batch(
    batch: Sequence[StalePaper], check_results: CheckResults, engine_name: str, graph: ox.NamedNode
) -> Iterator[CheckedPaper]:
    """The papers of a batch with their new quads, checked in this process; a removed paper has no quads."""
    papers = [
        PaperToCheck(
            paper.node,
            [quad.triple for quad in parse_n_quads(paper.lines)],
            paper.digest,
            check_results.get(paper.digest),
        )
        for paper in batch
        if paper.lines
    ]
    triples_by_paper = dict(
        zip((paper.node for paper in papers), build_conformance_triples(papers, engine_name), strict=True)
    )
    for paper in batch:
        yield paper, frozenset(build_quad(triple, graph) for triple in triples_by_paper.get(paper.node, ()))


def check_in_processes(
    batches: Iterable[list[StalePaper]], engine_name: str, graph: ox.NamedNode, process_count: int
) -> Iterator[CheckedPaper]:
    """The papers of the batches with their new quads, checked in several processes.

    After a process died, the remaining batches are checked in this process.
    """
    # A forked process would inherit locks that threads of this process hold, and wait for them forever.
    pool = ProcessPoolExecutor(
        process_count, get_context("spawn"), initializer=prepare_check_process, initargs=(engine_name,)
    )
    running: deque[tuple[list[StalePaper], Future[list[bytes]] | None]] = deque()

    def submit_batch(batch: list[StalePaper]) -> Future[list[bytes]] | None:
        papers = [paper._replace(old_quads=frozenset()) for paper in batch]
        try:
            return pool.submit(check_paper_lines, papers, engine_name, graph)
        except (BrokenProcessPool, OSError):  # OSError: no process can be started
            return None

    def finish_batch() -> Iterator[CheckedPaper]:
        batch, future = running.popleft()
        try:
            if future is not None:
                quads = [frozenset(parse_n_quads(lines)) for lines in future.result()]
                return zip(batch, quads, strict=True)
        except BrokenProcessPool:
            pass
        return check_paper_batch(batch, NO_CHECK_RESULTS, engine_name, graph)

    try:
        for batch in batches:
            running.append((batch, submit_batch(batch)))
            if len(running) > process_count * WAITING_BATCHES_PER_PROCESS:
                yield from finish_batch()
        while running:
            yield from finish_batch()
    finally:
        pool.shutdown(cancel_futures=True)


def prepare_check_process(engine_name: str) -> None:
    """Load the engine, leave Ctrl-C to the parent process, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=exit_after_parent, daemon=True).start()
    get_shacl_engine(engine_name)(())  # checks no papers
    gc.freeze()  # objects that exist now are never freed, so garbage collection can ignore them


def exit_after_parent() -> None:
    """Wait for the end of the parent process, and exit: if it was killed, nothing else ends this one."""
    if parent := parent_process():
        parent.join()
    os._exit(1)


def check_paper_lines(batch: Sequence[StalePaper], engine_name: str, graph: ox.NamedNode) -> list[bytes]:
    """The new quads about each paper of a batch, as N-Quads; runs in a process of the pool."""
    return [
        serialize_n_quads(new_quads)
        for _, new_quads in check_paper_batch(batch, NO_CHECK_RESULTS, engine_name, graph)
    ]
