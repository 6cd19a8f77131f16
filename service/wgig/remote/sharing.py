"""What an instance needs to share a store: the service, its ledger, the write lease, and the local copy.

One thread of an instance writes at a time. Before the store is opened, its copy is kept, restored or taken
anew, by the position that is noted beside it.
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
from .claims import LATE_REQUEST_SECONDS, WriteClaim
from .client import RefusedError
from .copy import CopyProgress, StoreCopier
from .engine import RemoteEngine
from .ledger import MAX_LEDGER_ENTRIES, CutOffLoadError, LedgerState, QuadDifference, WriteLedger
from .skolem import Skolemizer

POSITION_FILE_NAME = "in-line-with"


class StorePosition(NamedTuple):
    """A version of a store, and the mark of the write that made it."""

    store: str
    version: int
    mark: str


def get_position_mark(folder: Path) -> CleanMark:
    """The mark of the copy, whose text tells with which version of the shared store it agrees."""
    return CleanMark(folder / POSITION_FILE_NAME)


def read_position_file(folder: Path) -> StorePosition | None:
    """What is noted in the folder; None where nothing is."""
    match get_position_mark(folder).read().split(" "):
        case [store, version, by] if version.isdecimal():
            return StorePosition(store, int(version), by)
    return None


def write_position_file(folder: Path, position: StorePosition) -> None:
    """Note a version, after all of it is on disk."""
    get_position_mark(folder).write(" ".join(map(str, position)))


class WriteTurn:
    """Takes turns for one instance, in which one of its threads writes."""

    def __init__(self, ledger: WriteLedger) -> None:
        """It has none yet."""
        self.ledger = ledger
        self.lock = threading.RLock()  # whoever holds it has the turn, or waits for it
        self.claim: WriteClaim | None = None

    @property
    def is_taken(self) -> bool:
        """Whether this instance has the turn; for the thread that wants to write."""
        return self.claim is not None

    @contextmanager
    def take(
        self, take_back: Callable[[WriteClaim, LedgerState], None], patience: float = WRITER_WAIT_SECONDS
    ) -> Iterator[None]:
        """Around what is written in a turn; within another it is that one.

        What another left unfinished is finished first, or taken back where that cannot be. Raises
        StoreUnavailableError where the store does not answer, or others write for so many seconds.
        """
        with self.lock:
            if self.claim:
                yield
            else:
                with self.begin(take_back, patience):
                    yield

    @contextmanager
    def begin(
        self, take_back: Callable[[WriteClaim, LedgerState], None], patience: float = WRITER_WAIT_SECONDS
    ) -> Iterator[None]:
        """Around a turn that may begin in one thread and end in another."""
        with self.ledger.claims.hold(patience) as claim:
            self.claim = claim
            try:
                self.finish(take_back)
                yield
            finally:
                self.claim = None

    def write(self, change: Change | None, derived: str, by: str, whole: QuadDifference) -> int:
        """Write a change in the turn, as `Ledger.write` does; as which version."""
        assert self.claim
        return self.ledger.write(self.claim, change, derived, by, whole).version

    def finish(self, take_back: Callable[[WriteClaim, LedgerState], None]) -> None:
        """Finish what another left unfinished, or take it back."""
        self.end_pending(self.ledger.redo, self.ledger.undo, take_back)

    def undo(self, take_back: Callable[[WriteClaim, LedgerState], None]) -> None:
        """Take back what was not written to its end."""
        self.end_pending(self.ledger.undo, take_back)

    def end_pending(self, *ways: Callable[[WriteClaim, LedgerState], object]) -> None:
        """Bring what is announced to an end in the first of these ways that there is."""
        assert self.claim
        state = self.ledger.read_state()
        if not state.pending:
            return
        time.sleep(LATE_REQUEST_SECONDS)  # what was begun to be written, by whoever, is over then
        *first, last = ways
        for way in first:
            with suppress(CutOffLoadError, RefusedError):
                way(self.claim, state)
                return
        last(self.claim, state)


class StoreSharing:
    """The shared store of the settings. Raises ValueError where they do not fit."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is asked yet."""
        self.engine = RemoteEngine(settings)
        self.ledger = WriteLedger(self.engine, settings.base)
        self.turn = WriteTurn(self.ledger)
        self.skolemizer = Skolemizer(settings.base)
        self.copier = StoreCopier(self.engine, self.ledger, self.skolemizer)


BEFORE_LOAD_FOLDER = "shared-before"  # the copy as it was before a large load
COPY_PROGRESS_SECONDS = 10  # seconds between two words on how far a copy is

ProgressReporter = Callable[[str], None]


def ledger_position(state: LedgerState) -> StorePosition:
    """Where what is in line with this is."""
    return StorePosition(state.store, state.version, state.mark)


def restore_cut_off_copy(folder: Path) -> None:
    """Have the copy be as before a loading that was cut off, so that somebody can take that back."""
    before = folder / ASIDE_FOLDER / BEFORE_LOAD_FOLDER
    if before.exists():
        with hold_store_closed(folder):
            if not get_inference_mark(folder).read():
                shutil.rmtree(folder / QUADS_FOLDER)
                before.rename(folder / QUADS_FOLDER)
                InferenceMarks(folder, "").mark_clean()
            shutil.rmtree(before, ignore_errors=True)


def is_usable_copy(folder: Path, state: LedgerState) -> bool:
    """Whether the copy in a folder can be brought in line."""
    at = read_position_file(folder)
    if (
        at is None
        or at.store != state.store
        or not get_inference_mark(folder).read()
        or not (folder / QUADS_FOLDER).exists()
    ):
        return False
    return state.version - MAX_LEDGER_ENTRIES < at.version <= state.version


def copy_shared_store(folder: Path, sharing: StoreSharing, say: ProgressReporter) -> None:
    """Take a new copy of the shared store into a folder. Raises StoreError where a process has it open."""
    say(f"Copying the shared store to {folder} ...")
    with hold_store_closed(folder):
        for mark in (get_position_mark(folder), get_inference_mark(folder), get_index_mark(folder)):
            mark.remove()
        shutil.rmtree(folder / QUADS_FOLDER, ignore_errors=True)
    quads = open_quads(folder)
    state = sharing.copier.copy_into(quads, make_progress_reporter(say))
    quads.flush()
    del quads
    InferenceMarks(folder, state.rules_digest).mark_clean()
    write_position_file(folder, ledger_position(state))


def make_progress_reporter(say: ProgressReporter) -> CopyProgress:
    """Says how far a copy is, each ten seconds."""
    said = time.monotonic()

    def reached(came: int, count: int) -> None:
        nonlocal said
        if time.monotonic() - said >= COPY_PROGRESS_SECONDS:
            said = time.monotonic()
            say(f"Copied {came:,} of {count:,} statements ...")

    return reached
