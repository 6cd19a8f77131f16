"""What stands beside the store and follows its commits: one state machine for all of it.

A projection is built from a snapshot when somebody needs it. From then on each commit is taken in before it
is acknowledged; one that comes while it is built is taken in at the end. It is built again after a change
that is not known, and where it could not take one in: the commit is done all the same.

A class says how it is built (`rebuild`), how it takes in a change (`apply`), and, where it is kept on disk,
whether what is there is current (`resume`).
"""

import logging
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from enum import Enum

from .change import Change, combine_changes
from .errors import StoreError
from .store import Store
from .view import StoreView

PROJECTION_ERRORS = (sqlite3.Error, OSError, StoreError)  # of the disk; any other is a mistake in the code

log = logging.getLogger("wgig")


class ProjectionState(Enum):
    """How a projection stands to the store. It changes only under the write lock of the store."""

    CLOSED = "follows no commit, as nobody needed it yet"
    STALE = "is to be built"
    BUILDING = "is being built, and keeps the changes that come meanwhile"
    CURRENT = "holds what the store holds, with each commit"
    BROKEN = "could not be built, which is tried again with the next commit, or when it is needed"


class Projection(ABC):
    """Something that is computed from a store and kept beside it."""

    name: str  # in messages
    snapshot_name: str  # of the snapshot that it is built from, in the `aside` of the store

    def __init__(self, store: Store) -> None:
        """Nothing is opened or built before somebody needs it."""
        self.store = store
        self.state = ProjectionState.CLOSED
        self.missed_changes: list[Change] | None = None  # since the snapshot; None: one is not known
        self.build_lock = threading.Lock()  # held while it is built
        self.task_lock = threading.Lock()
        self.build_task: Future[None] | None = None

    @abstractmethod
    def apply(self, change: Change) -> bool:
        """Take in a change of the store, while nobody else writes; False: it is easier to build it again.

        Raises PROJECTION_ERRORS.
        """

    @abstractmethod
    def rebuild(self, view: StoreView) -> None:
        """Build it from what the view holds; others may write to the store meanwhile.

        Changes since then, maybe none, come by `apply` before it counts as current. Raises PROJECTION_ERRORS.
        """

    def resume(self) -> bool:
        """Open what is kept on disk, while nobody writes; whether that is what the store holds now."""
        return False

    def on_stale(self) -> None:  # noqa: B027 - most have nothing to do
        """It is to be built. That waits until somebody needs it, unless a class begins here."""

    @property
    def is_current(self) -> bool:
        """Whether it holds what the store holds."""
        return self.state is ProjectionState.CURRENT

    @property
    def is_pending(self) -> bool:
        """Whether it is being built, or is going to be."""
        return self.state in (ProjectionState.STALE, ProjectionState.BUILDING)

    def open(self) -> None:
        """Follow each commit from now on."""
        if self.state is not ProjectionState.CLOSED:  # without the lock, lest who asks waits for a commit
            return
        with self.store.write_lock():
            if self.state is ProjectionState.CLOSED:
                self.state = ProjectionState.CURRENT if self.resume() else ProjectionState.STALE
                self.store.projections.append(self.follow_commit)
                if not self.is_current:
                    self.on_stale()

    def follow_commit(self, change: Change | None) -> None:
        """Take in what a commit changed, while nobody else writes; None: it may be anything."""
        if self.state is ProjectionState.BUILDING:
            if change is None:
                self.missed_changes = None
            elif self.missed_changes is not None:
                self.missed_changes.append(change)
        elif (
            change is None
            or self.state is ProjectionState.BROKEN
            or (self.state is ProjectionState.CURRENT and not self._take_in(change))
        ):
            self.invalidate()

    def _take_in(self, change: Change) -> bool:
        """Whether a change could be taken in."""
        try:
            return self.apply(change)
        except PROJECTION_ERRORS as error:  # the commit itself is done
            log.error("%s is not in line with the last write, and is made anew: %s", self.name, error)
            return False

    def invalidate(self) -> None:
        """Have it built again, as what it holds may be wrong."""
        with self.store.write_lock():
            if self.state is ProjectionState.BUILDING:
                self.missed_changes = None
            else:
                self.state = ProjectionState.STALE
                self.on_stale()

    def ensure_current(self) -> None:
        """Build it unless it is current; for a thread. Raises what kept it from being built."""
        self.open()
        with self.build_lock:
            while not self.is_current:
                self._build()

    def start_build(self) -> Future[None]:
        """Have `ensure_current` called on a thread of its own, unless that is under way."""
        with self.task_lock:
            if self.build_task is None or self.build_task.done():
                self.build_task = Future()
                work = threading.Thread(target=self._run_build, args=(self.build_task,), daemon=True)
                work.start()
            return self.build_task

    def _run_build(self, task: Future[None]) -> None:
        """What the thread does. Its error is logged, as there may be nobody who waits for the task."""
        task.set_running_or_notify_cancel()  # so that nobody who waits for it can cancel it
        try:
            self.ensure_current()
        except BaseException as error:
            unforeseen = not isinstance(error, PROJECTION_ERRORS)
            log.error("%s cannot be made: %s", self.name, error, exc_info=unforeseen)
            task.set_exception(error)
        else:
            task.set_result(None)
        if self.state is ProjectionState.STALE:  # again, just before this task was done
            self.on_stale()

    def _build(self) -> None:
        """Build it once; it is current then unless a change came that is not known."""
        try:
            with self.open_source() as view:
                self.rebuild(view)
            with self.store.write_lock():
                missed = self.missed_changes
                is_done = missed is not None and self.apply(combine_changes(missed))
                self.state = ProjectionState.CURRENT if is_done else ProjectionState.STALE
        except BaseException:
            with self.store.write_lock():
                self.state = ProjectionState.BROKEN
            raise

    @contextmanager
    def open_source(self) -> Iterator[StoreView]:
        """What it is built from, with `begin_build` called while nobody writes."""
        with self.store.snapshot(self.snapshot_name, self.begin_build) as view:
            yield view

    def begin_build(self) -> None:
        """From here on, changes are kept until it is built."""
        self.state, self.missed_changes = ProjectionState.BUILDING, []
