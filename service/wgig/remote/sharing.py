"""What an instance needs to share a store: the service, its ledger, the write lock, and the local copy.

One thread of an instance writes at a time. Before the store is opened, its copy is kept, restored or
replaced, depending on the version recorded in a file beside it.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ..settings import Settings
from ..store.change import Change
from ..store.files import ASIDE_FOLDER
from ..store.folder import QUADS_FOLDER, WRITER_WAIT_SECONDS, hold_store_closed, open_quads
from ..store.recovery import CleanMark, InferenceMarks, get_index_mark, get_inference_mark
from .claims import WAIT_AFTER_REMOVAL_SECONDS, WriteClaim
from .client import RefusedError
from .copy import CopyProgress, StoreCopier
from .engine import RemoteEngine
from .ledger import MAX_LEDGER_ENTRIES, CutOffLoadError, LedgerState, QuadDifference, WriteLedger
from .skolem import Skolemizer

POSITION_FILE_NAME = "in-line-with"


class StorePosition(NamedTuple):
    """A version of a shared store: the store's ID, the number, and the mark of the write that made it."""

    store: str
    version: int
    mark: str


def get_position_mark(folder: Path) -> CleanMark:
    """The mark file of the copy, with the version of the shared store that it has."""
    return CleanMark(folder / POSITION_FILE_NAME)


def read_position_file(folder: Path) -> StorePosition | None:
    """The version recorded in the folder; None where there is none."""
    match get_position_mark(folder).read().split(" "):
        case [store, version, mark] if version.isdecimal():
            return StorePosition(store, int(version), mark)
    return None


def write_position_file(folder: Path, position: StorePosition) -> None:
    """Record the version of the copy, after all of it is on disk."""
    get_position_mark(folder).write(" ".join(map(str, position)))


class WriteTurn:
    """The write lock of the shared store for this instance; one of its threads writes at a time."""

    def __init__(self, ledger: WriteLedger) -> None:
        """The lock is not held yet."""
        self.ledger = ledger
        self.lock = threading.RLock()  # held by the thread that has the write lock, or waits for it
        self.claim: WriteClaim | None = None

    @property
    def is_taken(self) -> bool:
        """Whether this instance holds the write lock. Only for the thread that wants to write."""
        return self.claim is not None

    @contextmanager
    def take(
        self, restore: Callable[[WriteClaim, LedgerState], None], timeout_seconds: float = WRITER_WAIT_SECONDS
    ) -> Iterator[None]:
        """Hold the write lock within the context; reentrant.

        An unfinished write of another instance is finished first, or undone by `restore` where that is not
        possible. Raises StoreUnavailableError where the store does not respond, or others hold the lock for
        more than `timeout_seconds`.
        """
        with self.lock:
            if self.claim:
                yield
            else:
                with self.begin(restore, timeout_seconds):
                    yield

    @contextmanager
    def begin(
        self, restore: Callable[[WriteClaim, LedgerState], None], timeout_seconds: float = WRITER_WAIT_SECONDS
    ) -> Iterator[None]:
        """Hold the write lock within the context, which may end in another thread."""
        with self.ledger.claims.hold(timeout_seconds) as claim:
            self.claim = claim
            try:
                self.finish(restore)
                yield
            finally:
                self.claim = None

    def write(
        self, change: Change | None, rules_digest: str, mark: str, compute_difference: QuadDifference
    ) -> int:
        """Write a change with the lock held, as `WriteLedger.write` does; the new version."""
        assert self.claim
        return self.ledger.write(self.claim, change, rules_digest, mark, compute_difference).version

    def finish(self, restore: Callable[[WriteClaim, LedgerState], None]) -> None:
        """Finish an unfinished write of another instance, or undo it."""
        self.end_pending(self.ledger.redo, self.ledger.undo, restore)

    def undo(self, restore: Callable[[WriteClaim, LedgerState], None]) -> None:
        """Undo an unfinished write."""
        self.end_pending(self.ledger.undo, restore)

    def end_pending(self, *methods: Callable[[WriteClaim, LedgerState], object]) -> None:
        """End the announced write by the first of `methods` that works."""
        assert self.claim
        state = self.ledger.read_state()
        if not state.pending:
            return
        time.sleep(WAIT_AFTER_REMOVAL_SECONDS)  # any update still running in the service has ended then
        *first, last = methods
        for method in first:
            with suppress(CutOffLoadError, RefusedError):
                method(self.claim, state)
                return
        last(self.claim, state)


class StoreSharing:
    """The shared store given by the settings. Raises ValueError where they cannot be used."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is read yet."""
        self.engine = RemoteEngine(settings)
        self.ledger = WriteLedger(self.engine, settings.base)
        self.turn = WriteTurn(self.ledger)
        self.skolemizer = Skolemizer(settings.base)
        self.copier = StoreCopier(self.engine, self.ledger, self.skolemizer)


BEFORE_LOAD_FOLDER = "shared-before"  # the copy as it was before a bulk load
COPY_PROGRESS_SECONDS = 10  # seconds between two progress messages

ProgressReporter = Callable[[str], None]


def ledger_position(state: LedgerState) -> StorePosition:
    """The position of a copy that is up to date with this state."""
    return StorePosition(state.store, state.version, state.mark)


def restore_cut_off_copy(folder: Path) -> None:
    """Restore the copy from before an interrupted bulk load, to undo the load in the service with it."""
    before = folder / ASIDE_FOLDER / BEFORE_LOAD_FOLDER
    if before.exists():
        with hold_store_closed(folder):
            if not get_inference_mark(folder).read():
                shutil.rmtree(folder / QUADS_FOLDER)
                before.rename(folder / QUADS_FOLDER)
                InferenceMarks(folder, "").mark_clean()
            shutil.rmtree(before, ignore_errors=True)


def is_usable_copy(folder: Path, state: LedgerState) -> bool:
    """Whether the copy in a folder can be brought up to date by the entries of the ledger."""
    position = read_position_file(folder)
    if (
        position is None
        or position.store != state.store
        or not get_inference_mark(folder).read()
        or not (folder / QUADS_FOLDER).exists()
    ):
        return False
    return state.version - MAX_LEDGER_ENTRIES < position.version <= state.version


def copy_shared_store(folder: Path, sharing: StoreSharing, report: ProgressReporter) -> None:
    """Replace the copy in a folder. Raises StoreError where another process has it open."""
    report(f"Copying the shared store to {folder} ...")
    with hold_store_closed(folder):
        for mark in (get_position_mark(folder), get_inference_mark(folder), get_index_mark(folder)):
            mark.remove()
        shutil.rmtree(folder / QUADS_FOLDER, ignore_errors=True)
    quads = open_quads(folder)
    state = sharing.copier.copy_into(quads, make_progress_reporter(report))
    quads.flush()
    del quads
    InferenceMarks(folder, state.rules_digest).mark_clean()
    write_position_file(folder, ledger_position(state))


def make_progress_reporter(report: ProgressReporter) -> CopyProgress:
    """A callback that reports how far a copy is, every ten seconds."""
    reported_at = time.monotonic()

    def report_progress(copied_count: int, total: int) -> None:
        nonlocal reported_at
        if time.monotonic() - reported_at >= COPY_PROGRESS_SECONDS:
            reported_at = time.monotonic()
            report(f"Copied {copied_count:,} of {total:,} statements ...")

    return report_progress
