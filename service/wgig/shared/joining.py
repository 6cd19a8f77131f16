"""The copy of a shared store in the folder of an instance before it is opened: kept, restored, taken anew."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from ..backup.swap import ASIDE
from ..index import mark
from ..opening import QUADS, closed, open_quads
from ..writes.marks import SETTLED, Marks, settling
from . import position
from .copying import Reached
from .ledger import KEPT, State
from .position import Position
from .sharing import Sharing

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
    at = position.read(folder)
    if at is None or at.store != state.store or not settling(folder) or not (folder / QUADS).exists():
        return False
    return state.version - KEPT < at.version <= state.version


def copy(folder: Path, sharing: Sharing, say: Say) -> None:
    """Take a new copy of the shared store into a folder. Raises StoreError where a process has it open."""
    say(f"Copying the shared store to {folder} ...")
    with closed(folder):
        for name in (position.NAME, SETTLED, mark.NAME):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / QUADS, ignore_errors=True)
    quads = open_quads(folder)
    state = sharing.copying.into(quads, now_and_then(say))
    quads.flush()
    del quads
    Marks(folder, state.derived).settle()
    position.note(folder, at_of(state))


def now_and_then(say: Say) -> Reached:
    """Says how far a copy is, each ten seconds."""
    said = time.monotonic()

    def reached(came: int, count: int) -> None:
        nonlocal said
        if time.monotonic() - said >= EVERY:
            said = time.monotonic()
            say(f"Copied {came:,} of {count:,} statements ...")

    return reached
