"""Base class of projections: data derived from the store that follows the change log, behind a fence.

A projection is built from a snapshot on first use, unless its data on disk has a position in the change log:
then only the commits after it are replayed. From then on, the runner applies each commit (see
`projection_runner`); commits during a build are applied at its end. Reading it waits until it includes all
commits that were acknowledged before. It is rebuilt after an unknown change, such as a bulk load, and after a
commit that it failed to apply. Such a failure does not affect the commit.

A subclass defines how it is built (`rebuild`), how a commit is applied (`apply`), and, if it is kept on disk,
the position of the data there (`load_position`).
"""

import asyncio
import logging
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from enum import Enum

from ..problems import Problem
from .errors import StoreError, StoreUnavailableError, free_frames
from .projection_runner import CommittedChange, combine_commits
from .store import Store
from .view import StoreView

PROJECTION_ERRORS = (sqlite3.Error, OSError, StoreError)  # errors of the disk; any other error is a bug

FENCE_TIMEOUT_SECONDS = 20  # for which a read waits until the commits before it are applied
BUILD_RETRY_SECONDS = 10  # from a failed build until a use that does not wait for it starts another one

log = logging.getLogger("wgig")


class ProjectionState(Enum):
    """The state of a projection. It changes only under the lock of the projection."""

    CLOSED = "not used yet, so commits are ignored"
    STALE = "must be built"
    BUILDING = "is being built, and collects the commits made in the meantime"
    CURRENT = "follows the commits"
    BROKEN = "could not be built; the next commit or use tries again"


class RebuildNeededError(StoreError):
    """A commit cannot be applied, or not faster than a rebuild."""


def list_broken_projections(store: Store) -> list[str]:
    """The names of the projections in use that could not be built."""
    return [
        subscriber.name
        for subscriber in list(store.runner.subscribers)
        if isinstance(subscriber, Projection) and subscriber.is_broken
    ]


class Projection(ABC):
    """Data derived from a store ("it" below), kept up to date with the commits of the store."""

    name: str  # in messages
    snapshot_name: str  # folder in `aside` for the snapshot that it is built from

    def __init__(self, store: Store) -> None:
        """Take the store. Nothing is opened or built before the first use."""
        self.store = store
        self.state = ProjectionState.CLOSED
        self.lock = threading.RLock()  # held while commits are applied
        self.applied_count = 0  # commits that it includes, as the runner counts them
        self.replay_position: int | None = None  # version from which the log is replayed, instead of a build
        self.missed_commits: list[CommittedChange] | None = None  # since the snapshot; None: one is unknown
        self.build_lock = threading.Lock()  # held during a build
        self.retry_time = 0.0  # by the monotonic clock, after a failed build
        self.task_lock = threading.Lock()  # for `build_task`
        self.build_task: Future[None] | None = None
        self.build_start = 0.0  # of the task, by the monotonic clock

    @abstractmethod
    def apply(self, commit: CommittedChange) -> None:
        """Apply a commit. Raises RebuildNeededError if a rebuild is needed instead, and PROJECTION_ERRORS.

        The store may have later commits already; `store.match_applied` reads it as it was after this one.
        """

    def apply_many(self, commits: Sequence[CommittedChange]) -> None:
        """Apply consecutive commits, by default as one. Raises as `apply` does."""
        self.apply(combine_commits(commits))

    @abstractmethod
    def rebuild(self, view: StoreView, version: int) -> None:
        """Build it from a view of the store at a version, while others may write to the store.

        Commits after the view was taken are then passed to `apply_many`. Raises PROJECTION_ERRORS.
        """

    def load_position(self) -> int | None:
        """Open the data on disk. Returns the version that it includes; None if it must be rebuilt."""
        return None

    def on_stale(self) -> None:  # noqa: B027 - most subclasses do nothing here
        """Called when it must be built. Unless a subclass starts a build here, the next use builds it."""

    @property
    def follows_commits(self) -> bool:
        """Whether it was built, and each commit is applied to it."""
        return self.state is ProjectionState.CURRENT

    @property
    def is_current(self) -> bool:
        """Whether it includes all commits."""
        return self.follows_commits and self.applied_count >= self.store.runner.published_count

    @property
    def is_pending(self) -> bool:
        """Whether it is being built or must be built."""
        return self.state in (ProjectionState.STALE, ProjectionState.BUILDING)

    @property
    def is_broken(self) -> bool:
        """Whether it could not be built."""
        return self.state is ProjectionState.BROKEN

    @property
    def is_build_due(self) -> bool:
        """Whether it is being built, must be built, or could not be built BUILD_RETRY_SECONDS ago."""
        return self.is_pending or (self.is_broken and time.monotonic() >= self.retry_time)

    def open(self) -> None:
        """Follow the commits from now on."""
        if self.state is not ProjectionState.CLOSED:  # without the lock, so as not to wait for a commit
            return
        with self.store.write_lock(), self.lock:
            if self.state is not ProjectionState.CLOSED:
                return
            position = self.load_position()
            if position is not None and position > self.store.log_version:
                self.store.skip_lost_versions(position)
            version = self.store.log_version
            self.applied_count = self.store.runner.published_count
            is_current = position == version
            self.state = ProjectionState.CURRENT if is_current else ProjectionState.STALE
            self.replay_position = position
            self.store.runner.subscribe(self)
            if not is_current:
                self.on_stale()

    def receive(self, commits: Sequence[CommittedChange] | None, last_number: int) -> None:
        """Apply or collect commits (None: an unknown change), on the thread of the runner."""
        with self.lock:
            if last_number <= self.applied_count:
                return  # it was opened, or its snapshot taken, after these commits
            if self.state is ProjectionState.BUILDING:
                if commits is None:
                    self.missed_commits = None
                elif self.missed_commits is not None:
                    self.missed_commits += commits
            elif (
                commits is None
                or self.state is ProjectionState.BROKEN
                or (self.state is ProjectionState.CURRENT and not self._try_apply(commits))
            ):
                self.invalidate()
            self.applied_count = last_number

    def _try_apply(self, commits: Sequence[CommittedChange]) -> bool:
        """Apply commits. Returns whether that succeeded."""
        try:
            self.apply_many(commits)
        except RebuildNeededError:
            return False
        except Exception as error:  # the commits themselves are done
            is_unexpected = not isinstance(error, PROJECTION_ERRORS)
            log.error(
                "%s failed to apply the last write and is being rebuilt: %s",
                self.name,
                error,
                exc_info=is_unexpected,
            )
            return False
        return True

    def invalidate(self) -> None:
        """Mark it for a rebuild, as it may be wrong."""
        with self.lock:
            self.replay_position = None
            if self.state is ProjectionState.BUILDING:
                self.missed_commits = None
            else:
                self.state = ProjectionState.STALE
                self.on_stale()

    def ensure_current(self) -> None:
        """Wait until it includes all commits up to now; build it if necessary. May block.

        Call it on a worker thread, without the write lock. Raises PROJECTION_ERRORS, and
        StoreUnavailableError if it lags behind for FENCE_TIMEOUT_SECONDS.
        """
        self.open()
        number = self.store.runner.published_count
        while not self.follows_commits:
            with self.build_lock:
                if not self.follows_commits:
                    self._build()
        if not self.store.runner.wait_until_applied(number, FENCE_TIMEOUT_SECONDS):
            raise StoreUnavailableError(
                f"{self.name} does not include the latest writes yet. Try again later."
            )
        if not self.follows_commits:  # a commit could not be applied
            self.ensure_current()

    async def wait_until_current(self, seconds: float | None = None) -> bool:
        """Wait until it includes all commits up to now, and build it if necessary.

        Returns False after `seconds`; the build continues. Raises as `ensure_current` does.
        """
        for _attempt in range(2):  # a build that runs already may have begun before the last commit
            if self.is_current:
                break
            build = asyncio.wrap_future(self.start_build())
            build.add_done_callback(asyncio.Future.exception)  # it is logged
            _, pending = await asyncio.wait([build], timeout=seconds)
            if pending:
                return False
            build.result()
        return True

    def start_build(self) -> Future[None]:
        """Run `ensure_current` on a new thread, unless it is running. Returns its future."""
        with self.task_lock:
            if self.build_task is None or self.build_task.done():
                self.build_task, self.build_start = Future(), time.monotonic()
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
            free_frames(error)
            task.set_exception(error)
        else:
            task.set_result(None)
        if self.state is ProjectionState.STALE:  # a commit came just before this task was done
            self.on_stale()

    def _build(self) -> None:
        """Build it once. Then it is current, unless there was an unknown change meanwhile."""
        try:
            if self.replay_position is None or not self._replay(self.replay_position):
                with self.open_build_view() as view:
                    self.rebuild(view, self.build_version)
            # No other commit comes meanwhile, so that `match_applied` reads the store as it is.
            with self.store.write_lock():
                self.store.runner.wait_until_applied(self.store.runner.published_count)
                with self.lock:
                    commits = self.missed_commits
                    if commits:
                        self.apply_many(commits)
                    self.state = ProjectionState.STALE if commits is None else ProjectionState.CURRENT
        except BaseException as error:
            with self.lock:
                self.state, self.replay_position = ProjectionState.BROKEN, None
                self.retry_time = time.monotonic() + BUILD_RETRY_SECONDS
            if isinstance(error, (*PROJECTION_ERRORS, Problem)) or not isinstance(error, Exception):
                raise
            log.exception("%s cannot be built", self.name)
            raise StoreUnavailableError(
                f"{self.name} cannot be built. The log of the service gives the reason."
            ) from error

    def _replay(self, position: int) -> bool:
        """Apply the commits after a position from the change log. Returns False if it must be rebuilt."""
        with self.store.write_lock():
            self.begin_build()
        self.replay_position = None
        if not self.store.log.find_last_reset() <= position <= self.build_version:
            return False
        try:
            while entries := self.store.log.read_entries(position, self.build_version):
                commits = [
                    CommittedChange(entry.version, entry.time, entry.change, is_replayed=True)
                    for entry in entries
                    if entry.change is not None
                ]
                self.apply_many(commits)
                position = entries[-1].version
        except PROJECTION_ERRORS as error:
            log.info("%s is being rebuilt: %s", self.name, error)
            return False
        return True

    @contextmanager
    def open_build_view(self) -> Iterator[StoreView]:
        """The view from which it is built; `begin_build` is called under the write lock."""
        with self.store.snapshot(self.snapshot_name, self.begin_build) as view:
            yield view

    def begin_build(self) -> None:
        """Collect commits from now on, until it is built. The write lock must be held."""
        with self.lock:
            self.applied_count = self.store.runner.published_count
            self.build_version = self.store.log_version
            self.state, self.missed_commits = ProjectionState.BUILDING, []
