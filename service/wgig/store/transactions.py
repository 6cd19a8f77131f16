"""Transactions: each write is committed whole or not at all, with everything that follows from it.

When a write returns, it is on disk, and inferred quads are up to date. Listeners get its change before it
returns, while nobody else writes; projections come first. An unknown change (None) means that copies must be
taken anew.

Descriptions (statistics) may lag behind: a debouncer updates them 0.2 s after the last write, 2 s at the
latest, in one go for many writes. For large changes this works on a snapshot, so that writes need not wait.
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
from .commit import NOTHING_CHECKED, CheckResults
from .errors import StoreError, translate_disk_errors
from .folder import WRITER_WAIT_SECONDS, sync_engine_log
from .inference.inference import Inference
from .recovery import get_index_mark
from .snapshot import open_linked_copy
from .view import StoreView


class Debouncer:
    """Calls a function on its own thread, `pause_seconds` after the last `trigger`.

    If triggers keep coming, it is called `max_delay_seconds` after the first of them. A call that fails is
    logged, and repeated after the next trigger.
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
        """Wait for a trigger, then for a pause, and call the function; forever."""
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
MIN_COPIED_CHANGE_QUADS = 1000  # quads; describing fewer takes under 50 ms and needs no copy
DESCRIBED_COPY_FOLDER = "described"  # in `aside`, the copy from which descriptions are computed
MAX_ENGINE_LOG_QUADS = 10_000  # quads; replaying a log of this size delays the next start by 0.3 s

log = logging.getLogger("wgig")


class TransactionalStore(StoreView):
    """The engine's quads, and the transaction around each write.

    When a write returns, it is on disk and inferred quads are up to date. `version` counts the commits since
    the store was opened. `on_commit` is called with each Change before the write returns, under the write
    lock; with None if the change is unknown, so that copies must be taken anew. The `projections` are called
    in the same way before it; they get an empty change for a write that changed nothing. The callbacks in
    `on_external_write` are called when another process wrote to a shared store.
    """

    def __init__(
        self, quads: ox.Store, folder: Path | None = None, inference: Inference | None = None
    ) -> None:
        """Take the engine's store, its folder (None: in memory), and the inference (None: there is none)."""
        super().__init__(quads, folder)
        self._inference = inference
        self._lock = threading.RLock()
        self._logged_quads = 0  # since the last flush
        self._newest_log_file = 0  # number of the engine's newest log file
        self._is_clean = inference is None or not inference.is_due
        self._undescribed = list[Change | None]()  # changes that the descriptions do not include
        self._debouncer: Debouncer | None = None
        self.on_commit: Callable[[Change | None], None] = lambda _: None
        self.projections: list[Callable[[Change | None], None]] = []
        self.on_external_write: list[Callable[[], None]] = []
        self.version = 0

    def describe_later(self) -> None:
        """Update descriptions in the background from here on, instead of in the transaction of each write."""
        self._debouncer = Debouncer(
            self.update_descriptions, DESCRIPTION_PAUSE_SECONDS, MAX_DESCRIPTION_DELAY_SECONDS
        )

    def flush_descriptions(self) -> None:
        """Bring the descriptions up to date. If they are, this does not wait for the write lock."""
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
        """The known changes that are not described, and the folder of a copy of the quads, or None.

        A copy is made only for a store on disk, if all changes are known and together are large.
        """
        with ExitStack() as stack:
            with self._lock, translate_disk_errors(self._folder):
                changes = [change for change in self._undescribed if change is not None]
                is_known = len(changes) == len(self._undescribed)
                copy: Path | None = None
                if self._folder and is_known and sum(map(len, changes)) >= MIN_COPIED_CHANGE_QUADS:
                    copy_context = open_linked_copy(self._quads, self._folder, DESCRIBED_COPY_FOLDER)
                    copy = stack.enter_context(copy_context)  # no view, as another process reads from it
            yield changes, copy

    def _describe_from_copy(self, changes: list[Change], copy: Path) -> None:
        """Describe these changes, computed on the copy that was taken right after them."""
        assert self._inference
        combined, prepared = combine_changes(changes), None
        try:
            prepared = self._inference.prepare(copy, combined)
        except (OSError, SubprocessError) as error:
            log.warning("descriptions cannot be computed on a copy, so writes wait for them: %s", error)
        with self._lock, translate_disk_errors(self._folder):
            is_next = self._undescribed[: len(changes)] == changes
            if prepared and is_next and self._inference.can_prepare(self._quads, combined):
                self._describe(combined, len(changes), prepared)
            else:  # the preparation failed, or others flushed the descriptions meanwhile
                self.flush_descriptions()

    @property
    def has_outdated_descriptions(self) -> bool:
        """Whether the descriptions do not include all commits."""
        return bool(self._undescribed)

    def touch(self) -> None:
        """Count a new version without a change, so that cached responses are not used again."""
        with self._lock:
            self._notify(Change())

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Hold the write lock: no other thread of this process writes meanwhile."""
        with self._lock:
            yield

    @contextmanager
    def snapshot(self, name: str, prepare: Callable[[], None] = lambda: None) -> Iterator[StoreView]:
        """A read-only view of the store as it is now, while writes continue.

        `prepare` is called under the write lock before the snapshot is taken. The folder of the view, `name`
        in the `aside` folder, is removed afterwards. A store in memory is its own snapshot, as it has no
        files to link: it stays locked for writes until the end.
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
        """Hold the store for a read and a write that depends on it: no other process writes meanwhile.

        Raises StoreUnavailableError if other processes keep writing for `patience` seconds.
        """
        del patience  # no other process can write to an embedded store
        with self._lock:
            yield

    def stop_writing(self, seconds: float) -> bool:
        """Block further writes; whether the current write finished within `seconds`.

        The process may exit afterwards: an unfinished write is rolled back.
        """
        is_locked = self._lock.acquire(timeout=seconds)
        if is_locked:
            self.on_commit = lambda _: None
            with suppress(OSError):  # the next opening repeats it
                self._describe_all()
        return is_locked

    @contextmanager
    def _transaction(self, scope: WriteScope, checked: CheckResults = NOTHING_CHECKED) -> Iterator[None]:
        """One transaction: hold the write lock, then infer, make durable, and notify.

        `scope` covers all that the transaction may touch; `checked` are check results for its quads.
        """
        with self._lock, translate_disk_errors(self._folder):
            before = scope(self._quads)
            with self._recoverable_change(scope, before) as was_clean:
                yield
            after = scope(self._quads) if was_clean and before else None
            change = compare_contents(before, after) if before and after else None
            if change is None or change:
                change = self._infer_change(change, checked)
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
        """Mark the store as dirty around a change, so that the next opening can recover from a crash.

        The scope and the contents before are journaled. Yields whether the store was clean before. A change
        that raises was not made, so the store is clean again, except after an OSError, which may come after
        the change: then recovery is needed.
        """
        had_mark = self._folder is not None and get_index_mark(self._folder).remove()
        if self._inference:
            self._inference.mark_dirty(self._quads, scope, before)
        elif had_mark and self._folder:
            sync_to_disk(self._folder)  # with inference, mark_dirty syncs the folder
        was_clean, self._is_clean = self._is_clean, False
        try:
            yield was_clean
        except Exception as error:
            if was_clean and not isinstance(error, OSError):
                self._mark_clean()
                self._update_projections(Change())
            raise

    def _infer_change(self, change: Change | None, checked: CheckResults) -> Change | None:
        """Update inferred quads and descriptions; the change combined with theirs, None if unknown."""
        if not self._inference:
            return change
        change = self._inference.infer(self._quads, change, checked)
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
            known = [change for change in self._undescribed if change is not None]
            combined = combine_changes(known) if len(known) == len(self._undescribed) else None
            self._describe(combined, len(self._undescribed))

    def _describe(self, combined: Change | None, count: int, prepared: Iterable[Any] = ()) -> None:
        """Describe the first `count` undescribed changes, combined into one; make it durable, and notify."""
        assert self._inference
        if self._folder:
            get_index_mark(self._folder).remove()
        try:
            described = self._inference.describe(self._quads, combined, prepared)
            if self._folder:
                self._newest_log_file = sync_engine_log(self._folder, self._newest_log_file)
        except OSError:
            self._undescribed[:] = [None]  # it may be written in part, so compute it from scratch
            self._notify(None)
            raise
        if self._is_clean:
            # A new token, by which projections see at the next start whether they include this.
            self._inference.mark_clean()
        if len(self._undescribed) == count:
            self._inference.mark_described()
        try:
            self._notify(described)
        finally:
            # Only now: has_outdated_descriptions must stay true until the projections have them.
            del self._undescribed[:count]

    def _replicate(self, change: Change | None) -> None:
        """Hook: write the change to a shared server before it is acknowledged. An embedded store has none."""

    def _make_durable(self, change: Change | None) -> None:
        """Sync a change to disk, then mark the store as clean."""
        quad_count = MAX_ENGINE_LOG_QUADS if change is None else len(change)
        self._logged_quads += quad_count
        if self._folder and quad_count >= MAX_ENGINE_LOG_QUADS:
            self._quads.flush()
        elif self._folder:
            self._newest_log_file = sync_engine_log(self._folder, self._newest_log_file)
            if self._logged_quads >= MAX_ENGINE_LOG_QUADS:
                threading.Thread(
                    target=self._flush_engine
                ).start()  # in the background, so that the write does not wait
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
        """Pass a change to the projections. One that fails gets an unknown change, as the commit is done."""
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
