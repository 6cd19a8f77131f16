"""Transactions: each write is committed completely or not at all, together with all inferred quads.

When a write returns, it is on disk, and inferred quads are up to date. Callbacks get the change before the
write returns, under the write lock; projections come first. After an unknown change (None), copies of the
data must be made again.

Descriptions (graphs about the store, such as VoID statistics) may lag behind: a debouncer updates them 0.2 s
after the last write, 2 s at the latest, once for many writes. For large changes it works on a snapshot, so
that writes need not wait.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from subprocess import SubprocessError
from typing import Any

import pyoxigraph as ox

from ..files import sync_to_disk
from .change import Change, Contents, WriteScope, combine_changes, compare_contents
from .commit import NO_CHECK_RESULTS, CheckResults
from .errors import InferenceTooLargeError, StoreError, translate_disk_errors
from .folder import WRITER_WAIT_SECONDS, sync_engine_log
from .inference.inference import Inference
from .recovery import get_index_mark
from .snapshot import open_linked_copy
from .view import StoreView


class Debouncer:
    """Calls a function on its own thread, `pause_seconds` after the last `trigger`.

    If triggers continue, it is called `max_delay_seconds` after the first of them. If the function fails,
    the error is logged, and the next trigger calls it again.
    """

    def __init__(self, function: Callable[[], None], pause_seconds: float, max_delay_seconds: float) -> None:
        """Start the thread, which waits for the first trigger."""
        self.function, self.pause_seconds, self.max_delay_seconds = function, pause_seconds, max_delay_seconds
        self.triggered = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def trigger(self) -> None:
        """Schedule a call of the function."""
        self.triggered.set()

    def run(self) -> None:
        """Wait for a trigger, then for a pause, call the function, and repeat."""
        while self.triggered.wait():
            deadline = time.monotonic() + self.max_delay_seconds
            while self.triggered.is_set() and time.monotonic() < deadline:
                self.triggered.clear()
                self.triggered.wait(self.pause_seconds)
            self.triggered.clear()
            try:
                self.function()
            except Exception as error:
                is_unexpected = not isinstance(error, StoreError)
                log.error("a background update after writes failed: %s", error, exc_info=is_unexpected)


# Seconds from a write until the descriptions are updated in the background.
DESCRIPTION_PAUSE_SECONDS, MAX_DESCRIPTION_DELAY_SECONDS = 0.2, 2.0
MIN_COPIED_CHANGE_QUADS = 1000  # describing fewer takes under 50 ms, so it needs no copy
DESCRIBED_COPY_FOLDER = "described"  # in `aside`, the copy from which descriptions are computed
MAX_ENGINE_LOG_QUADS = 10_000  # replaying a log of this size delays the next start by 0.3 s

log = logging.getLogger("wgig")


class TransactionalStore(StoreView):
    """The engine's quads, and a transaction for each write.

    When a write returns, it is on disk and inferred quads are up to date. `version` counts the commits since
    the store was opened. `on_commit` is called with each Change before the write returns, under the write
    lock; with None if the change is unknown. The `projections` are called in the same way before `on_commit`,
    also with an empty change for a write that changed nothing. The callbacks in `on_external_write` are
    called when another process wrote to a shared store, which several services write to over HTTP.
    """

    def __init__(
        self, quads: ox.Store, folder: Path | None = None, inference: Inference | None = None
    ) -> None:
        """Take the engine's store, its folder (None: in memory), and the inference, if any."""
        super().__init__(quads, folder)
        self._inference = inference
        self._lock = threading.RLock()
        self._logged_quads = 0  # quads in the engine's log since its last flush
        self._newest_log_file = 0  # number of the engine's newest log file
        self._is_clean = inference is None or not inference.is_due
        self._undescribed = list[Change | None]()  # changes that the descriptions do not include
        self._debouncer: Debouncer | None = None
        self.on_commit: Callable[[Change | None], None] = lambda _: None
        self.projections: list[Callable[[Change | None], None]] = []
        self.on_external_write: list[Callable[[], None]] = []
        self.version = 0

    def describe_later(self) -> None:
        """From now on, update descriptions in the background instead of in each transaction."""
        self._debouncer = Debouncer(
            self.update_descriptions, DESCRIPTION_PAUSE_SECONDS, MAX_DESCRIPTION_DELAY_SECONDS
        )

    def flush_descriptions(self) -> None:
        """Update the descriptions. Does not wait for the write lock if they are up to date."""
        if not self._undescribed:
            return
        with self._lock, translate_disk_errors(self._folder):
            self._describe_all()

    def update_descriptions(self) -> None:
        """Update the descriptions; large changes are computed on a copy, so that writes can continue."""
        with self._copy_undescribed() as (changes, copy):
            if copy:
                self._describe_from_copy(changes, copy)
            else:
                self.flush_descriptions()

    @contextmanager
    def _copy_undescribed(self) -> Iterator[tuple[list[Change], Path | None]]:
        """The known changes that are not described yet, and the folder of a copy of the quads, or None.

        There is a copy only if the store is on disk and all changes are known and large together.
        """
        with ExitStack() as stack:
            with self._lock, translate_disk_errors(self._folder):
                changes = [change for change in self._undescribed if change is not None]
                is_known = len(changes) == len(self._undescribed)
                copy: Path | None = None
                if self._folder and is_known and sum(map(len, changes)) >= MIN_COPIED_CHANGE_QUADS:
                    # A folder instead of a view, as another process reads it.
                    copy_context = open_linked_copy(self._quads, self._folder, DESCRIBED_COPY_FOLDER)
                    copy = stack.enter_context(copy_context)
            yield changes, copy

    def _describe_from_copy(self, changes: list[Change], copy: Path) -> None:
        """Describe these changes, using the copy that was made right after them."""
        assert self._inference
        combined, prepared = combine_changes(changes), None
        try:
            prepared = self._inference.prepare(copy, combined)
        except (OSError, SubprocessError) as error:
            log.warning("descriptions cannot be computed on a copy, so writes wait for them: %s", error)
        with self._lock, translate_disk_errors(self._folder):
            are_first = self._undescribed[: len(changes)] == changes
            if prepared and are_first and self._inference.can_prepare(self._quads, combined):
                self._describe(combined, len(changes), prepared)
            else:  # the preparation failed, or others flushed the descriptions meanwhile
                self.flush_descriptions()

    @property
    def has_outdated_descriptions(self) -> bool:
        """Whether the descriptions do not include all commits."""
        return bool(self._undescribed)

    def touch(self) -> None:
        """Increase `version` without a change, so that cached responses are not used again."""
        with self._lock:
            self._notify(Change())

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Hold the write lock, so that no other thread of this process writes meanwhile."""
        with self._lock:
            yield

    @contextmanager
    def snapshot(self, name: str, prepare: Callable[[], None] = lambda: None) -> Iterator[StoreView]:
        """A read-only view of the store as it is now, while writes continue.

        `prepare` is called under the write lock before the snapshot is taken. The folder of the view, `name`
        in the `aside` folder, is removed afterwards. A store in memory has no files to link, so the view is
        the store itself, which is locked for writes until the end.
        """
        with ExitStack() as stack:
            lock_stack = stack.enter_context(ExitStack())
            lock_stack.enter_context(self.write_lock())
            prepare()
            if self._folder is None:
                yield self
                return
            with translate_disk_errors(self._folder):
                copy_folder = stack.enter_context(open_linked_copy(self._quads, self._folder, name))
            lock_stack.close()
            yield StoreView(ox.Store.read_only(str(copy_folder)), copy_folder)

    @contextmanager
    def exclusive_writer(self, patience: float = WRITER_WAIT_SECONDS) -> Iterator[None]:
        """Prevent writes of other processes, for a read and a write that depends on it.

        Raises StoreUnavailableError if other processes keep writing for `patience` seconds.
        """
        del patience  # no other process can write to an embedded store
        with self._lock:
            yield

    def stop_writing(self, seconds: float) -> bool:
        """Block further writes. Returns whether the current write finished within `seconds`.

        The process may exit afterwards: an unfinished write is rolled back.
        """
        is_locked = self._lock.acquire(timeout=seconds)
        if is_locked:
            self.on_commit = lambda _: None
            with suppress(OSError):  # it is repeated when the store is next opened
                self._describe_all()
        return is_locked

    @contextmanager
    def _transaction(
        self,
        scope: WriteScope,
        check_results: CheckResults = NO_CHECK_RESULTS,
        *,
        is_bounded: bool = False,
    ) -> Iterator[None]:
        """One transaction: hold the write lock, then infer, make durable, and notify.

        `scope` is all that the transaction may change; `check_results` are known SHACL results for its data.
        If `is_bounded`, raises InferenceTooLargeError without a change if the inference is too large.
        """
        with self._lock, translate_disk_errors(self._folder):
            before = scope.read_contents(self._quads)
            with self._recoverable_change(scope, before) as was_clean:
                yield
            after = scope.read_contents(self._quads) if was_clean and before else None
            change = compare_contents(before, after) if before and after else None
            if change is None or change:
                change = self._infer_change(change, check_results, is_bounded=is_bounded)
                self._replicate(change)
                self._make_durable(change)
                self._notify(change)
            else:
                self._mark_clean()
                self._update_projections(Change())

    @contextmanager
    def _recoverable_change(
        self, scope: WriteScope | None = None, before: Contents | None = None
    ) -> Iterator[bool]:
        """Mark the store as dirty during a change, so that it can be recovered after a crash.

        The scope and its contents before the change are journaled unless they are None. Yields whether the
        store was clean before. If the block raises an error, nothing was changed, and the store is clean
        again. After an OSError it remains dirty, as the change may have been made: recovery is needed.
        """
        had_index_mark = self._folder is not None and get_index_mark(self._folder).remove()
        if self._inference:
            self._inference.mark_dirty(self._quads, scope, before)
        elif had_index_mark and self._folder:
            sync_to_disk(self._folder)  # with inference, mark_dirty syncs the folder
        was_clean, self._is_clean = self._is_clean, False
        try:
            yield was_clean
        except Exception as error:
            if was_clean and not isinstance(error, OSError):
                self._mark_clean()
                self._update_projections(Change())
            raise

    def _infer_change(
        self, change: Change | None, check_results: CheckResults, *, is_bounded: bool
    ) -> Change | None:
        """Update inferred quads and descriptions. Returns the change combined with theirs; None: unknown.

        Raises InferenceTooLargeError after the change was undone.
        """
        if not self._inference:
            return change
        try:
            change = self._inference.infer(self._quads, change, check_results, is_bounded=is_bounded)
        except InferenceTooLargeError:
            self._make_durable(change)
            self._notify(Change())  # responses cached meanwhile may have the change
            raise
        self._undescribed.append(change)
        if self._debouncer:
            self._debouncer.trigger()
            return change
        described = self._inference.describe(self._quads, change)
        self._undescribed.clear()
        return None if change is None else change.combine(described)

    def _describe_all(self) -> None:
        """Describe all changes that are not described yet."""
        if self._undescribed:
            known_changes = [change for change in self._undescribed if change is not None]
            is_known = len(known_changes) == len(self._undescribed)
            combined = combine_changes(known_changes) if is_known else None
            self._describe(combined, len(self._undescribed))

    def _describe(self, combined: Change | None, count: int, prepared: Iterable[Any] = ()) -> None:
        """Describe the first `count` undescribed changes, `combined` into one (None: unknown), and notify.

        `prepared` are the results of `Inference.prepare`.
        """
        assert self._inference
        if self._folder:
            get_index_mark(self._folder).remove()
        try:
            described = self._inference.describe(self._quads, combined, prepared)
            if self._folder:
                self._newest_log_file = sync_engine_log(self._folder, self._newest_log_file)
        except OSError:
            self._undescribed[:] = [None]  # they may be incomplete on disk: compute them from scratch
            self._notify(None)
            raise
        if self._is_clean:
            # Writes a new token: at the next start, it shows projections whether they include this change.
            self._inference.mark_clean()
        if len(self._undescribed) == count:
            self._inference.mark_described()
        try:
            self._notify(described)
        finally:
            # Only now: has_outdated_descriptions must be true until the projections have this change.
            del self._undescribed[:count]

    def _replicate(self, change: Change | None) -> None:
        """Hook: write the change to a shared server before it is acknowledged. The default does nothing."""

    def _make_durable(self, change: Change | None) -> None:
        """Sync a change to disk, then mark the store as clean."""
        quad_count = MAX_ENGINE_LOG_QUADS if change is None else len(change)  # unknown: as if it were large
        self._logged_quads += quad_count
        if self._folder and quad_count >= MAX_ENGINE_LOG_QUADS:
            self._quads.flush()
        elif self._folder:
            self._newest_log_file = sync_engine_log(self._folder, self._newest_log_file)
            if self._logged_quads >= MAX_ENGINE_LOG_QUADS:
                threading.Thread(target=self._flush_engine).start()  # so that the write does not wait
        if self._logged_quads >= MAX_ENGINE_LOG_QUADS:
            self._logged_quads = 0
        self._mark_clean()

    def _flush_engine(self) -> None:
        """Flush the engine's log to its tables. If that fails, nothing is lost, and the next write fails."""
        with suppress(OSError):
            self._quads.flush()

    def _notify(self, change: Change | None) -> None:
        """Update the projections, count a new version, and call `on_commit`."""
        self._update_projections(change)
        self.version += 1
        self.on_commit(change)

    def _update_projections(self, change: Change | None) -> None:
        """Pass a change to the projections. A projection that fails gets None, and is rebuilt."""
        for update_projection in self.projections:
            try:
                update_projection(change)
            except Exception:
                log.exception("a projection failed to apply the last write, and is rebuilt")
                update_projection(None)

    def _mark_clean(self) -> None:
        """Mark the store as clean: inferred quads agree with the asserted ones."""
        self._is_clean = True
        if self._inference:
            self._inference.mark_clean()
            if not self._undescribed:
                self._inference.mark_described()
