"""The store that several instances share: a SPARQL service has the data, and each instance has a copy.

A write returns only after the service has executed it. Reads that must include the writes of others update
the copy first. Methods raise StoreUnavailableError if the service does not respond. Former graph contents are
stored in the service, too, so that all instances have the history. A service that stores numbers of equal
value as one term, such as 1 and 1.0, accepts only one of them in a statement.

The ledger in the service is the truth. The copy has a change log of its own, with the commits in the order in
which this instance applied them, so that projections follow it as in an embedded store. Nothing is written
into the copy before the service has the write, so there is nothing to undo in the copy, except a bulk load.
"""

import logging
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, Self

import pyoxigraph as ox

from ..store.change import Change, Contents, compare_contents, find_existing_graphs, iter_graph_quads
from ..store.change_log import LOAD_BEGIN_ENTRY, RESET_ENTRY, CommitOrigin, NewCommit, SourceFile
from ..store.commit import NO_CHECKED_QUADS, CheckedQuads, apply_to_engine
from ..store.damage import VERIFIED_COPY_FOLDER
from ..store.errors import (
    OutcomeUnknownError,
    StoreError,
    StoreUnavailableError,
    UnstorableError,
    translate_disk_errors,
)
from ..store.files import ASIDE_FOLDER
from ..store.folder import QUADS_FOLDER, STARTUP_WAIT_SECONDS, WRITER_WAIT_SECONDS, open_quads, write_layout
from ..store.inference.inference import Inference
from ..store.overlay import QuadOverlay
from ..store.position import EnginePosition
from ..store.projection_runner import CommittedChange
from ..store.recovery import merge_repeated_changes, remove_obsolete_files, replay_log, select_effective
from ..store.store import Store
from ..store.transactions import MAX_UNFLUSHED_QUADS
from ..store.update import TRIAL_FOLDER_PREFIX
from ..store.view import StoreSnapshot, remove_snapshots
from .claims import WriteClaim
from .client import RefusedError
from .dialects import has_equal_number
from .ledger import MAX_LEDGER_ENTRIES, LedgerState, SharedContents, UnknownOutcomeError
from .sharing import (
    BEFORE_LOAD_FOLDER,
    ProgressReporter,
    StorePosition,
    StoreSharing,
    find_usable_position,
    ledger_position,
    make_progress_reporter,
    parse_store_position,
    replace_quads,
    restore_interrupted_copy,
    split_derived_change,
)

NEW_COPY_FOLDER = "shared-coming"  # a new copy of the shared store while it is compared
TOO_LARGE_MESSAGE = (
    "The change is too large for a shared store. Split it into smaller changes, or use wgig load."
)
OTHER_INSTANCE = CommitOrigin(title="Another instance")  # the ledger does not have who wrote what
# The copy is flushed when the ledger has half of its entries since then, which are read again after a crash.
UNFLUSHED_QUADS_PER_ENTRY = MAX_UNFLUSHED_QUADS * 2 // MAX_LEDGER_ENTRIES
NO_POSITION = StorePosition("", 0, "")
UNDESCRIBED_DIGEST = (
    "undescribed"  # instead of the digest of the rules, while the descriptions lack the last write
)

log = logging.getLogger("wgig")


class SharedStore(Store):
    """A quad store that several instances share.

    A write returns only after the service has executed it. Call `follow` before a read that must include the
    writes of others. Methods raise StoreUnavailableError if the service does not respond.
    """

    sharing: StoreSharing
    shared_position = NO_POSITION  # of the copy
    coming_position = NO_POSITION  # of the copy after the change that the service has, and the copy gets next
    # The last version that was written by several requests. Queries meanwhile may have seen a part of it.
    last_announced_version = 0
    load_stack: ExitStack | None = None  # during a bulk load: keeps the write lock and `before_load`
    before_load: StoreSnapshot  # the copy as it was before the bulk load

    @classmethod
    def join(
        cls,
        folder: Path,
        sharing: StoreSharing,
        inference: Inference,
        report: ProgressReporter = lambda _: None,
    ) -> Self:
        """Open the shared store with its copy in `folder`, which is created or updated.

        If the inference rules have changed, inferred statements are updated in the copy and in the service.
        Raises StoreError.
        """
        state = sharing.ledger.read_or_create_state()
        with translate_disk_errors(folder):
            restore_interrupted_copy(folder)
            has_quads = (folder / QUADS_FOLDER).exists()
            store = cls(open_quads(folder), folder, inference)
            store.sharing = sharing
            for prefix in (TRIAL_FOLDER_PREFIX, VERIFIED_COPY_FOLDER):
                remove_snapshots(folder, prefix)
            position = find_usable_position(folder, store.log, state)
            if position and has_quads and not store.is_loading:
                store._repeat_changes(position, state)
            else:
                store._make_copy(report)
        store.follow()
        if sharing.ledger.read_state().rules_digest != inference.digest:
            store.finish_pending_write(STARTUP_WAIT_SECONDS, report)
        return store

    def _repeat_changes(self, position: EnginePosition, state: LedgerState) -> None:
        """Apply the changes after the position of the copy again, as a crash may have interrupted them.

        Those in the change log come first, so that they are not logged again.
        """
        shared_position = parse_store_position(position.shared)
        assert shared_position
        self.shared_position = shared_position
        replay_log(self._quads, self.log, position, None, lambda _: None)
        entries = list(self._iter_entries(state))
        if entries:
            changes, positions = zip(*entries, strict=True)
            self._apply_shared_change(merge_repeated_changes(changes), positions[-1])

    def _make_copy(self, report: ProgressReporter) -> None:
        """Replace the content of the copy by all quads in the service."""
        assert self._folder
        report(f"Copying the shared store to {self._folder} ...")
        with self._replacing_quads():
            self._quads.clear()
            state = self.sharing.copier.copy_into(self._quads, make_progress_reporter(report))
            self._set_coming_position(None, ledger_position(state))
        write_layout(self._folder)  # the folder may have a copy with an older layout
        remove_obsolete_files(self._folder)

    def _update_derived_graphs(self, report: ProgressReporter) -> None:
        """Compute the derived graphs in the copy and in the service again, after the rules changed.

        The same after an instance died before it described its last write.
        The write lock must be held.
        """
        assert self._inference
        if self:
            report(f"Running inference in {self._folder} ...")
        graphs = self._inference.graphs
        with self.snapshot(f"{TRIAL_FOLDER_PREFIX}{uuid.uuid4().hex}") as snapshot:
            quads = snapshot.open_quads()
            self._inference.rebuild(quads)
            apply_to_engine(self._inference.describe(quads, None), quads)
            after = read_graph_contents(quads, graphs)
            del quads  # closed before its files are removed
        change = compare_contents(read_graph_contents(self._quads, graphs), after)
        self._replicate(change)
        self._publish(self._log_and_apply([], change, change), change)

    @contextmanager
    def exclusive_writer(
        self, timeout_seconds: float = WRITER_WAIT_SECONDS, report: ProgressReporter = lambda _: None
    ) -> Iterator[None]:
        """Hold the write lock, so that no instance writes between a read and a write that depends on it.

        Statements that others inferred by other rules are recomputed first. Raises StoreUnavailableError if
        others hold the lock for more than `timeout_seconds`.
        """
        with self.sharing.write_lock.thread_lock:
            is_outermost = not self.sharing.write_lock.is_held
            with self.sharing.write_lock.hold(self._restore_service, timeout_seconds), self._lock:
                if is_outermost:
                    self._prepare_write(report)
                yield

    def _prepare_write(self, report: ProgressReporter = lambda _: None) -> None:
        """Update the copy, and recompute inferred statements if the rules have changed."""
        state = self.sharing.ledger.read_state()
        self._follow_to(state)
        if self._inference and state.rules_digest != self._inference.digest:
            self._update_derived_graphs(report)

    def finish_pending_write(
        self, timeout_seconds: float = WRITER_WAIT_SECONDS, report: ProgressReporter = lambda _: None
    ) -> None:
        """Finish the unfinished write of another instance.

        Raises StoreUnavailableError if it is still writing after `timeout_seconds`.
        """
        with self.exclusive_writer(timeout_seconds, report):
            return

    def follow(self) -> None:
        """Update the copy with all writes that are finished now."""
        with self._lock:
            self._follow_to(self.sharing.ledger.read_state())

    def is_behind_state(self, state: LedgerState) -> bool:
        """Whether the copy differs from this state of the ledger."""
        return ledger_position(state) != self.shared_position

    def _follow_to(self, state: LedgerState) -> None:
        """Apply all changes up to this state to the copy. The local lock must be held."""
        if not self.is_behind_state(state):
            return
        with translate_disk_errors(self._folder):
            for change, position in self._iter_entries(state):
                self._apply_shared_change(change, position)
            # If a change is not in the ledger, or the service was restored from a backup:
            if self.is_behind_state(state):
                self._replace_copy()

    def _iter_entries(self, state: LedgerState) -> Iterator[tuple[Change, StorePosition]]:
        """The changes in the ledger after the position of the copy, each with the position after it.

        They end before the first change that is not in the ledger, or does not continue the copy.
        """
        position = self.shared_position
        while position.version < state.version:
            entry = self.sharing.ledger.read_entry(position.version + 1)
            if entry is None or entry.change is None or entry.previous_write_id != position.write_id:
                return
            position = StorePosition(state.store, position.version + 1, entry.write_id)
            yield self.sharing.skolemizer.deskolemize_change(entry.change), position

    def _apply_shared_change(self, change: Change, position: StorePosition) -> None:
        """Log and apply a change that the service has to the copy, which may have a part of it already."""
        assert self._inference
        self._check_writable()
        self._set_coming_position(change, position)
        effective = select_effective(change, self._quads)
        stated, derived = split_derived_change(effective, self._inference.graphs)
        self._forget_caches()
        commits = [NewCommit(stated, OTHER_INSTANCE)] if stated else []
        self._publish(self._log_and_apply(commits, effective, derived), effective)

    def _forget_caches(self) -> None:
        """Invalidate what depends on the quads, as they change by other than a commit of this instance."""
        if self._inference:
            self._inference.forget()
        for invalidate in self.on_external_write:
            invalidate()

    def _set_coming_position(self, change: Change | None, position: StorePosition) -> None:
        """Set the position of the copy after a change, which is None if unknown, empty if undone."""
        if not change or not self.sharing.ledger.is_single_update(change):
            self.last_announced_version = position.version
        self.coming_position = position

    def _publish(self, commits: Sequence[CommittedChange | None], change: Change | None) -> None:
        """Also set the position: last, as threads that read it consider the copy up to date."""
        self._unflushed_quads += UNFLUSHED_QUADS_PER_ENTRY
        super()._publish(commits, change)
        self.shared_position = self.coming_position

    def _make_position(self) -> EnginePosition:
        """The position of the copy in its change log and in the ledger."""
        return replace(super()._make_position(), shared=" ".join(map(str, self.shared_position)))

    @contextmanager
    def _replacing_quads(self) -> Iterator[None]:
        """Change the quads of the copy without logging them; the block sets the coming position.

        Interrupted, the copy is not usable when it is next opened.
        """
        with self._lock, translate_disk_errors(self._folder):
            self._check_writable()
            if not self.is_loading:
                self.log.append_step(LOAD_BEGIN_ENTRY)
                self.flush()
            yield
            self._quads.flush()
            self.log.append_step(RESET_ENTRY)
            self._forget_caches()
            self._publish([None], None)
            self.flush()

    def commit(
        self,
        commits: Sequence[NewCommit],
        checked_quads: CheckedQuads = NO_CHECKED_QUADS,
        *,
        is_bounded: bool = True,
    ) -> None:
        """Commit changes in the service and in the copy, with the write lock held.

        Raises StoreUnavailableError if the service has them, but the copy does not: it gets them later.
        """
        with self.exclusive_writer():
            self.coming_position = self.shared_position
            try:
                super().commit(commits, checked_quads, is_bounded=is_bounded)
            except StoreError as error:
                if isinstance(error, OutcomeUnknownError) or self.coming_position == self.shared_position:
                    raise
                raise StoreUnavailableError(
                    f"The write was saved, but not in the local copy. {error}"
                ) from error

    def _update_descriptions_later(self) -> None:
        """Describe the last commit now, with the write lock held, as an entry of its own in the ledger.

        Other instances could not describe their commits beside descriptions that lack this one. If that
        fails, the next writer does it.
        """
        try:
            self._describe_all()
        except StoreError as error:
            log.error("the last write could not be described: %s", error)
        self._undescribed.clear()

    def _get_rules_digest(self, change: Change | None) -> str:
        """The digest of the rules by which all derived graphs in the service agree with it after a change.

        After a change of stated quads, it is UNDESCRIBED_DIGEST until the descriptions are written.
        """
        if not self._inference:
            return ""
        is_described = not self._inference.describers or (
            change is not None and not split_derived_change(change, self._inference.graphs)[0]
        )
        return self._inference.digest if is_described else UNDESCRIBED_DIGEST

    def _replicate(self, change: Change | None) -> None:
        """Write a change to the service; None for a bulk load, which the copy has already."""
        self._check_storable(change)
        write_id, digest = uuid.uuid4().hex, self._get_rules_digest(change)
        skolemized = self.sharing.skolemizer.skolemize_change(change) if change is not None else None
        try:
            version = self.sharing.write_lock.write(skolemized, digest, write_id, self._difference_since_load)
        except RefusedError:
            if change is None:
                self._undo_load()
            self._undo_in_service()
            raise
        self._set_coming_position(change, StorePosition(self.shared_position.store, version, write_id))

    def _undo_in_service(self) -> None:
        """Undo the part of a write that the service has executed before it refused the remaining part."""
        try:
            self.sharing.write_lock.undo_announced_write(self._restore_service)
        except StoreError as error:  # another instance will finish or undo the write
            raise UnknownOutcomeError from error

    def _check_storable(self, change: Change | None) -> None:
        """Raise UnstorableError if the service cannot store the change; None for a bulk load."""
        new = self._quads if change is None else change.added
        created = (  # only to check the IRI of each created graph
            ox.Quad(graph, graph, graph, graph)
            for graph in map(ox.NamedNode, change.created if change else ())
        )
        for name in self.sharing.skolemizer.find_reserved_names(chain(new, created)):
            raise UnstorableError(f"The shared store reserves the IRI {name}. Use another one.")
        dialect = self.sharing.engine.dialect
        quads_after = QuadOverlay(self._quads, change) if change else self._quads
        for quad in new:
            if not dialect.can_store(quad):
                raise UnstorableError(f"The server of the shared store cannot store {quad.triple}.")
            if dialect.merges_equal_numbers and has_equal_number(quads_after, quad):
                raise UnstorableError(
                    "The server of the shared store cannot distinguish numbers of equal value, and there is "
                    f"already one equal to that in {quad.triple}. Write only one of them, or write one as a "
                    "string."
                )

    @property
    def old_contents(self) -> SharedContents:
        """The contents that graphs had before, which all instances share."""
        return SharedContents(self.sharing.ledger.texts, self.log)

    def forget(self, digests: Iterable[str]) -> list[str]:
        """Raise UnstorableError, as other instances would still have the contents."""
        del digests
        raise UnstorableError("Old versions of graphs cannot be erased from a shared store.")

    # Bulk loads.

    @contextmanager
    def _unlogged_change(self, origin: CommitOrigin) -> Iterator[ox.Triple]:
        """A step of a bulk load. Raises UnstorableError for a change that is too large to be logged."""
        if not self.load_stack:
            raise UnstorableError(TOO_LARGE_MESSAGE)
        with super()._unlogged_change(origin) as mark:
            yield mark

    def bulk_load(
        self, source: IO[bytes], format_: ox.RdfFormat, graph: str | None, file: SourceFile | None = None
    ) -> None:
        """Load a large file. The write lock is held until `finish_load` is called."""
        if self.load_stack is None:
            with ExitStack() as stack:
                stack.enter_context(self.sharing.write_lock.hold_across_threads(self._restore_service))
                with self._lock:
                    self._prepare_write()
                # The old copy exists until `finish_load`; after a crash, `restore_interrupted_copy` uses it.
                self.before_load = stack.enter_context(self.snapshot(BEFORE_LOAD_FOLDER))
                self.load_stack = stack.pop_all()
        super().bulk_load(source, format_, graph, file)

    def finish_load(self, title: str = "") -> None:
        """Add what follows, write the loaded statements to the service, and release the write lock."""
        assert self.load_stack
        with self.load_stack:
            try:
                super().finish_load(title)
            except BaseException:
                if self.is_loading:
                    self._undo_load()
                raise
            finally:
                self.load_stack = None
                del self.before_load

    def _undo_load(self) -> None:
        """Restore the copy from before the bulk load."""
        with self._replacing_quads():
            replace_quads(self._quads, self.before_load._quads)
            self._set_coming_position(None, self.shared_position)

    def _difference_since_load(self) -> tuple[Iterable[ox.Quad], Iterable[ox.Quad]]:
        """The quads removed and added since the bulk load began."""
        return self._skolemized_difference(self.before_load._quads, self._quads)

    def _skolemized_difference(
        self, old: ox.Store, new: ox.Store
    ) -> tuple[Iterator[ox.Quad], Iterator[ox.Quad]]:
        """The quads removed and added between two stores, as stored in the service."""
        skolemize = self.sharing.skolemizer.skolemize
        return skolemize(quad for quad in old if quad not in new), skolemize(
            quad for quad in new if quad not in old
        )

    def _replace_copy(self) -> None:
        """Replace the content of the copy by a new copy of the shared store."""
        with self._open_new_copy() as (new_copy, state), self._replacing_quads():
            replace_quads(self._quads, new_copy)
            self._set_coming_position(None, ledger_position(state))

    def _restore_service(self, claim: WriteClaim, state: LedgerState) -> None:
        """Restore the data in the service from the copy, after an interrupted write of another instance."""
        with self._lock:
            self._follow_to(state)
            with self._open_new_copy(state) as (new_copy, _):
                self.sharing.ledger.send_quads(claim, *self._skolemized_difference(new_copy, self._quads))
            self.sharing.ledger.abandon(claim, state)

    @contextmanager
    def _open_new_copy(
        self, interrupted: LedgerState | None = None
    ) -> Iterator[tuple[ox.Store, LedgerState]]:
        """Yield a new copy in a temporary store, and the state of the ledger for it.

        It does not wait for the end of the write in the state `interrupted`.
        """
        assert self._folder
        folder = self._folder / ASIDE_FOLDER / NEW_COPY_FOLDER
        shutil.rmtree(folder, ignore_errors=True)
        try:
            new_copy = ox.Store(str(folder))
            yield new_copy, self.sharing.copier.copy_into(new_copy, interrupted=interrupted)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def read_graph_contents(quads: ox.Store, graphs: Iterable[ox.NamedNode]) -> Contents:
    """The quads in the graphs, and which of the graphs exist."""
    return Contents(
        {quad for graph in graphs for quad in iter_graph_quads(quads, graph)},
        find_existing_graphs(quads, graphs),
    )
