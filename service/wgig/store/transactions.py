"""Commits: each write is logged, applied and acknowledged completely, or not at all.

A commit computes what is derived from its change, appends the change to the change log, which makes it
durable, and applies both to the engine in one update. Projections follow on the thread of the runner (see
`projection_runner`). If the engine fails after the log entry was written, the store stops writing: it applies
the entry when it is next opened.

Descriptions (graphs about the store, such as VoID statistics) lag behind: a debouncer updates them 2 s
after the last write, 5 s at the latest, once for many writes.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pyoxigraph as ox

from ..settings import MIB
from .change import Change, combine_changes
from .change_log import (
    LOAD_BEGIN_ENTRY,
    LOADED_FILE_ENTRY,
    RESET_ENTRY,
    ChangeLog,
    CommitOrigin,
    NewCommit,
)
from .commit import NO_CHECKED_QUADS, CheckedQuads, apply_to_engine
from .errors import DiskFullError, OutcomeUnknownError, StoreError, StoreStoppedError, translate_disk_errors
from .folder import CHANGE_LOG_FILE, WRITER_WAIT_SECONDS
from .inference.inference import Inference
from .node_cache import NodeResults
from .position import EnginePosition
from .projection_runner import CommittedChange, ProjectionRunner
from .recovery import replay_log
from .view import StoreView

MIN_PAUSE_FACTOR = 10  # of the seconds that a background update took, for the next one while writes go on


class Debouncer:
    """Calls a function on its own thread, `pause_seconds` after the last `trigger`.

    If triggers continue, it is called `max_delay_seconds` after the first of them, or MIN_PAUSE_FACTOR times
    as long as its last call took, so that it takes a tenth of one CPU at most. If the function fails, the
    error is logged, and the next trigger calls it again.
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
        call_seconds = 0.0
        while self.triggered.wait():
            max_delay_seconds = max(self.max_delay_seconds, MIN_PAUSE_FACTOR * call_seconds)
            deadline = time.monotonic() + max_delay_seconds
            while self.triggered.is_set() and time.monotonic() < deadline:
                self.triggered.clear()
                self.triggered.wait(self.pause_seconds)
            self.triggered.clear()
            started = time.monotonic()
            try:
                self.function()
            except Exception as error:
                is_unexpected = not isinstance(error, StoreError)
                log.error("a background update after writes failed: %s", error, exc_info=is_unexpected)
            call_seconds = time.monotonic() - started


# Seconds from a write until the descriptions are updated in the background.
DESCRIPTION_PAUSE_SECONDS, MAX_DESCRIPTION_DELAY_SECONDS = 2.0, 5.0
MIN_COPIED_CHANGE_QUADS = 3000  # describing fewer takes under 50 ms, so it needs no snapshot
DESCRIBED_COPY_FOLDER = "described"  # in `aside`, the snapshot from which descriptions are computed
# What a write needs: a quad takes up to 1 kB in the log and the engine, whose logs and tables take some more.
RESERVED_DISK_BYTES, DISK_BYTES_PER_QUAD = 8 * MIB, 1024
MIN_BULK_QUADS = 20_000  # a larger addition, such as the first fill, is not applied atomically
# Changes after which the engine is flushed: replaying so many delays the next start by 0.3 s. A commit counts
# as so many quads more; its pages in the change log take 20 kB until then.
MAX_UNFLUSHED_QUADS, COMMIT_QUADS = 10_000, 10

log = logging.getLogger("wgig")


class TransactionalStore(StoreView):
    """The engine's quads, and a commit for each write.

    `version` counts the commits and the updates of descriptions since the store was opened; caches are valid
    for a version. `on_commit` is called with each Change before the write returns, under the write lock; with
    None if the change is unknown. The callbacks in `on_external_write` are called when another process wrote
    to a shared store, which several services write to over HTTP.
    """

    def __init__(
        self, quads: ox.Store, folder: Path | None = None, inference: Inference | None = None
    ) -> None:
        """Take the engine's store, its folder (None: in memory), and the inference, if any."""
        super().__init__(quads, folder)
        self._inference = inference
        self._lock = threading.RLock()
        self._unflushed_quads = 0  # changed since the engine was last flushed
        self._is_flush_due = False  # after a change that was not applied atomically
        self._position_lock = threading.Lock()  # held while a position is written
        self._position_version = 0  # of the last position that was written
        self._undescribed = list[Change | None]()  # changes that the descriptions do not include
        # The position of a store with derived graphs that was opened without their rules.
        self._skipped_recovery: EnginePosition | None = None
        self._describer: Debouncer | None = None
        self.defers_descriptions = False  # until `update_in_background` or `close`, instead of in each commit
        self.stopped_by: OutcomeUnknownError | None = None  # why there can be no more writes
        self.runner = ProjectionRunner()
        self.on_commit: Callable[[Change | None], None] = lambda _: None
        self.on_external_write: list[Callable[[], None]] = []
        self.version = 0
        self.node_results = NodeResults()

    @cached_property
    def log(self) -> ChangeLog:
        """The change log."""
        return ChangeLog(self._folder / CHANGE_LOG_FILE if self._folder else None)

    @property
    def log_version(self) -> int:
        """The version of the last commit in the change log."""
        return self.log.last_version

    def update_in_background(self) -> None:
        """From now on, update descriptions, and flush the engine after many changes, in the background."""
        self._describer = Debouncer(
            self.update_descriptions, DESCRIPTION_PAUSE_SECONDS, MAX_DESCRIPTION_DELAY_SECONDS
        )
        if self._undescribed:
            self._describer.trigger()

    def touch(self) -> None:
        """Increase `version` without a change, so that cached responses are not used again."""
        with self._lock:
            self._publish([], Change())

    def write_lock(self) -> AbstractContextManager[object]:
        """The write lock: while it is held, no other thread of this process writes."""
        return self._lock

    @contextmanager
    def exclusive_writer(self, patience: float = WRITER_WAIT_SECONDS) -> Iterator[None]:
        """Prevent writes of other processes, for a read and a write that depends on it.

        Raises StoreUnavailableError if other processes keep writing for `patience` seconds.
        """
        del patience  # no other process can write to an embedded store
        with self._lock:
            yield

    def match_applied(
        self,
        subject: ox.NamedNode | ox.BlankNode | None = None,
        predicate: ox.NamedNode | None = None,
        object_: ox.NamedNode | None = None,
    ) -> Iterator[ox.Quad]:
        """Like `match`, for a projection: right after the commits that it applies, without later ones."""
        return self.runner.restore_quads(self.match, (subject, predicate, object_))

    # Commits.

    def commit(
        self,
        commits: Sequence[NewCommit],
        checked_quads: CheckedQuads = NO_CHECKED_QUADS,
        *,
        is_bounded: bool = True,
    ) -> None:
        """Commit changes, which are exact, one after the other; they are durable when this returns.

        `checked_quads` are known quads of computed graphs. Raises InferenceTooLargeError if `is_bounded`
        and too much follows from them, OutcomeUnknownError if they may be durable, and StoreErrors of the
        disk; nothing has changed after other errors than OutcomeUnknownError.
        """
        with self._lock, translate_disk_errors(self._folder):
            self._check_writable()
            commits = list(drop_repeated_additions(commits))
            stated = combine_changes([commit.change for commit in commits])
            self._check_free_space(len(stated))
            self._check_engine()
            derived = self._derive(stated, checked_quads, is_bounded=is_bounded)
            full = combine_changes([stated, derived])
            self._replicate(full)
            published = self._log_and_apply(commits, full, derived)
            self._undescribed += [commit.full for commit in published]  # even if a consumer of commits fails
            self._publish(published, full)
            self._update_descriptions_later()
            if self._is_flush_due:
                self._is_flush_due = False
                self.flush()

    def _log_and_apply(
        self, commits: Sequence[NewCommit], full: Change, derived: Change
    ) -> list[CommittedChange]:
        """Log commits, apply the full change to the engine, and return the commits to publish.

        The last of them, or one without a stated change, gets what is derived.
        """
        try:
            entries = self.log.append(commits) if commits else []
        except OutcomeUnknownError as error:
            self.stopped_by = error
            raise
        published = [
            CommittedChange(entry.version, entry.time, commit.change)
            for entry, commit in zip(entries, commits, strict=True)
        ] or [CommittedChange(self.log_version, datetime.now(UTC), Change())]
        published.append(replace(published.pop(), derived=derived))
        self.runner.announce(published)
        try:
            if full.only_adds and len(full) >= MIN_BULK_QUADS and self._folder:
                self._apply_in_bulk(full, self._folder)
            else:
                apply_to_engine(full, self._quads)
        except BaseException as error:
            self.stopped_by = OutcomeUnknownError(self.log_version)
            raise self.stopped_by from error
        return published

    def _apply_in_bulk(self, change: Change, folder: Path) -> None:
        """Add many quads to the engine, in a third of the time, but not atomically.

        If it is interrupted, the change is replayed, and all that follows from it is computed anew: until the
        next flush, the position says that the rules of the derived quads are unknown.
        """
        position = EnginePosition.read(folder)
        if position:
            with self._position_lock:
                replace(position, rules="").write(folder)
                self._position_version = self.log_version  # a flush that has begun must not undo this
        self._quads.bulk_extend(change.added)
        self._is_flush_due = True

    def _check_writable(self) -> None:
        """Raise StoreStoppedError if the outcome of an earlier commit is unknown."""
        if self.stopped_by:
            raise StoreStoppedError(
                "The store accepts no writes because the disk failed during the commit of version "
                f"{self.stopped_by.version}; the operator must restart the service."
            )
        if self._skipped_recovery:
            # The derived graphs will not follow this write: they are computed anew by whoever has the rules.
            replay_log(self._quads, self.log, self._skipped_recovery, None, lambda _: None)
            self._skipped_recovery = None
            self.flush()

    def _check_free_space(self, quad_count: int) -> None:
        """Raise DiskFullError if the disk may be too full for so many quads.

        So a disk that fills up refuses writes before one is logged that the engine cannot store.
        """
        needed_bytes = RESERVED_DISK_BYTES + quad_count * DISK_BYTES_PER_QUAD
        if self._folder and shutil.disk_usage(self._folder).free < needed_bytes:
            raise DiskFullError(
                f"The store {self._folder} is on a disk that is nearly full; free some space."
            )

    def _check_engine(self) -> None:
        """Raise OSError if the engine refuses writes since a disk error, before anything is logged.

        It refuses them after it failed to write or flush on a full disk, until 128 MiB are free. Without
        quads, `extend` takes 1.4 µs.
        """
        self._quads.extend(())

    def _derive(self, stated: Change, checked_quads: CheckedQuads, *, is_bounded: bool) -> Change:
        """The change of the computed and inferred graphs that follows from a change not yet applied."""
        if self._inference is None:
            return Change()
        return self._inference.derive(self._quads, stated, checked_quads, is_bounded=is_bounded)

    def _replicate(self, change: Change | None) -> None:
        """Hook: write the change (None: a bulk load) to a shared server before it is logged."""

    def _publish(self, commits: Sequence[CommittedChange | None], change: Change | None) -> None:
        """Pass commits to the projections, count a new version, and call `on_commit`."""
        self.runner.publish(commits)
        self.node_results.record(self.version + 1, change)
        self.version += 1
        self.on_commit(change)
        self._unflushed_quads += MAX_UNFLUSHED_QUADS if change is None else len(change) + COMMIT_QUADS
        if self._describer and self._unflushed_quads >= MAX_UNFLUSHED_QUADS:
            self._unflushed_quads = 0
            threading.Thread(target=self.flush).start()  # so that the write does not wait

    def flush(self) -> None:
        """Write the engine's log to its tables, and then the position. Writes need not wait.

        If that fails, nothing is lost: the position is older, and more commits are replayed at the next
        start.
        """
        if self._folder is None or self.stopped_by or self._skipped_recovery:
            return
        with suppress(OSError, StoreError):
            self._sync_engine(self._folder)
            self.log.checkpoint()

    def _sync_engine(self, folder: Path) -> None:
        """Flush the engine, so that no commit up to now will ever be replayed. Raises OSError, StoreError."""
        with self._lock:
            self._check_free_space(self._unflushed_quads)  # a flush that fails stops the engine
            position = self._make_position()
            self._unflushed_quads = 0
        self._quads.flush()
        self._write_position(position, folder)

    def _write_position(self, position: EnginePosition, folder: Path) -> None:
        """Write a position, unless another thread has written a later one. Raises OSError.

        An earlier one would have commits replayed whose changes were removed from the log since.
        """
        with self._position_lock:
            if position.version >= self._position_version:
                position.write(folder)
                self._position_version = position.version

    def _make_position(self) -> EnginePosition:
        """The position of the engine now. The write lock must be held."""
        digest = self._inference.digest if self._inference else ""
        return EnginePosition(self.log.id, self.log_version, digest, not self._undescribed)

    def skip_lost_versions(self, version: int) -> None:
        """Continue the change log after a version that it has lost, as a projection shows that has it.

        The quads have the lost commits, unless the disk lost them, too. Nothing is replayed across them.
        """
        with self._lock, translate_disk_errors(self._folder):
            log.error(
                "The change log %s lost the versions %d to %d, possibly because the file %s-wal was "
                "deleted or damaged; the quads may have them. Compare them with a backup.",
                self.log.path,
                self.log_version + 1,
                version,
                CHANGE_LOG_FILE,
            )
            self._quads.flush()
            self.log.last_version = version
            self.log.append_step(RESET_ENTRY, CommitOrigin(title="Lost versions"))
            self.flush()

    def close(self, seconds: float = -1) -> bool:
        """Block further writes, let projections finish, and write the position.

        Returns whether the current write finished within `seconds` (-1: no limit).
        """
        is_locked = self._lock.acquire(timeout=seconds)
        if is_locked:
            self.on_commit = lambda _: None
            with suppress(OSError, StoreError):  # it is repeated when the store is next opened
                self._describe_all()
            self.runner.wait_until_applied(self.runner.published_count, None if seconds < 0 else seconds)
            self.runner.subscribers.clear()  # they refer to the store, which would delay its deletion
            self.flush()
            self.log.close()
        return is_locked

    @property
    def is_loading(self) -> bool:
        """Whether a bulk load has begun and is not finished."""
        return self.log.find_last_step()[1] not in ("", RESET_ENTRY)

    @contextmanager
    def _unlogged_change(self, origin: CommitOrigin) -> Iterator[ox.Triple]:
        """A change of the engine whose statements are not in the log: a step of a bulk load.

        Before the first step, the engine is flushed, so that no commit has to be replayed after the load. The
        change must be atomic: after an error, nothing has changed. If it adds the yielded triple, the mark of
        the step, to any graph, it is known after a crash whether the engine has it.
        """
        with self._lock, translate_disk_errors(self._folder):
            self._check_writable()
            if self.is_loading:
                self._finish_interrupted_step()
            else:
                self.flush()  # its position must not be that of a step that is withdrawn
            step = self.log.append_step(LOAD_BEGIN_ENTRY, origin)
            try:
                yield self._build_load_mark(step.version)
            except Exception:
                self.log.withdraw_load()
                raise
            self.log.append_step(LOADED_FILE_ENTRY, origin)
            self._remove_load_marks()

    def _build_load_mark(self, version: int) -> ox.Triple:
        """The triple that the engine has from a step of a bulk load until the log has the end of the step."""
        name = ox.NamedNode(f"urn:wgig:load:{self.log.id}")
        return ox.Triple(name, name, ox.Literal(version))

    def _remove_load_marks(self) -> None:
        """Remove the marks of all steps."""
        name, predicate, _ = self._build_load_mark(0)
        for mark in list(self._quads.quads_for_pattern(name, predicate, None)):
            self._quads.remove(mark)
            graph = mark.graph_name
            if not isinstance(graph, ox.DefaultGraph) and not any(True for _ in self.graph_quads(graph)):
                self._quads.remove_graph(graph)  # the file was empty

    def _finish_interrupted_step(self) -> None:
        """Log the end of the last step of a bulk load if the engine has it, but the log does not say so."""
        last_step, kind = self.log.find_last_step()
        name, predicate, number = self._build_load_mark(last_step)
        is_in_engine = any(True for _ in self._quads.quads_for_pattern(name, predicate, number))
        if kind == LOAD_BEGIN_ENTRY and is_in_engine:
            (step,) = self.log.read_entries(last_step - 1, last_step)
            self.log.append_step(LOADED_FILE_ENTRY, step.origin)
        self._remove_load_marks()

    def finish_load(self, title: str = "") -> None:
        """Compute everything that follows from bulk loaded quads, and sync all quads to disk.

        The last step of the load in the change log gets the title.
        """
        with self._lock, translate_disk_errors(self._folder):
            self._finish_interrupted_step()
            if self._inference:
                self._inference.rebuild(self._quads)
            self._replicate(None)
            self._quads.flush()
            self.log.append_step(RESET_ENTRY, CommitOrigin(title=title))
            self._publish([None], None)
            self._undescribed[:] = [None]
            self._update_descriptions_later()
            self.flush()

    # Descriptions.

    def flush_descriptions(self) -> None:
        """Update the descriptions. Does not wait for the write lock if they are up to date."""
        if not self._undescribed:
            return
        with self._lock, translate_disk_errors(self._folder):
            self._describe_all()

    def update_descriptions(self) -> None:
        """Update the descriptions; large changes are computed on a snapshot, so that writes can continue."""
        with self._lock:
            changes = list(self._undescribed)
        is_large = None in changes or sum(map(len, filter(None, changes))) >= MIN_COPIED_CHANGE_QUADS
        if self._folder is None or not is_large:
            self.flush_descriptions()
            return

        def take_changes() -> None:
            changes[:] = self._undescribed

        with self.snapshot(DESCRIBED_COPY_FOLDER, take_changes) as view:
            described = self._compute_descriptions(view._quads, changes)
        with self._lock, translate_disk_errors(self._folder):
            if self._undescribed[: len(changes)] == changes:
                self._write_descriptions(described, len(changes))
            # Otherwise others have flushed them meanwhile.

    @property
    def has_outdated_descriptions(self) -> bool:
        """Whether the descriptions do not include all commits."""
        return bool(self._undescribed)

    def _update_descriptions_later(self) -> None:
        """Update the descriptions in the background, or now if there is no debouncer."""
        if self._inference is None:
            self._undescribed.clear()
        elif self._describer:
            self._describer.trigger()
        elif not self.defers_descriptions:
            self._describe_all()

    def _describe_all(self) -> None:
        """Describe all changes that are not described yet. The write lock must be held."""
        if self._undescribed:
            described = self._compute_descriptions(self._quads, self._undescribed)
            self._write_descriptions(described, len(self._undescribed))

    def _compute_descriptions(self, quads: ox.Store, changes: Sequence[Change | None]) -> Change:
        """The change of the descriptions after changes of the other graphs (None: an unknown change)."""
        assert self._inference
        known_changes = [change for change in changes if change is not None]
        combined = combine_changes(known_changes) if len(known_changes) == len(changes) else None
        return self._inference.describe(quads, combined)

    def _write_descriptions(self, described: Change, count: int) -> None:
        """Write the change of the descriptions for the first `count` undescribed changes."""
        if described and not self.stopped_by:
            self._check_free_space(len(described))
            self._replicate(described)
            committed = CommittedChange(self.log_version, datetime.now(UTC), Change(), described)
            self.runner.announce([committed])
            try:
                self._apply_descriptions(described)
            except BaseException:
                self._undescribed[:] = [None]  # they may be incomplete: compute them from scratch
                raise
            self._publish([committed], described)
        # Only now: has_outdated_descriptions must be true until the projections have this change.
        del self._undescribed[:count]

    def _apply_descriptions(self, change: Change) -> None:
        """Write a change of the descriptions to the engine: many quads five times faster, not atomically.

        Until the next flush, the position says that they are not complete, or that commits are replayed.
        """
        added: tuple[ox.Quad, ...] = ()
        if self._folder and len(change.added) >= MIN_BULK_QUADS:
            change, added = replace(change, added=()), change.added
        apply_to_engine(change, self._quads)
        if added:
            self._quads.bulk_extend(added)


def drop_repeated_additions(commits: Sequence[NewCommit]) -> Iterator[NewCommit]:
    """Commits that were computed from the same state, without what an earlier one of them adds, too."""
    if len(commits) == 1:
        yield from commits
        return
    quads, graphs = set[ox.Quad](), set[str]()
    for commit in commits:
        change = commit.change
        added = tuple(quad for quad in change.added if quad not in quads)
        created = tuple(iri for iri in change.created if iri not in graphs)
        yield replace(commit, change=Change(change.removed, added, change.dropped, created))
        quads.update(added)
        graphs.update(created)
