"""The parts of a shared store in an instance: SPARQL service, ledger, write lock, and local copy.

One thread of an instance writes at a time. A write that needs several requests is announced in the ledger
first. When the store is opened, its copy is reused, restored or replaced, depending on the position that is
recorded in a file of the folder: the version of the shared store that the copy has.
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
from .ledger import MAX_LEDGER_ENTRIES, InterruptedWriteError, LedgerState, QuadDifference, WriteLedger
from .skolem import Skolemizer

POSITION_FILE_NAME = "in-line-with"


class StorePosition(NamedTuple):
    """The position of a copy: the ID and the version of the shared store, and the ID of its last write."""

    store: str
    version: int
    write_id: str


def get_position_mark(folder: Path) -> CleanMark:
    """The mark file of a local copy, which contains its position."""
    return CleanMark(folder / POSITION_FILE_NAME)


def read_position_file(folder: Path) -> StorePosition | None:
    """The position recorded in the folder of a copy; None if there is none."""
    match get_position_mark(folder).read().split(" "):
        case [store, version, write_id] if version.isdecimal():
            return StorePosition(store, int(version), write_id)
    return None


def write_position_file(folder: Path, position: StorePosition) -> None:
    """Record the position of a copy, when all its data is on disk."""
    get_position_mark(folder).write(" ".join(map(str, position)))


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
            if not get_inference_mark(folder).read():  # without this mark, the load was interrupted
                shutil.rmtree(folder / QUADS_FOLDER)
                old_copy.rename(folder / QUADS_FOLDER)
                InferenceMarks(folder, "").mark_clean()  # any digest: `is_usable_copy` only needs a mark
            shutil.rmtree(old_copy, ignore_errors=True)


def is_usable_copy(folder: Path, state: LedgerState) -> bool:
    """Whether the copy in a folder can be updated to this state from the entries of the ledger."""
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
    """Replace the copy in a folder. Raises StoreError if another process has it open."""
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
    """A callback that reports the progress of a copy, at most every COPY_PROGRESS_SECONDS."""
    reported_at = time.monotonic()

    def report_progress(copied_count: int, total: int) -> None:
        nonlocal reported_at
        if time.monotonic() - reported_at >= COPY_PROGRESS_SECONDS:
            reported_at = time.monotonic()
            report(f"Copied {copied_count:,} of {total:,} statements ...")

    return report_progress
