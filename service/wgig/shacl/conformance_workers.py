"""Check papers for the conformance graph: a few in this process, many in several processes.

A process takes 0.4 s to start, and then 2 ms a paper, of which it reads it from a snapshot of the store for
0.6 ms. It ends with the last paper. If one dies, this process reads and checks the other papers.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from itertools import islice
from multiprocessing import current_process, get_context, parent_process
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox

from ..rdf.serialization import build_quad, parse_n_quads, serialize_n_quads
from ..store.commit import NO_CHECKED_QUADS, CheckedQuads
from .conformance import PaperToCheck, build_conformance_triples
from .conformance_graph import CheckedPaper, ConformanceGraph, StalePaper
from .engines import get_shacl_engine

BATCH_PAPERS = 25  # papers that are checked together, by one call of the engine
MAX_CHECK_PROCESSES = 16
WAITING_BATCHES_PER_PROCESS = 4  # so that no process waits for work

NumberedNames = Iterable[tuple[int, str]]  # names of papers, with their positions among all
CheckedLines = list[tuple[int, bytes, bytes]]  # the fields of each CheckedPaper, its quads as N-Quads


class CheckTask(NamedTuple):
    """What a process needs: the arguments of ConformanceGraph, a folder with quads, and `is_current`."""

    base: str
    engine_name: str
    snapshot: Path
    is_current: bool


def check_papers(
    papers: Iterable[StalePaper], checked_quads: CheckedQuads, engine_name: str, graph: ox.NamedNode
) -> Iterator[CheckedPaper]:
    """The papers in their order, checked in this process; a removed paper has no new quads.

    `checked_quads` are the quads about papers that are known, by the digest of the paper.
    """
    remaining = iter(papers)
    while batch := list(islice(remaining, BATCH_PAPERS)):
        to_check = [
            PaperToCheck(paper.node, [quad.triple for quad in parse_n_quads(paper.lines)], paper.digest)
            for paper in batch
            if paper.lines and paper.digest not in checked_quads
        ]
        triples_by_paper = dict(
            zip(
                (paper.node for paper in to_check),
                build_conformance_triples(to_check, engine_name),
                strict=True,
            )
        )
        for paper in batch:
            quads = {build_quad(triple, graph) for triple in triples_by_paper.get(paper.node, ())}
            quads.update(parse_n_quads(checked_quads.get(paper.digest, b"")))
            yield CheckedPaper(paper.position, paper.old_quads - quads, quads - paper.old_quads)


def check_in_processes(
    graph: ConformanceGraph, names: Sequence[str], snapshot: Path, *, is_current: bool
) -> Iterator[CheckedPaper]:
    """The stale ones of the papers with these names, read from a snapshot and checked in several processes.

    After a process died, the remaining papers are checked in this process.
    """
    task = CheckTask(graph.base, graph.engine_name, snapshot, is_current)
    numbered_names = iter(enumerate(names, 1))
    batches = iter(lambda: list(islice(numbered_names, BATCH_PAPERS)), [])
    process_count = min(os.cpu_count() or 1, MAX_CHECK_PROCESSES)
    if process_count == 1 or current_process().daemon:  # a daemonic process may not start processes
        yield from check_named_papers(task, numbered_names)
        open_snapshot.cache_clear()
        return
    # A forked process would inherit locks that threads of this process hold, and wait for them forever.
    pool = ProcessPoolExecutor(
        process_count, get_context("spawn"), initializer=prepare_check_process, initargs=(task.engine_name,)
    )
    running: deque[tuple[NumberedNames, Future[CheckedLines] | None]] = deque()

    def submit_batch(batch: NumberedNames) -> Future[CheckedLines] | None:
        try:
            return pool.submit(check_paper_lines, task, batch)
        except (BrokenProcessPool, OSError):  # OSError: no process can be started
            return None

    def finish_batch() -> Iterator[CheckedPaper]:
        batch, future = running.popleft()
        try:
            if future is not None:
                return (
                    CheckedPaper(position, list(parse_n_quads(removed)), list(parse_n_quads(added)))
                    for position, removed, added in future.result()
                )
        except BrokenProcessPool:
            pass
        return check_named_papers(task, batch)

    try:
        for batch in batches:
            running.append((batch, submit_batch(batch)))
            if len(running) > process_count * WAITING_BATCHES_PER_PROCESS:
                yield from finish_batch()
        while running:
            yield from finish_batch()
    finally:
        pool.shutdown(cancel_futures=True)
        open_snapshot.cache_clear()  # another snapshot may get the same folder


def prepare_check_process(engine_name: str) -> None:
    """Load the engine, leave Ctrl-C to the parent process, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=exit_after_parent, daemon=True).start()
    get_shacl_engine(engine_name)(())  # checks no papers


def exit_after_parent() -> None:
    """Wait for the end of the parent process, and exit: if it was killed, nothing else ends this one."""
    if parent := parent_process():
        parent.join()
    os._exit(1)


def check_paper_lines(task: CheckTask, names: NumberedNames) -> CheckedLines:
    """The stale ones of the papers with these names; runs in a process of the pool."""
    return [
        (position, serialize_n_quads(removed), serialize_n_quads(added))
        for position, removed, added in check_named_papers(task, names)
    ]


def check_named_papers(task: CheckTask, names: NumberedNames) -> Iterator[CheckedPaper]:
    """The stale ones of the papers with these names, read from the snapshot and checked in this process."""
    graph, quads = open_snapshot(task)
    papers = graph.iter_stale_papers(quads, names, is_current=task.is_current)
    return check_papers(papers, NO_CHECKED_QUADS, task.engine_name, graph.graph)


@cache
def open_snapshot(task: CheckTask) -> tuple[ConformanceGraph, ox.Store]:
    """The conformance graph and the quads of the snapshot; a process opens them once."""
    return ConformanceGraph(task.base, task.engine_name), ox.Store.read_only(str(task.snapshot))
