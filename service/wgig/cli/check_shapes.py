"""`wgig check --shapes`, `--graph` and `--endpoint`: check any RDF, in processes with limits.

The limits are those of the service.

Shapes may be from strangers, as those that a service gets: nothing is fetched except from the endpoint that
the user names. A graph is checked page by page, with the progress on standard error.
"""

import argparse
import math
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any

import pyoxigraph as ox
from anyio.from_thread import BlockingPortal, start_blocking_portal

from ..http.work_queue import ProcessWorkQueue, is_process_limit
from ..papers.readers import read_paper_document
from ..problems import Problem
from ..rdf.formats import FORMATS_BY_SUFFIX
from ..seed import open_store_snapshot
from ..settings import SHIPPED_FOLDER, Settings
from ..shacl.documents import Document
from ..shacl.findings import CheckOutcome, UncheckedFile
from ..store.view import is_writable_iri
from ..validation.check import check_data
from ..validation.graph_pages import GraphSource, StoreGraphSource, check_graph, verify_shapes
from ..validation.shapes_graph import ShapesSource
from .console import print_message, show_progress_bar
from .data import resolve_graph_name
from .endpoint_graph import EndpointGraphSource
from .files import CandidateFile, get_format_by_suffix, read_candidate_document, read_regular_file
from .query import make_remote_evaluator

SHIPPED_SHAPES_PATTERN = "shapes/*.ttl"
PAPER_SHAPES_PREFIX = "issue-paper"  # of the files with shapes for papers, which are checked as files
QUEUED_FILES_PER_PROCESS = 4
PROGRESS_SECONDS = 10.0  # between two messages, if standard error is not a terminal


class LimitedProcesses:
    """Calls functions in processes with the limits of the service on time and memory."""

    def __init__(self, settings: Settings, max_processes: int, portal: BlockingPortal) -> None:
        """Start without processes; the first calls start them."""
        self.settings, self.max_processes, self.portal = settings, max_processes, portal
        self.queue = ProcessWorkQueue(max_processes, sys.maxsize, math.inf, settings.paper_seconds)

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """The future of a call."""
        return self.portal.start_task_soon(partial(self.queue.run, function, *args))

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """The value of a call. Raises Problem 413 if it exceeds a limit."""
        return self.wait(self.submit(function, *args))

    def wait(self, future: Future[Any]) -> Any:
        """The value of a future. Raises Problem 413 if its call exceeded a limit."""
        try:
            return future.result()
        except Problem as problem:
            if not is_process_limit(problem):
                raise
            is_time = isinstance(problem.__cause__, TimeoutError)
            limit = f"{self.settings.paper_seconds} seconds" if is_time else "the memory that is allowed"
            setting = ", or increase WGIG_PAPER_SECONDS" if is_time else ""
            raise Problem(
                413,
                f"The check needs more than {limit}, and was stopped. Patterns, queries, long paths and deep "
                f"nesting in shapes can take any time: use simpler ones, check less at once{setting}.",
            ) from problem


@contextmanager
def open_processes(settings: Settings, max_processes: int = 1) -> Iterator[LimitedProcesses]:
    """Yield processes, which end with the block; after an error, also those that still run."""
    with start_blocking_portal() as portal:
        yield LimitedProcesses(settings, max_processes, portal)


def read_shapes_sources(names: Iterable[str], settings: Settings) -> tuple[ShapesSource, ...]:
    """The files with shapes; without names, the shipped shapes for everything but papers.

    Raises Problem for a file that cannot be read.
    """
    if names := list(names):
        return tuple(read_shapes_source(name, settings) for name in names)
    return tuple(
        ShapesSource(path.name, path.read_bytes(), get_format_by_suffix(path.name))
        for path in sorted(SHIPPED_FOLDER.glob(SHIPPED_SHAPES_PATTERN))
        if not path.name.startswith(PAPER_SHAPES_PREFIX)
    )


def read_shapes_source(name: str, settings: Settings) -> ShapesSource:
    """A file with shapes. Raises Problem 400 if it cannot be read."""
    try:
        return ShapesSource(name, read_regular_file(name, settings.paper_bytes), get_format_by_suffix(name))
    except Problem as problem:
        raise Problem(400, f"{name}: {problem.detail}") from problem


def check_files_by_shapes(
    files: Iterable[CandidateFile], sources: tuple[ShapesSource, ...], processes: LimitedProcesses
) -> Iterator[CheckOutcome | None]:
    """The outcome of each file by the shapes, in order; None for a file that is skipped.

    Raises Problem for shapes that are refused.
    """
    running: deque[tuple[CandidateFile, Future[Any]]] = deque()

    def next_outcome() -> CheckOutcome | None:
        file, future = running.popleft()
        try:
            outcome: CheckOutcome | None = processes.wait(future)
        except Problem as problem:
            return UncheckedFile(file.path, problem)
        return outcome

    processes.call(verify_shapes, sources, processes.settings)
    for file in files:
        running.append((file, processes.submit(check_file_by_shapes, file, sources, processes.settings)))
        if len(running) > processes.max_processes * QUEUED_FILES_PER_PROCESS:
            yield next_outcome()
    while running:
        yield next_outcome()


def check_file_by_shapes(
    file: CandidateFile, sources: tuple[ShapesSource, ...], settings: Settings
) -> CheckOutcome | None:
    """The outcome of a file by the shapes; None for a file that is skipped."""
    try:
        document = read_candidate_document(file, settings.paper_bytes, settings.paper_triples)
        return check_data(document, sources, settings) if isinstance(document, Document) else document
    except Problem as problem:
        return UncheckedFile(file.path, problem)


def check_input_by_shapes(
    data: bytes, suffix: str, sources: tuple[ShapesSource, ...], settings: Settings
) -> CheckOutcome:
    """The outcome of standard input by the shapes. Raises Problem for shapes that are refused."""
    with open_processes(settings) as processes:
        processes.call(verify_shapes, sources, settings)
        outcome: CheckOutcome = processes.call(check_data_by_shapes, data, suffix, sources, settings)
        return outcome


def check_data_by_shapes(
    data: bytes, suffix: str, sources: tuple[ShapesSource, ...], settings: Settings
) -> CheckOutcome:
    """The outcome of standard input, whose format has this suffix, by the shapes."""
    name = "standard input"
    try:
        document = read_paper_document(name, data, FORMATS_BY_SUFFIX[suffix], settings.paper_triples)
        return check_data(document, sources, settings)
    except Problem as problem:
        return UncheckedFile(name, problem)


def check_named_graph(arguments: argparse.Namespace, settings: Settings) -> CheckOutcome:
    """The outcome of the graph of a store or endpoint that the arguments name.

    Raises Problem for shapes that are refused, an unknown graph, or a folder that does not exist.
    """
    sources = read_shapes_sources(arguments.shapes, settings)
    source = open_graph_source(arguments, settings)
    with (
        open_processes(settings) as processes,
        show_node_progress(source, quiet=arguments.quiet) as show_progress,
    ):
        return check_graph(source, sources, settings, processes.call, show_progress)


def open_graph_source(arguments: argparse.Namespace, settings: Settings) -> GraphSource:
    """The graph that the arguments name. Raises Problem for an unknown one."""
    if arguments.endpoint:
        graph = settings.resolve_graph_iri(arguments.graph) if arguments.graph else None
        if graph and not is_writable_iri(graph):
            raise Problem(400, f"{arguments.graph} is not the IRI of a graph.")
        source = EndpointGraphSource(make_remote_evaluator(arguments.endpoint), graph)
        if graph and source.is_empty():
            raise Problem(
                400, f"There is no graph {arguments.graph}: the endpoint has no statement in <{graph}>."
            )
        return source
    if arguments.store and not arguments.store.is_dir():
        raise Problem(400, f"There is no folder {arguments.store}.")
    store = open_store_snapshot(settings, print_message)
    if not arguments.graph:
        return StoreGraphSource(store, None, str(settings.store))
    try:
        iri = resolve_graph_name(store, arguments.graph, settings.base)
    except Problem as problem:  # exit code 1 is for data that does not conform
        raise Problem(400, problem.detail) from problem
    return StoreGraphSource(store, ox.NamedNode(iri), iri)


@contextmanager
def show_node_progress(source: GraphSource, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Yield the function to call with the number of checked nodes: it shows a bar, or seldom a message."""
    if quiet or not sys.stderr.isatty():
        shown_at = time.monotonic()

        def print_progress(count: int) -> None:
            nonlocal shown_at
            if not quiet and time.monotonic() - shown_at > PROGRESS_SECONDS:
                shown_at = time.monotonic()
                print_message(f"{source.name}: {count:,} nodes checked.")

        yield print_progress
        return
    with show_progress_bar(source.name, None, "nodes") as update:
        yield update
