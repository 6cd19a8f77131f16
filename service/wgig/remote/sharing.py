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
from ..store import recovery
from ..store.change import Change
from ..store.files import ASIDE
from ..store.folder import PATIENCE, QUADS, closed, open_quads
from ..store.recovery import SETTLED, Marks, settling
from .claims import LATE, Claim
from .client import RefusedError
from .copy import Copying, Reached
from .engine import Engine
from .ledger import KEPT, CutOffLoadError, Ledger, State, Whole
from .skolem import Ground

NAME = "in-line-with"


class Position(NamedTuple):
    """A version of a store, and the mark of the write that made it."""

    store: str
    version: int
    by: str


def read(folder: Path) -> Position | None:
    """What is noted in the folder; None where nothing is."""
    path = folder / NAME
    if not path.exists():
        return None
    match path.read_text("utf-8").split(" "):
        case [store, version, by] if version.isdecimal():
            return Position(store, int(version), by)
    return None


def note(folder: Path, position: Position) -> None:
    """Note a version, after all of it is on disk."""
    path = folder / NAME
    path.unlink(missing_ok=True)  # a backup may hold it by a link, so that it is not changed in place
    path.write_text(" ".join(map(str, position)), "utf-8")


class Turn:
    """Takes turns for one instance, in which one of its threads writes."""

    def __init__(self, ledger: Ledger) -> None:
        """It has none yet."""
        self.ledger = ledger
        self.mine = threading.RLock()  # whoever holds it has the turn, or waits for it
        self.claim: Claim | None = None

    @property
    def is_taken(self) -> bool:
        """Whether this instance has the turn; for the thread that wants to write."""
        return self.claim is not None

    @contextmanager
    def taken(self, take_back: Callable[[Claim, State], None], patience: float = PATIENCE) -> Iterator[None]:
        """Around what is written in a turn; within another it is that one.

        What another left unfinished is finished first, or taken back where that cannot be. Raises
        UnavailableError where the store does not answer, or others write for so many seconds.
        """
        with self.mine:
            if self.claim:
                yield
            else:
                with self.begun(take_back, patience):
                    yield

    @contextmanager
    def begun(self, take_back: Callable[[Claim, State], None], patience: float = PATIENCE) -> Iterator[None]:
        """Around a turn that may begin in one thread and end in another."""
        with self.ledger.claims.held(patience) as claim:
            self.claim = claim
            try:
                self.finish(take_back)
                yield
            finally:
                self.claim = None

    def write(self, change: Change | None, derived: str, by: str, whole: Whole) -> int:
        """Write a change in the turn, as `Ledger.write` does; as which version."""
        assert self.claim
        return self.ledger.write(self.claim, change, derived, by, whole).version

    def finish(self, take_back: Callable[[Claim, State], None]) -> None:
        """Finish what another left unfinished, or take it back."""
        self.settle(self.ledger.redo, self.ledger.undo, take_back)

    def undo(self, take_back: Callable[[Claim, State], None]) -> None:
        """Take back what was not written to its end."""
        self.settle(self.ledger.undo, take_back)

    def settle(self, *ways: Callable[[Claim, State], object]) -> None:
        """Bring what is announced to an end in the first of these ways that there is."""
        assert self.claim
        state = self.ledger.read()
        if not state.pending:
            return
        time.sleep(LATE)  # what was begun to be written, by whoever, is over then
        *first, last = ways
        for way in first:
            with suppress(CutOffLoadError, RefusedError):
                way(self.claim, state)
                return
        last(self.claim, state)


class Sharing:
    """The shared store of the settings. Raises ValueError where they do not fit."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is asked yet."""
        self.engine = Engine(settings)
        self.ledger = Ledger(self.engine, settings.base)
        self.turn = Turn(self.ledger)
        self.ground = Ground(settings.base)
        self.copying = Copying(self.engine, self.ledger, self.ground)


BEFORE = "shared-before"  # the copy as it was before a large load
EVERY = 10  # seconds between two words on how far a copy is

Say = Callable[[str], None]


def at_of(state: State) -> Position:
    """Where what is in line with this is."""
    return Position(state.store, state.version, state.by)


def restore(folder: Path) -> None:
    """Have the copy be as before a loading that was cut off, so that somebody can take that back."""
    before = folder / ASIDE / BEFORE
    if before.exists():
        with closed(folder):
            if not settling(folder):
                shutil.rmtree(folder / QUADS)
                before.rename(folder / QUADS)
                Marks(folder, "").settle()
            shutil.rmtree(before, ignore_errors=True)


def is_of_use(folder: Path, state: State) -> bool:
    """Whether the copy in a folder can be brought in line."""
    at = read(folder)
    if at is None or at.store != state.store or not settling(folder) or not (folder / QUADS).exists():
        return False
    return state.version - KEPT < at.version <= state.version


def copy(folder: Path, sharing: Sharing, say: Say) -> None:
    """Take a new copy of the shared store into a folder. Raises StoreError where a process has it open."""
    say(f"Copying the shared store to {folder} ...")
    with closed(folder):
        for name in (NAME, SETTLED, recovery.INDEX_MARK):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / QUADS, ignore_errors=True)
    quads = open_quads(folder)
    state = sharing.copying.into(quads, now_and_then(say))
    quads.flush()
    del quads
    Marks(folder, state.derived).settle()
    note(folder, at_of(state))


def now_and_then(say: Say) -> Reached:
    """Says how far a copy is, each ten seconds."""
    said = time.monotonic()

    def reached(came: int, count: int) -> None:
        nonlocal said
        if time.monotonic() - said >= EVERY:
            said = time.monotonic()
            say(f"Copied {came:,} of {count:,} statements ...")

    return reached
