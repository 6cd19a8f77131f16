"""The turn to write a shared store, for one thread of an instance at a time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..opening import PATIENCE
from ..writes.changes import Change
from .claims import LATE, Claim
from .client import RefusedError
from .ledger import CutOffLoadError, Ledger, State, Whole


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
