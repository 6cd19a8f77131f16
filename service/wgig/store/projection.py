"""Base class of projections: data derived from the store that is updated with each commit.

A projection is built from a snapshot on first use. From then on, each commit is applied to it before the
commit is acknowledged; commits during the build are applied at its end. It is rebuilt after an unknown
change and after a change that it failed to apply. Such a failure does not affect the commit.

A subclass defines how it is built (`rebuild`), how a change is applied (`apply`), and, if it is kept on disk,
whether the data there is current (`resume`).
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

PROJECTION_ERRORS = (sqlite3.Error, OSError, StoreError)  # errors of the disk; any other error is a bug

log = logging.getLogger("wgig")


class ProjectionState(Enum):
    """The state of a projection. It changes only under the write lock of the store."""

    CLOSED = "not used yet, so commits are ignored"
    STALE = "must be built"
    BUILDING = "is being built, and collects the changes made meanwhile"
    CURRENT = "includes all commits"
    BROKEN = "could not be built; the next commit or use tries again"


class Projection(ABC):
    """Data derived from a store ("it" below), kept up to date with the commits of the store."""

    name: str  # in messages
    snapshot_name: str  # folder in `aside` for the snapshot that it is built from

    def __init__(self, store: Store) -> None:
        """Take the store. Nothing is opened or built before the first use."""
        self.store = store
        self.state = ProjectionState.CLOSED
        self.missed_changes: list[Change] | None = None  # since the snapshot; None: one of them is unknown
        self.build_lock = threading.Lock()  # held during a build
        self.task_lock = threading.Lock()  # for `build_task`
        self.build_task: Future[None] | None = None

    @abstractmethod
    def apply(self, change: Change) -> bool:
        """Apply a change of the store, under the write lock. Returns False if a rebuild is needed instead.

        Raises PROJECTION_ERRORS.
        """

    @abstractmethod
    def rebuild(self, view: StoreView) -> None:
        """Build it from the view, while others may write to the store.

        Changes after the view was taken are then passed to `apply`, as one change. Raises PROJECTION_ERRORS.
        """

    def resume(self) -> bool:
        """Open the data on disk, under the write lock. Returns whether it agrees with the store."""
        return False

    def on_stale(self) -> None:  # noqa: B027 - most subclasses do nothing here
        """Called when it must be built. Unless a subclass starts a build here, the next use builds it."""

    @property
    def is_current(self) -> bool:
        """Whether it includes all commits."""
        return self.state is ProjectionState.CURRENT

    @property
    def is_pending(self) -> bool:
        """Whether it is being built or must be built."""
        return self.state in (ProjectionState.STALE, ProjectionState.BUILDING)

    def open(self) -> None:
        """Apply each commit from now on."""
        if self.state is not ProjectionState.CLOSED:  # without the lock, so as not to wait for a commit
            return
        with self.store.write_lock():
            if self.state is ProjectionState.CLOSED:
                self.state = ProjectionState.CURRENT if self.resume() else ProjectionState.STALE
                self.store.projections.append(self.follow_commit)
                if not self.is_current:
                    self.on_stale()

    def follow_commit(self, change: Change | None) -> None:
        """Apply or collect the change of a commit (None: unknown), under the write lock."""
        if self.state is ProjectionState.BUILDING:
            if change is None:
                self.missed_changes = None
            elif self.missed_changes is not None:
                self.missed_changes.append(change)
        elif (
            change is None
            or self.state is ProjectionState.BROKEN
            or (self.state is ProjectionState.CURRENT and not self._try_apply(change))
        ):
            self.invalidate()

    def _try_apply(self, change: Change) -> bool:
        """Apply a change. Returns whether that succeeded."""
        try:
            return self.apply(change)
        except PROJECTION_ERRORS as error:  # the commit itself is done
            log.error("%s failed to apply the last write, and is rebuilt: %s", self.name, error)
            return False

    def invalidate(self) -> None:
        """Mark it for a rebuild, as it may be wrong."""
        with self.store.write_lock():
            if self.state is ProjectionState.BUILDING:
                self.missed_changes = None
            else:
                self.state = ProjectionState.STALE
                self.on_stale()

    def ensure_current(self) -> None:
        """Build it unless it is current. May block: call it on a worker thread. Raises PROJECTION_ERRORS."""
        self.open()
        with self.build_lock:
            while not self.is_current:
                self._build()

    def start_build(self) -> Future[None]:
        """Run `ensure_current` on a new thread, unless it is running. Returns its future."""
        with self.task_lock:
            if self.build_task is None or self.build_task.done():
                self.build_task = Future()
                thread = threading.Thread(target=self._run_build, args=(self.build_task,), daemon=True)
                thread.start()
            return self.build_task

    def _run_build(self, task: Future[None]) -> None:
        """Build it and complete the task. An error is logged, as nobody may be waiting for the task."""
        task.set_running_or_notify_cancel()  # so that it cannot be cancelled
        try:
            self.ensure_current()
        except BaseException as error:
            is_unexpected = not isinstance(error, PROJECTION_ERRORS)
            log.error("%s cannot be built: %s", self.name, error, exc_info=is_unexpected)
            task.set_exception(error)
        else:
            task.set_result(None)
        if self.state is ProjectionState.STALE:  # a commit came just before this task was done
            self.on_stale()

    def _build(self) -> None:
        """Build it once. Then it is current, unless there was an unknown change meanwhile."""
        try:
            with self.open_build_view() as view:
                self.rebuild(view)
            with self.store.write_lock():
                changes = self.missed_changes
                is_applied = changes is not None and self.apply(combine_changes(changes))
                self.state = ProjectionState.CURRENT if is_applied else ProjectionState.STALE
        except BaseException:
            with self.store.write_lock():
                self.state = ProjectionState.BROKEN
            raise

    @contextmanager
    def open_build_view(self) -> Iterator[StoreView]:
        """The view from which it is built; `begin_build` is called under the write lock."""
        with self.store.snapshot(self.snapshot_name, self.begin_build) as view:
            yield view

    def begin_build(self) -> None:
        """Collect changes from now on, until it is built."""
        self.state, self.missed_changes = ProjectionState.BUILDING, []
