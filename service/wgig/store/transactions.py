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
    """Calls a function on a thread of its own, when nothing happened for `pause` seconds.

    Where it never becomes quiet it is called `longest` seconds after the first of what happened. A call that
    fails is logged, and made again after the next.
    """

    def __init__(self, function: Callable[[], None], pause: float, longest: float) -> None:
        """Nothing has happened yet."""
        self.function, self.pause_seconds, self.max_delay_seconds = function, pause, longest
        self.triggered = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def trigger(self) -> None:
        """Something has happened."""
        self.triggered.set()

    def run(self) -> None:
        """Wait for what happens, and then until it is quiet, for ever."""
        while self.triggered.wait():
            end = time.monotonic() + self.max_delay_seconds
            while self.triggered.is_set() and time.monotonic() < end:
                self.triggered.clear()
                self.triggered.wait(self.pause_seconds)
            self.triggered.clear()
            try:
                self.function()
            except Exception as error:
                unforeseen = not isinstance(error, StoreError)
                log.error("what was to be done when it is quiet failed: %s", error, exc_info=unforeseen)


# Seconds until what was written is described, where nobody waits for it.
DESCRIPTION_PAUSE_SECONDS, MAX_DESCRIPTION_DELAY_SECONDS = 0.2, 2.0
MIN_COPIED_CHANGE_QUADS = 1000  # quads, to describe which takes 50 ms
DESCRIBED_COPY_FOLDER = "described"  # the store as it is described, aside
MAX_ENGINE_LOG_QUADS = 10_000  # quads; reading the log takes the next start 0.3 s then

log = logging.getLogger("wgig")


class TransactionalStore(StoreView):
    """The quads of the engine, and what is around each write of them.

    A write is on disk when it returns, and what is inferred from it is there. `version` counts the writes
    since the opening. `on_commit` is called with each Change before the write returns and while nobody else
    writes; with None where it is not known, so that a copy must be taken anew. Before it, so are the
    `projections`, which keep something beside the store in line; they are called with an empty change where a
    write turned out to be none. Those in `on_external_write` are called when others wrote.
    """

    def __init__(
        self, quads: ox.Store, folder: Path | None = None, inference: Inference | None = None
    ) -> None:
        """Take the engine's store, its folder (None: in memory), and the inference over it."""
        super().__init__(quads, folder)
        self._inference = inference
        self._lock = threading.RLock()
        self._logged_quads = 0  # quads since the last flush
        self._newest_log_file = 0  # the number of the file to which the engine writes
        self._is_clean = inference is None or not inference.is_due
        self._undescribed = list[Change | None]()  # changes that are not described yet
        self._debouncer: Debouncer | None = None
        self.on_commit: Callable[[Change | None], None] = lambda _: None
        self.projections: list[Callable[[Change | None], None]] = []
        self.on_external_write: list[Callable[[], None]] = []
        self.version = 0

    def describe_later(self) -> None:
        """Let no write wait until it is described; that comes in a pause, or by `flush_descriptions`."""
        self._debouncer = Debouncer(
            self.update_descriptions, DESCRIPTION_PAUSE_SECONDS, MAX_DESCRIPTION_DELAY_SECONDS
        )

    def flush_descriptions(self) -> None:
        """Have all described that was written. Where it is, nobody waits for a write under way."""
        if not self._undescribed:
            return
        with self._lock, translate_disk_errors(self._folder):
            self._describe_all()

    def update_descriptions(self) -> None:
        """Have described what was written until now. Much is counted aside, while others write on."""
        with self._copy_undescribed() as (behind, copy):
            if copy:
                self._describe_from_copy(behind, copy)
            else:
                self.flush_descriptions()

    @contextmanager
    def _copy_undescribed(self) -> Iterator[tuple[list[Change], Path | None]]:
        """What is not described yet, and a copy of the quads as they are, where that is of use."""
        with ExitStack() as stack:
            with self._lock, translate_disk_errors(self._folder):
                behind = [change for change in self._undescribed if change is not None]
                is_known = len(behind) == len(self._undescribed)
                copy: Path | None = None
                if self._folder and is_known and sum(map(len, behind)) >= MIN_COPIED_CHANGE_QUADS:
                    linked = open_linked_copy(self._quads, self._folder, DESCRIBED_COPY_FOLDER)
                    copy = stack.enter_context(linked)  # no view, as another process reads from it
            yield behind, copy

    def _describe_from_copy(self, behind: list[Change], copy: Path) -> None:
        """Describe these changes, after which the quads were as in the copy."""
        assert self._inference
        whole, prepared = combine_changes(behind), None
        try:
            prepared = self._inference.prepare(copy, whole)
        except (OSError, SubprocessError) as error:
            log.warning("nobody can write while it is counted what was written: %s", error)
        with self._lock, translate_disk_errors(self._folder):
            is_next = self._undescribed[: len(behind)] == behind
            if prepared and is_next and self._inference.can_prepare(self._quads, whole):
                self._describe(whole, len(behind), prepared)
            else:  # that failed, or somebody wanted it sooner
                self.flush_descriptions()

    @property
    def is_behind(self) -> bool:
        """Whether something that was written is not described yet."""
        return bool(self._undescribed)

    def touch(self) -> None:
        """Let it be known that what is kept beside is other than before, so that no answer is given again."""
        with self._lock:
            self._notify(Change())

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Around what must not see a write under way: nobody writes this store meanwhile."""
        with self._lock:
            yield

    @contextmanager
    def snapshot(self, name: str, prepare: Callable[[], None] = lambda: None) -> Iterator[StoreView]:
        """The store as it is now, to read, while others write on; `prepare` is called while nobody writes.

        The folder of the view, which is `name` in the `aside` of the store, is gone afterwards. A store in
        memory is its own snapshot: it has no files to share, so that writes wait until the end.
        """
        with ExitStack() as stack:
            lock = stack.enter_context(ExitStack())
            lock.enter_context(self.write_lock())
            prepare()
            if self._folder is None:
                yield self
                return
            with translate_disk_errors(self._folder):
                place = stack.enter_context(open_linked_copy(self._quads, self._folder, name))
            lock.close()
            yield StoreView(ox.Store.read_only(str(place)), place)

    @contextmanager
    def exclusive_writer(self, patience: float = WRITER_WAIT_SECONDS) -> Iterator[None]:
        """Around a look and the write that depends on it: nobody else writes meanwhile, wherever that is.

        Raises StoreUnavailableError where others than threads of this process write for so many seconds.
        """
        del patience  # of this store, no others write
        with self._lock:
            yield

    def stop_writing(self, seconds: float) -> bool:
        """Let no write begin any more; whether the one under way was over within so many seconds.

        The process may end then: a write that was not over is as if it never began.
        """
        over = self._lock.acquire(timeout=seconds)
        if over:
            self.on_commit = lambda _: None
            with suppress(OSError):  # it is made good at the next opening
                self._describe_all()
        return over

    @contextmanager
    def _transaction(self, look: WriteScope, checked: CheckResults = NOTHING_CHECKED) -> Iterator[None]:
        """Around one transaction: nobody else writes, inference follows, all is on disk at the end.

        The look sees all that the transaction may touch; `checked` is what was found in it before.
        """
        with self._lock, translate_disk_errors(self._folder):
            before = look(self._quads)
            with self._recoverable_change(look, before) as settled:
                yield
            after = look(self._quads) if settled and before else None
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
        self, look: WriteScope | None = None, before: Contents | None = None
    ) -> Iterator[bool]:
        """Around a change: a crash is known at the next opening, a refused change leaves no trace.

        What the change may touch, and what was there, is noted for that. Yields whether all was in line. What
        the disk says (OSError) may come after the change: then it counts as one that was cut off.
        """
        marked = self._folder is not None and get_index_mark(self._folder).remove()
        if self._inference:
            self._inference.mark_dirty(self._quads, look, before)
        elif marked and self._folder:
            sync_to_disk(self._folder)  # with inference, it is that which brings this to disk
        settled, self._is_clean = self._is_clean, False
        try:
            yield settled
        except Exception as error:
            if settled and not isinstance(error, OSError):
                self._mark_clean()
                self._update_projections(Change())
            raise

    def _infer_change(self, change: Change | None, checked: CheckResults) -> Change | None:
        """Bring what follows in line after a change of what is stated; the change with what followed."""
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
        """Bring the description in line with all that was written."""
        if self._undescribed:
            known = [one for one in self._undescribed if one is not None]
            whole = combine_changes(known) if len(known) == len(self._undescribed) else None
            self._describe(whole, len(self._undescribed))

    def _describe(self, whole: Change | None, count: int, prepared: Iterable[Any] = ()) -> None:
        """Describe the first `count` writes, as one change, on disk as well, and let that be known."""
        assert self._inference
        if self._folder:
            get_index_mark(self._folder).remove()
        try:
            described = self._inference.describe(self._quads, whole, prepared)
            if self._folder:
                self._newest_log_file = sync_engine_log(self._folder, self._newest_log_file)
        except OSError:
            self._undescribed[:] = [None]  # some of it may be there, so that it is to be counted anew
            self._notify(None)
            raise
        if self._is_clean:
            self._inference.mark_clean()  # anew: who follows sees at the next start whether it took this in
        if len(self._undescribed) == count:
            self._inference.mark_described()
        try:
            self._notify(described)
        finally:
            del self._undescribed[:count]  # not sooner, as whoever sees that may ask those who are told

    def _replicate(self, change: Change | None) -> None:
        """Make a change wherever else the quads are kept, before it counts as done; here that is nowhere."""

    def _make_durable(self, change: Change | None) -> None:
        """Bring a change to disk, then note that stated and inferred quads agree."""
        size = MAX_ENGINE_LOG_QUADS if change is None else len(change)
        self._logged_quads += size
        if self._folder and size >= MAX_ENGINE_LOG_QUADS:
            self._quads.flush()
        elif self._folder:
            self._newest_log_file = sync_engine_log(self._folder, self._newest_log_file)
            if self._logged_quads >= MAX_ENGINE_LOG_QUADS:
                threading.Thread(target=self._flush_engine).start()  # nobody has to wait for it
        if self._logged_quads >= MAX_ENGINE_LOG_QUADS:
            self._logged_quads = 0
        self._mark_clean()

    def _flush_engine(self) -> None:
        """Bring the log into tables. Where that fails all is still in it, and the next write is told."""
        with suppress(OSError):
            self._quads.flush()

    def _notify(self, change: Change | None) -> None:
        """Let it be known that the data is other than before."""
        self._update_projections(change)
        self.version += 1
        self.on_commit(change)

    def _update_projections(self, change: Change | None) -> None:
        """Have the projections take in a change, or whatever it is where one of them fails: it is done."""
        for follow in self.projections:
            try:
                follow(change)
            except Exception:
                log.exception("what is kept beside the store missed the last write, and is compared anew")
                follow(None)

    def _mark_clean(self) -> None:
        """Note that all is in line, as it was or is again."""
        self._is_clean = True
        if self._inference:
            self._inference.mark_clean()
            if not self._undescribed:
                self._inference.mark_described()
