"""The store that several instances share: the SPARQL service has the data, and a local copy follows it.

A write returns only after the service has made it. Reads that must see the writes of others bring the copy up
to date first. Methods raise StoreUnavailableError where the service does not respond. Former graph contents
are stored in the service too, so that all instances have the history. Numbers of equal value with different
spellings are rejected for a service that stores them as one term.
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
from ..store.commit import NOTHING_CHECKED, CheckResults
from ..store.errors import StoreError, UnstorableError, translate_disk_errors
from ..store.files import ASIDE_FOLDER
from ..store.folder import STARTUP_WAIT_SECONDS, WRITER_WAIT_SECONDS, open_quads
from ..store.inference.inference import Inference
from ..store.snapshot import open_linked_copy
from ..store.store import Store
from ..store.update import remove_trial_copies
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
    restore_cut_off_copy,
)

SHARED_COMING_FOLDER = "shared-coming"
TOO_LARGE_MESSAGE = (
    "This changes too much of a shared store at once. Make the change in smaller parts, or use wgig load."
)


class DoubtfulChange(NamedTuple):
    """A change with unknown outcome, and the mark by which the ledger tells whether it was made."""

    mark: str
    change: Change


class SharedStore(Store):
    """A quad store that several instances share.

    A write returns only after the service has made it. Call `follow` before a read that must see what others
    wrote. Methods raise StoreUnavailableError where the service does not respond.
    """

    sharing: StoreSharing
    shared_position: StorePosition
    announced_version = 0  # the last version of which others may have seen a part
    doubt: DoubtfulChange | None = None
    is_torn = False  # whether the disk failed during a write, so that the copy has to be replaced
    load_stack: ExitStack | None = None

    @classmethod
    def join(
        cls,
        folder: Path,
        sharing: StoreSharing,
        inference: Inference,
        report: ProgressReporter = lambda _: None,
    ) -> Self:
        """Open the shared store with its copy in `folder`, which is created or brought up to date.

        Inferred and computed statements are brought up to date too, here and in the service, where they came
        from other rules. Raises StoreError.
        """
        state = sharing.ledger.begin()
        with translate_disk_errors(folder):
            restore_cut_off_copy(folder)
            if not is_usable_copy(folder, state):
                copy_shared_store(folder, sharing, report)
        store = cls(open_quads(folder), folder, inference)
        position = remote_sharing.read_position_file(folder)
        assert position
        store.sharing, store.shared_position, store._is_clean = sharing, position, True
        remove_trial_copies(folder)
        store.follow()
        if sharing.ledger.read_state().rules_digest == inference.digest:
            store._mark_clean()
        else:
            store.finish(STARTUP_WAIT_SECONDS, report)
        return store

    def recover(self, report: ProgressReporter) -> None:
        """Recompute inferred statements, here and in the service, after the inference rules changed.

        The write lock is held.
        """
        assert self._inference
        if self:
            report(f"Inferring statements in {self._folder} anew, as the rules changed ...")
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
        """Hold the write lock, so that no instance writes between a read and the write that depends on it.

        Statements that others inferred by other rules are recomputed first. Raises StoreUnavailableError
        where others hold the lock for more than `timeout_seconds`.
        """
        with self.sharing.turn.lock:
            is_outermost = not self.sharing.turn.is_taken
            with self.sharing.turn.take(self._restore_service, timeout_seconds), self._lock:
                if is_outermost:
                    self._begin(report)
                yield

    def _begin(self, report: ProgressReporter = lambda _: None) -> None:
        """Bring the copy up to date, and recompute inferred statements where the rules differ."""
        state = self.sharing.ledger.read_state()
        self._follow_to(state)
        if self._inference and state.rules_digest != self._inference.digest:
            self.recover(report)

    def finish(
        self, timeout_seconds: float = WRITER_WAIT_SECONDS, report: ProgressReporter = lambda _: None
    ) -> None:
        """Finish the unfinished write of another instance.

        Raises StoreUnavailableError where that one is still writing after `timeout_seconds`.
        """
        with self.exclusive_writer(timeout_seconds, report):
            return

    def follow(self) -> None:
        """Bring the copy up to date with all writes finished by now."""
        with self._lock:  # its last holder may have left a change with unknown outcome
            if not self.doubt:
                return self._follow_to(self.sharing.ledger.read_state())
        with self.exclusive_writer():
            return None

    def is_behind_state(self, state: LedgerState) -> bool:
        """Whether the copy differs from this state of the ledger."""
        return self.doubt is not None or self.is_torn or ledger_position(state) != self.shared_position

    def _follow_to(self, state: LedgerState) -> None:
        """Apply to the copy all changes up to this state.

        Needs the write lock where there is a doubtful change.
        """
        with translate_disk_errors(self._folder):
            if self.doubt:
                self._resolve_doubt(self.doubt)
            while not self.is_torn and self.shared_position.version < state.version:
                entry = self.sharing.ledger.read_entry(self.shared_position.version + 1)
                if entry is None or entry.change is None or entry.previous_mark != self.shared_position.mark:
                    break
                self._apply_remote_change(
                    self.sharing.skolemizer.deskolemize_change(entry.change),
                    StorePosition(state.store, self.shared_position.version + 1, entry.mark),
                )
            # A change is not in the ledger, or the service was restored from a backup.
            if self.is_torn or self.shared_position != ledger_position(state):
                self._replace_copy()

    def _apply_remote_change(self, change: Change, position: StorePosition) -> None:
        """Apply to the copy a change of another instance."""
        with self._recoverable_change():
            apply_change(change, self._quads)
        self._finish_remote_change(change, position)

    def _finish_remote_change(self, change: Change | None, position: StorePosition) -> None:
        """Record a change that the copy has now, and update what depends on it; None: not known."""
        if self._inference:
            self._inference.forget()
        self._set_position(change, position)
        self._make_durable(change)
        for invalidate in self.on_external_write:
            invalidate()
        self._notify(change)

    def _set_position(self, change: Change | None, position: StorePosition) -> None:
        """Set the version of the copy, reached by a change; None where the change is unknown.

        A version without a change is an abandoned write.
        """
        if not change or not self.sharing.ledger.is_single_update(change):
            self.announced_version = position.version
        self.shared_position = position  # last, as threads that see it take the copy for up to date

    def _resolve_doubt(self, doubtful: DoubtfulChange) -> None:
        """Find out whether a doubtful change was made, and undo it in the copy if not.

        Needs the write lock.
        """
        version = self.shared_position.version + 1
        entry = (
            self.sharing.ledger.read_entry(version)
            if self.sharing.ledger.read_state().version >= version
            else None
        )
        if entry and entry.mark == doubtful.mark:
            self._finish_remote_change(
                doubtful.change, StorePosition(self.shared_position.store, version, doubtful.mark)
            )
        else:
            self._undo_in_copy(doubtful.change)
        self.doubt = None

    def _undo_in_copy(self, change: Change) -> None:
        """Undo in the copy a change that the service did not make."""
        apply_change(change.inverse, self._quads)
        if self._inference:
            self._inference.forget()
        self._make_durable(change)
        self._update_projections(Change())

    def apply(self, change: Change, checked: CheckResults = NOTHING_CHECKED) -> None:
        """Make this change with the write lock held, which is taken before the lock of the local copy."""
        with self.exclusive_writer():
            super().apply(change, checked)

    @contextmanager
    def _transaction(
        self, compute_scope: WriteScope, checked: CheckResults = NOTHING_CHECKED
    ) -> Iterator[None]:
        """Run one transaction with the write lock held.

        Raises UnstorableError where its scope is unbounded.
        """
        with self.exclusive_writer():
            if compute_scope(self._quads) is None:
                raise UnstorableError(TOO_LARGE_MESSAGE)
            position = self.shared_position
            try:
                with super()._transaction(compute_scope, checked):
                    yield
            except BaseException:  # the disk may have failed before the write was replicated
                self.is_torn = self.is_torn or not (
                    self._is_clean or self.doubt or self.shared_position != position
                )
                raise

    def _replicate(self, change: Change | None) -> None:
        """Make a change in the service, or roll it back. None for a bulk load."""
        mark = uuid.uuid4().hex
        digest = self._inference.digest if self._inference else ""
        try:
            self._check_writable(change)
            sent = self.sharing.skolemizer.skolemize_change(change) if change is not None else None
            version = self.sharing.turn.write(sent, digest, mark, self._difference_since_load)
        except UnknownOutcomeError:
            if change is not None:
                self.doubt = DoubtfulChange(mark, change)
            raise
        except StoreError as error:
            self._roll_back(change)
            if isinstance(error, RefusedError):
                self._undo_in_service()
            raise
        self._set_position(change, StorePosition(self.shared_position.store, version, mark))

    def _undo_in_service(self) -> None:
        """Undo in the service the part of a write that it made before it refused the rest."""
        try:
            self.sharing.turn.undo(self._restore_service)
        except StoreError as error:  # another instance finishes or undoes it
            raise UnknownOutcomeError from error

    def _check_writable(self, change: Change | None) -> None:
        """Raises UnstorableError for what a shared store cannot store."""
        if change is None and not self.load_stack:
            raise UnstorableError(TOO_LARGE_MESSAGE)
        new = self._quads if change is None else change.added
        created = (
            ox.Quad(graph, graph, graph, graph)
            for graph in map(ox.NamedNode, change.created if change else ())
        )
        for name in self.sharing.skolemizer.find_reserved_names(chain(new, created)):
            raise UnstorableError(f"The shared store reserves the IRI {name}. Use another one.")
        dialect = self.sharing.engine.dialect
        for quad in new:
            if not dialect.can_hold(quad):
                raise UnstorableError(f"The service of the shared store cannot store {quad.triple}.")
            if dialect.merges_equal_numbers and has_equal_number(self._quads, quad):
                raise UnstorableError(
                    "The service of the shared store cannot tell numbers of equal value apart, and there is "
                    f"another one beside that of {quad.triple}. Write only one of them, or one as a string."
                )

    def _roll_back(self, change: Change | None) -> None:
        """Undo in the copy a change that was not written."""
        if change is not None:
            self._undo_in_copy(change)
        elif self.load_stack:
            self._undo_load()
        else:
            self.is_torn = True
            self._replace_copy()

    def _make_durable(self, change: Change | None) -> None:
        """Bring a change to disk, then record the version of the copy."""
        super()._make_durable(change)
        assert self._folder
        remote_sharing.write_position_file(self._folder, self.shared_position)

    def content_store(self) -> SharedContentStore:
        """The former contents of graphs, for all instances."""
        assert self._folder
        return SharedContentStore(self._folder, self.sharing.ledger.texts)

    def describe_later(self) -> None:
        """Do nothing: descriptions are written with each change, so that other instances get them."""

    # Bulk loads.

    def bulk_load(self, source: IO[bytes], format_: ox.RdfFormat, graph: str | None) -> None:
        """Load a large file, as into any store. The write lock is held until `infer`."""
        assert self._folder
        if self.load_stack is None:
            with ExitStack() as stack:
                stack.enter_context(self.sharing.turn.begin(self._restore_service))
                with self._lock:
                    self._begin()
                # It stays until `infer`, and after a crash, for which `restore_cut_off_copy` looks.
                stack.enter_context(open_linked_copy(self._quads, self._folder, BEFORE_LOAD_FOLDER))
                self.load_stack = stack.pop_all()
        super().bulk_load(source, format_, graph)

    def infer(self) -> None:
        """Add the inferred statements, write everything loaded to the service, and release the write lock."""
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
        before = ox.Store.read_only(str(self._folder / ASIDE_FOLDER / BEFORE_LOAD_FOLDER))
        return self._skolemized_difference(before, self._quads)

    def _skolemized_difference(
        self, old: ox.Store, new: ox.Store
    ) -> tuple[Iterator[ox.Quad], Iterator[ox.Quad]]:
        """The quads removed and added between two stores, as the service stores them."""
        skolemize = self.sharing.skolemizer.skolemize
        return skolemize(quad for quad in old if quad not in new), skolemize(
            quad for quad in new if quad not in old
        )

    def _replace_copy(self) -> None:
        """Replace the content of the copy where the changes since its version are unknown."""
        with self._fresh_copy() as (fresh, state), self._recoverable_change():
            for quad in [quad for quad in self._quads if quad not in fresh]:
                self._quads.remove(quad)
            self._quads.bulk_extend(quad for quad in fresh if quad not in self._quads)
            for graph in set(self._quads.named_graphs()).difference(fresh.named_graphs()):
                self._quads.remove_graph(graph)
        self.is_torn = False
        self._finish_remote_change(None, ledger_position(state))

    def _restore_service(self, claim: WriteClaim, state: LedgerState) -> None:
        """Make the service equal to the copy, after a large write of another instance was cut off."""
        with self._lock:
            self._follow_to(state)
            with self._fresh_copy(state) as (fresh, _):
                self.sharing.ledger.send_quads(claim, *self._skolemized_difference(fresh, self._quads))
            self.sharing.ledger.abandon(claim, state)

    @contextmanager
    def _fresh_copy(self, cut_off: LedgerState | None = None) -> Iterator[tuple[ox.Store, LedgerState]]:
        """A new copy in a temporary store, and the state of the ledger for it.

        With `cut_off`, the copy does not wait for the write that is under way in that state.
        """
        assert self._folder
        place = self._folder / ASIDE_FOLDER / SHARED_COMING_FOLDER
        shutil.rmtree(place, ignore_errors=True)
        try:
            fresh = ox.Store(str(place))
            yield fresh, self.sharing.copier.copy_into(fresh, cut_off=cut_off)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def read_graph_contents(quads: ox.Store, graphs: Iterable[ox.NamedNode]) -> Contents:
    """All quads in some graphs, and those of the graphs that exist."""
    return Contents(
        {quad for graph in graphs for quad in iter_graph_quads(quads, graph)},
        find_existing_graphs(quads, graphs),
    )
