"""`wgig load`: RDF files into the store, each whole or not at all."""

import argparse
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from ..load import NOTHING, UnreadableError, load, size_of
from ..problems import Problem
from ..settings import STACK, Settings
from ..shipped import open_filled, sources, take
from ..store import Store
from . import progress, say


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Load all files that can be read. Exit code 0, or 2 when one could not. Raises Problem, StoreError."""
    if not arguments.files and not arguments.shipped:
        raise Problem(400, "No file is given. Name RDF files, - for standard input, or --shipped graphs.")
    if arguments.graph:
        from ..sparql import absolute  # noqa: PLC0415  costs 10 ms, and most loads name no graph

        absolute(arguments.graph, "--graph")
    store = open_filled(settings, say)
    if arguments.shipped:
        take_shipped(store, arguments.shipped, settings.base)
    threading.stack_size(STACK)
    with ThreadPoolExecutor(1) as thread:  # one for all, as a shared store is kept for who began to load
        failed = load_all(store, arguments.files, arguments.graph, arguments.format, thread)
        if len(failed) < len(arguments.files):
            thread.submit(store.infer).result()
    for sentence in failed:
        say(sentence)
    return 2 if failed else 0


def load_all(
    store: Store, files: Sequence[str], graph: str | None, format_: str | None, thread: Executor
) -> list[str]:
    """Load the files one after the other; returns a sentence for each that cannot be read."""
    failed = []
    for name in files:
        started = time.monotonic()
        try:
            with progress(name, size_of(name)) as reached:
                load_stoppable(store, name, graph, format_, reached, thread)
        except UnreadableError as error:
            failed.append(str(error))
        else:
            print(f"Loaded {name} in {time.monotonic() - started:.1f} s", flush=True)
    return failed


def load_stoppable(  # noqa: PLR0913, PLR0917 - what to load, and how
    store: Store,
    name: str,
    graph: str | None,
    format_: str | None,
    reached: Callable[[int], None],
    thread: Executor,
) -> None:
    """Load one file, or nothing of it when the user interrupts. Raises UnreadableError, KeyboardInterrupt."""
    stopped = threading.Event()

    def reached_unless_stopped(count: int) -> None:
        if stopped.is_set():
            raise UnreadableError(f"{name}: stopped. {NOTHING}")
        reached(count)

    loading = thread.submit(load, store, name, graph, format_, reached_unless_stopped)
    try:
        loading.result()
    except KeyboardInterrupt as interrupt:
        stopped.set()
        done = loading.exception() is None
        raise KeyboardInterrupt(
            f"Stopped; {name} was loaded before." if done else f"Stopped; nothing of {name} was loaded."
        ) from interrupt


def take_shipped(store: Store, names: Sequence[str], base: str) -> None:
    """Replace graphs by those of the package. Raises Problem 404 for a name that it does not ship."""
    shipped = sources(base)
    wanted = [f"{base}graph/{name.removeprefix(f'{base}graph/')}" for name in names]
    for graph in wanted:
        if graph not in shipped:
            known = ", ".join(iri.removeprefix(f"{base}graph/") for iri in shipped)
            raise Problem(404, f"The package ships no graph {graph}. It ships: {known}.")
    take(store, base, {graph: shipped[graph] for graph in wanted})
