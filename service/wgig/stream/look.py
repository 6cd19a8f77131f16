"""Look through all that a store holds for what is other than the log of versions has it."""

import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path

import pyoxigraph as ox

from ..opening import StoreError
from ..settings import MIB
from ..view import View
from .log import Log, State
from .states import Node, graphs_of, named, states, subject

BATCH = 500  # things that are looked at in one go
LARGE = 64 * MIB  # of a store on disk, through which a process of its own looks
PATIENT = 10  # how far others go first


def look_through(log: Log, view: View, times: Mapping[str, str], now: str) -> None:
    """Add to the log what is other in the view, and what is gone; `times` says since when each graph is so.

    Raises StoreError.
    """
    number = log.begin_look()
    every = subjects(view)
    while batch := list(islice(every, BATCH)):
        new = [one for one in batch if not log.looked_at(number, named(one, log.base).value)]
        found = states(view.match, new, log.base)
        log.look(number, (dated(iri, state, times, now) for iri, state in found.items()))
    log.end_look(number, now)


def look_aside(log: Log, copy: Path, times: Mapping[str, str], now: str) -> None:
    """As `look_through` for a copy of a store on disk. Of a large one, nobody else has to wait for it."""
    if log.path is None or sum(one.stat().st_size for one in copy.iterdir()) < LARGE:
        look_through(log, View(ox.Store.read_only(str(copy))), times, now)
        return
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=begin) as pool:
        try:
            pool.submit(look_apart, log.path, log.base, copy, dict(times), now).result()
        except BrokenProcessPool as error:
            raise StoreError("The process that looks for what has changed was ended by another.") from error


def begin() -> None:
    """Let others go first, and end with the service."""
    os.nice(PATIENT)
    threading.Thread(target=end_with, args=(parent_process(),), daemon=True).start()


def end_with(parent: BaseProcess) -> None:
    """End this process as soon as that one has."""
    parent.join()
    os._exit(1)


def look_apart(path: Path, base: str, copy: Path, times: dict[str, str], now: str) -> None:
    """What the process does."""
    look_through(Log(path, base), View(ox.Store.read_only(str(copy))), times, now)


def subjects(view: View) -> Iterator[Node]:
    """What the quads are about; something may come more than once."""
    before: Node | None = None
    for thing in map(subject, view.match()):
        if thing is not None and thing != before:
            before = thing
            yield thing


def dated(iri: str, state: str, times: Mapping[str, str], now: str) -> State:
    """A state with the time at which the last of its graphs was written, or now where that is not known."""
    known = [times[graph] for graph in graphs_of(state) if graph in times]
    return State(iri, max(known, default=now), bool(known), state)
