"""The parts of a shared store in an instance: SPARQL service, ledger, write lock, and local copy.

One thread of an instance writes at a time. A write that needs several requests is announced in the ledger
first. When the store is opened, its copy is reused, restored or replaced, depending on its position, which is
the version of the shared store that it has.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox

from ..settings import Settings
from ..store.change import Change
from ..store.change_log import RESET_ENTRY, ChangeLog
from ..store.errors import StoreError
from ..store.files import ASIDE_FOLDER
from ..store.folder import CHANGE_LOG_FILE, QUADS_FOLDER, WRITER_WAIT_SECONDS, hold_store_closed
from ..store.position import EnginePosition
from .claims import WAIT_AFTER_REMOVAL_SECONDS, WriteClaim
from .client import RefusedError
from .copy import CopyProgress, StoreCopier
from .engine import RemoteEngine
from .ledger import MAX_LEDGER_ENTRIES, InterruptedWriteError, LedgerState, QuadDifference, WriteLedger
from .skolem import Skolemizer


class StorePosition(NamedTuple):
    """The position of a copy: the ID and the version of the shared store, and the ID of its last write."""

    store: str
    version: int
    write_id: str


def parse_store_position(text: str) -> StorePosition | None:
    """The position of a copy from its text, the three members with spaces between; None if it is invalid."""
    match text.split(" "):
        case [store, version, write_id] if store and version.isdecimal():
            return StorePosition(store, int(version), write_id)
    return None


class SharedWriteLock:
    """The write lock of the shared store for this instance; one of its threads writes at a time."""

    def __init__(self, ledger: WriteLedger) -> None:
        """Take the ledger, which has the claims to the lock."""
        self.ledger = ledger
        self.thread_lock = threading.RLock()  # held by the thread that holds or waits for the write lock
        self.claim: WriteClaim | None = None

    @property
    def is_held(self) -> bool:
        """Whether this instance holds the write lock. Call this only on the thread that wants to write."""
        return self.claim is not None

    @contextmanager
    def hold(
        self, restore: Callable[[WriteClaim, LedgerState], None], timeout_seconds: float = WRITER_WAIT_SECONDS
    ) -> Iterator[None]:
        """Hold the write lock within the context; reentrant.

        An unfinished write of another instance is finished first, or undone by `restore` if that is not
        possible. Raises StoreUnavailableError if the store does not respond, or others hold the lock for more
        than `timeout_seconds`.
        """
        with self.thread_lock:
            if self.claim:
                yield
            else:
                with self.hold_across_threads(restore, timeout_seconds):
                    yield

    @contextmanager
    def hold_across_threads(
        self, restore: Callable[[WriteClaim, LedgerState], None], timeout_seconds: float = WRITER_WAIT_SECONDS
    ) -> Iterator[None]:
        """Like `hold`, but not reentrant; the context may be entered and exited on different threads."""
        with self.ledger.claims.hold(timeout_seconds) as claim:
            self.claim = claim
            try:
                self.finish_announced_write(restore)
                yield
            finally:
                self.claim = None

    def write(
        self, change: Change | None, rules_digest: str, write_id: str, compute_difference: QuadDifference
    ) -> int:
        """Call `WriteLedger.write` with the lock held, and return the new version."""
        assert self.claim
        return self.ledger.write(self.claim, change, rules_digest, write_id, compute_difference).version

    def finish_announced_write(self, restore: Callable[[WriteClaim, LedgerState], None]) -> None:
        """Finish the announced write of another instance, if there is one; undo it if that fails."""
        self.end_announced_write(self.ledger.redo, self.ledger.undo, restore)

    def undo_announced_write(self, restore: Callable[[WriteClaim, LedgerState], None]) -> None:
        """Undo the announced write, if there is one."""
        self.end_announced_write(self.ledger.undo, restore)

    def end_announced_write(self, *methods: Callable[[WriteClaim, LedgerState], object]) -> None:
        """End the announced write with the first of `methods` that succeeds."""
        assert self.claim
        state = self.ledger.read_state()
        if not state.pending:
            return
        time.sleep(WAIT_AFTER_REMOVAL_SECONDS)  # until updates that still run in the service have ended
        *first_methods, last_method = methods
        for method in first_methods:
            with suppress(InterruptedWriteError, RefusedError):
                method(self.claim, state)
                return
        last_method(self.claim, state)


class StoreSharing:
    """The service, ledger, write lock, skolemizer and copier of a shared store."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings, without reading the store. Raises ValueError for invalid settings."""
        self.engine = RemoteEngine(settings)
        self.ledger = WriteLedger(self.engine, settings.base)
        self.write_lock = SharedWriteLock(self.ledger)
        self.skolemizer = Skolemizer(settings.base)
        self.copier = StoreCopier(self.engine, self.ledger, self.skolemizer)


BEFORE_LOAD_FOLDER = "shared-before"  # the copy as it was before a bulk load
COPY_PROGRESS_SECONDS = 10  # between two progress messages

ProgressReporter = Callable[[str], None]


def ledger_position(state: LedgerState) -> StorePosition:
    """The position of a copy that is up to date with this state."""
    return StorePosition(state.store, state.version, state.write_id)


def restore_interrupted_copy(folder: Path) -> None:
    """Restore the copy from before an interrupted bulk load, so that the next writer can undo the load."""
    old_copy = folder / ASIDE_FOLDER / BEFORE_LOAD_FOLDER
    if old_copy.exists():
        with hold_store_closed(folder):
            log = ChangeLog(folder / CHANGE_LOG_FILE)
            if log.find_last_step()[1] not in ("", RESET_ENTRY):
                shutil.rmtree(folder / QUADS_FOLDER, ignore_errors=True)
                old_copy.rename(folder / QUADS_FOLDER)
                log.append_step(RESET_ENTRY)
            log.close()
            shutil.rmtree(old_copy, ignore_errors=True)


def find_usable_position(folder: Path, log: ChangeLog, state: LedgerState) -> EnginePosition | None:
    """The position of the copy in a folder; None if it cannot be updated to this state from the ledger."""
    try:
        position = EnginePosition.read(folder)
    except StoreError:
        return None
    shared = parse_store_position(position.shared) if position else None
    if position is None or shared is None or position.version > log.last_version:
        return None
    is_same = (position.log_id, shared.store) == (log.id, state.store)
    is_recent = state.version - MAX_LEDGER_ENTRIES < shared.version <= state.version
    return position if is_same and is_recent else None


def split_derived_change(change: Change, derived_graphs: Set[ox.NamedNode]) -> tuple[Change, Change]:
    """The parts of a change outside and in the derived graphs."""
    iris = {graph.value for graph in derived_graphs}

    def select_part(is_derived: bool) -> Change:
        removed, added = (
            tuple(quad for quad in quads if (quad.graph_name in derived_graphs) == is_derived)
            for quads in (change.removed, change.added)
        )
        dropped, created = (
            tuple(graph for graph in graphs if (graph in iris) == is_derived)
            for graphs in (change.dropped, change.created)
        )
        return Change(removed, added, dropped, created)

    return select_part(False), select_part(True)


def replace_quads(quads: ox.Store, new: ox.Store) -> None:
    """Give a store the quads and the graphs of another one, while others read it."""
    for quad in [quad for quad in quads if quad not in new]:
        quads.remove(quad)
    quads.bulk_extend(quad for quad in new if quad not in quads)
    old_graphs, new_graphs = set(quads.named_graphs()), set(new.named_graphs())
    for graph in old_graphs - new_graphs:
        quads.remove_graph(graph)
    for graph in new_graphs - old_graphs:
        quads.add_graph(graph)


def make_progress_reporter(report: ProgressReporter) -> CopyProgress:
    """A callback that reports the progress of a copy, at most every COPY_PROGRESS_SECONDS."""
    reported_at = time.monotonic()

    def report_progress(copied_count: int, total: int) -> None:
        nonlocal reported_at
        if time.monotonic() - reported_at >= COPY_PROGRESS_SECONDS:
            reported_at = time.monotonic()
            report(f"Copied {copied_count:,} of {total:,} statements ...")

    return report_progress
