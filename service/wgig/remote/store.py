"""The store that several instances share: a SPARQL service has the data, and each instance has a copy.

A write returns only after the service has executed it. Reads that must include the writes of others update
the copy first. Methods raise StoreUnavailableError if the service does not respond. Former graph contents are
stored in the service, too, so that all instances have the history. A service that stores numbers of equal
value as one term, such as 1 and 1.0, accepts only one of them in a statement.
"""

import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple, Self

import pyoxigraph as ox

from ..store.change import (
    Change,
    Contents,
    WriteScope,
    apply_change,
    compare_contents,
    find_existing_graphs,
    iter_graph_quads,
)
from ..store.commit import NO_CHECK_RESULTS, CheckResults
from ..store.errors import StoreError, UnstorableError, translate_disk_errors
from ..store.files import ASIDE_FOLDER
from ..store.folder import STARTUP_WAIT_SECONDS, WRITER_WAIT_SECONDS, open_quads
from ..store.inference.inference import Inference
from ..store.snapshot import open_linked_copy, remove_linked_copies
from ..store.store import Store
from ..store.update import TRIAL_FOLDER_PREFIX
from . import sharing as remote_sharing
from .claims import WriteClaim
from .client import RefusedError
from .dialects import has_equal_number
from .ledger import LedgerState, SharedContentStore, UnknownOutcomeError
from .sharing import (
    BEFORE_LOAD_FOLDER,
    ProgressReporter,
    StorePosition,
    StoreSharing,
    copy_shared_store,
    is_usable_copy,
    ledger_position,
    restore_interrupted_copy,
)

NEW_COPY_FOLDER = "shared-coming"  # a new copy of the shared store while it is compared
TOO_LARGE_MESSAGE = (
    "The change is too large for a shared store. Split it into smaller changes, or use wgig load."
)


class UncertainChange(NamedTuple):
    """A change with unknown outcome, and the ID of its write, which is in the ledger if it was made."""

    write_id: str
    change: Change


class SharedStore(Store):
    """A quad store that several instances share.

    A write returns only after the service has executed it. Call `follow` before a read that must include the
    writes of others. Methods raise StoreUnavailableError if the service does not respond.
    """

    sharing: StoreSharing
    shared_position: StorePosition
    # The last version that was written by several requests. Queries meanwhile may have seen a part of it.
    last_announced_version = 0
    uncertain_change: UncertainChange | None = None
    needs_new_copy = False  # whether the disk failed during a write, so that the copy must be replaced
    load_stack: ExitStack | None = None  # during a bulk load: keeps the write lock and the old copy

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
            if not is_usable_copy(folder, state):
                copy_shared_store(folder, sharing, report)
        store = cls(open_quads(folder), folder, inference)
        position = remote_sharing.read_position_file(folder)
        assert position
        store.sharing, store.shared_position, store._is_clean = sharing, position, True
        remove_linked_copies(folder, TRIAL_FOLDER_PREFIX)
        store.follow()
        if sharing.ledger.read_state().rules_digest == inference.digest:
            store._mark_clean()
        else:
            store.finish_pending_write(STARTUP_WAIT_SECONDS, report)
        return store

    def recover(self, report: ProgressReporter) -> None:
        """Recompute inferred statements in the copy and in the service, after the inference rules changed.

        The write lock must be held.
        """
        assert self._inference
        if self:
            report(f"Recomputing inferred statements in {self._folder}, as the rules changed ...")
        graphs = [*self._inference.graphs]
        before = read_graph_contents(self._quads, graphs)
        with self._recoverable_change():
            self._inference.apply(self._quads, None)
        change = compare_contents(before, read_graph_contents(self._quads, graphs))
        self._replicate(change)
        self._make_durable(change)
        self._notify(change)

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
            self.recover(report)

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
        with self._lock:  # the last thread that held it may have left a change with unknown outcome
            if not self.uncertain_change:
                return self._follow_to(self.sharing.ledger.read_state())
        with self.exclusive_writer():
            return None

    def is_behind_state(self, state: LedgerState) -> bool:
        """Whether the copy differs from this state of the ledger."""
        return (
            self.uncertain_change is not None
            or self.needs_new_copy
            or ledger_position(state) != self.shared_position
        )

    def _follow_to(self, state: LedgerState) -> None:
        """Apply all changes up to this state to the copy.

        The write lock must be held if there is an uncertain change.
        """
        with translate_disk_errors(self._folder):
            if self.uncertain_change:
                self._resolve_uncertain_change(self.uncertain_change)
            while not self.needs_new_copy and self.shared_position.version < state.version:
                entry = self.sharing.ledger.read_entry(self.shared_position.version + 1)
                if (
                    entry is None
                    or entry.change is None
                    or entry.previous_write_id != self.shared_position.write_id
                ):
                    break
                self._apply_remote_change(
                    self.sharing.skolemizer.deskolemize_change(entry.change),
                    StorePosition(state.store, self.shared_position.version + 1, entry.write_id),
                )
            # If a change is not in the ledger, or the service was restored from a backup:
            if self.needs_new_copy or self.shared_position != ledger_position(state):
                self._replace_copy()

    def _apply_remote_change(self, change: Change, position: StorePosition) -> None:
        """Apply a change of another instance to the copy."""
        with self._recoverable_change():
            apply_change(change, self._quads)
        self._finish_remote_change(change, position)

    def _finish_remote_change(self, change: Change | None, position: StorePosition) -> None:
        """Record a change that the copy contains now, and update projections; None for an unknown change."""
        if self._inference:
            self._inference.forget()
        self._set_position(change, position)
        self._make_durable(change)
        for invalidate in self.on_external_write:
            invalidate()
        self._notify(change)

    def _set_position(self, change: Change | None, position: StorePosition) -> None:
        """Set the position of the copy after a change, which is None if unknown, empty if undone."""
        if not change or not self.sharing.ledger.is_single_update(change):
            self.last_announced_version = position.version
        self.shared_position = position  # last, as threads that read it consider the copy up to date

    def _resolve_uncertain_change(self, uncertain_change: UncertainChange) -> None:
        """Undo an uncertain change in the copy unless the service has executed it.

        The write lock must be held.
        """
        version = self.shared_position.version + 1
        entry = (
            self.sharing.ledger.read_entry(version)
            if self.sharing.ledger.read_state().version >= version
            else None
        )
        if entry and entry.write_id == uncertain_change.write_id:
            self._finish_remote_change(
                uncertain_change.change,
                StorePosition(self.shared_position.store, version, uncertain_change.write_id),
            )
        else:
            self._undo_in_copy(uncertain_change.change)
        self.uncertain_change = None

    def _undo_in_copy(self, change: Change) -> None:
        """Undo a change in the copy that the service has not executed."""
        apply_change(change.inverse, self._quads)
        if self._inference:
            self._inference.forget()
        self._make_durable(change)
        self._update_projections(Change())

    def apply(self, change: Change, check_results: CheckResults = NO_CHECK_RESULTS) -> None:
        """Write a change; acquires the write lock before the lock of the local copy."""
        with self.exclusive_writer():
            super().apply(change, check_results)

    @contextmanager
    def _transaction(
        self,
        compute_scope: WriteScope,
        check_results: CheckResults = NO_CHECK_RESULTS,
        *,
        is_bounded: bool = False,
    ) -> Iterator[None]:
        """Run one transaction with the write lock held. Raises UnstorableError if its scope is unbounded."""
        with self.exclusive_writer():
            if compute_scope.read_contents(self._quads) is None:
                raise UnstorableError(TOO_LARGE_MESSAGE)
            position = self.shared_position
            try:
                with super()._transaction(compute_scope, check_results, is_bounded=is_bounded):
                    yield
            except BaseException:  # the disk may have failed before the write was replicated
                self.needs_new_copy = self.needs_new_copy or not (
                    self._is_clean or self.uncertain_change or self.shared_position != position
                )
                raise

    def _replicate(self, change: Change | None) -> None:
        """Write a change to the service, or roll it back; None for a bulk load."""
        write_id = uuid.uuid4().hex
        digest = self._inference.digest if self._inference else ""
        try:
            self._check_writable(change)
            skolemized = self.sharing.skolemizer.skolemize_change(change) if change is not None else None
            version = self.sharing.write_lock.write(skolemized, digest, write_id, self._difference_since_load)
        except UnknownOutcomeError:
            if change is not None:
                self.uncertain_change = UncertainChange(write_id, change)
            raise
        except StoreError as error:
            self._roll_back(change)
            if isinstance(error, RefusedError):
                self._undo_in_service()
            raise
        self._set_position(change, StorePosition(self.shared_position.store, version, write_id))

    def _undo_in_service(self) -> None:
        """Undo the part of a write that the service has executed before it refused the remaining part."""
        try:
            self.sharing.write_lock.undo_announced_write(self._restore_service)
        except StoreError as error:  # another instance will finish or undo the write
            raise UnknownOutcomeError from error

    def _check_writable(self, change: Change | None) -> None:
        """Raise UnstorableError if the service cannot store the change; None for a bulk load."""
        if change is None and not self.load_stack:
            raise UnstorableError(TOO_LARGE_MESSAGE)
        new = self._quads if change is None else change.added
        created = (  # only to check the IRI of each created graph
            ox.Quad(graph, graph, graph, graph)
            for graph in map(ox.NamedNode, change.created if change else ())
        )
        for name in self.sharing.skolemizer.find_reserved_names(chain(new, created)):
            raise UnstorableError(f"The shared store reserves the IRI {name}. Use another one.")
        dialect = self.sharing.engine.dialect
        for quad in new:
            if not dialect.can_store(quad):
                raise UnstorableError(f"The service of the shared store cannot store {quad.triple}.")
            if dialect.merges_equal_numbers and has_equal_number(self._quads, quad):
                raise UnstorableError(
                    "The service of the shared store cannot distinguish numbers of equal value, and another "
                    f"one exists beside that of {quad.triple}. Write only one of them, or one as a string."
                )

    def _roll_back(self, change: Change | None) -> None:
        """Undo a change in the copy that was not written to the service."""
        if change is not None:
            self._undo_in_copy(change)
        elif self.load_stack:
            self._undo_load()
        else:
            self.needs_new_copy = True
            self._replace_copy()

    def _make_durable(self, change: Change | None) -> None:
        """Write a change to disk, then record the position of the copy."""
        super()._make_durable(change)
        assert self._folder
        remote_sharing.write_position_file(self._folder, self.shared_position)

    def content_store(self) -> SharedContentStore:
        """The store of former graph contents, which all instances share."""
        assert self._folder
        return SharedContentStore(self._folder, self.sharing.ledger.texts)

    def describe_later(self) -> None:
        """Do nothing: descriptions are written with each change, so that other instances get them."""

    # Bulk loads.

    def bulk_load(self, source: IO[bytes], format_: ox.RdfFormat, graph: str | None) -> None:
        """Load a large file. The write lock is held until `infer` is called."""
        assert self._folder
        if self.load_stack is None:
            with ExitStack() as stack:
                stack.enter_context(self.sharing.write_lock.hold_across_threads(self._restore_service))
                with self._lock:
                    self._prepare_write()
                # The old copy exists until `infer`; after a crash, `restore_interrupted_copy` uses it.
                stack.enter_context(open_linked_copy(self._quads, self._folder, BEFORE_LOAD_FOLDER))
                self.load_stack = stack.pop_all()
        super().bulk_load(source, format_, graph)

    def infer(self) -> None:
        """Add inferred statements, write the loaded statements to the service, and release the write lock."""
        with self.load_stack or ExitStack():
            try:
                super().infer()
            finally:
                self.load_stack = None

    def _undo_load(self) -> None:
        """Restore the copy from before the bulk load."""
        assert self._folder
        self._quads.clear()
        self._quads.bulk_extend(ox.Store.read_only(str(self._folder / ASIDE_FOLDER / BEFORE_LOAD_FOLDER)))
        self._finish_remote_change(None, self.shared_position)

    def _difference_since_load(self) -> tuple[Iterable[ox.Quad], Iterable[ox.Quad]]:
        """The quads removed and added since the bulk load began."""
        assert self._folder
        old_copy = ox.Store.read_only(str(self._folder / ASIDE_FOLDER / BEFORE_LOAD_FOLDER))
        return self._skolemized_difference(old_copy, self._quads)

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
        with self._open_new_copy() as (new_copy, state), self._recoverable_change():
            for quad in [quad for quad in self._quads if quad not in new_copy]:
                self._quads.remove(quad)
            self._quads.bulk_extend(quad for quad in new_copy if quad not in self._quads)
            for graph in set(self._quads.named_graphs()).difference(new_copy.named_graphs()):
                self._quads.remove_graph(graph)
        self.needs_new_copy = False
        self._finish_remote_change(None, ledger_position(state))

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
