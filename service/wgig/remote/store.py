"""The store that several instances share: the SPARQL service holds the truth, a local copy follows it.

Each write is made in the service before it returns. Reads that must see the writes of others bring the copy
up to date first. Methods raise StoreUnavailableError where the service does not answer. Former graph contents
are kept in the service too, so that all instances have the history. Numbers that differ only in spelling are
detected, as some services treat equal numbers as one term.
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
    "This changes too much of a shared store at once. Do it in smaller parts, or load it: wgig load."
)


class DoubtfulChange(NamedTuple):
    """A change of which it is not known whether the service made it, and the mark by which that is told."""

    mark: str
    change: Change


class SharedStore(Store):
    """A store of quads that instances share.

    Each write is made in the service before it returns. Before a look that must see what others wrote,
    `follow` is to be called. Methods raise StoreUnavailableError where the service does not answer.
    """

    sharing: StoreSharing
    shared_position: StorePosition
    announced_version = 0  # the last version that others may have seen half done
    doubt: DoubtfulChange | None = None
    is_torn = False  # whether the disk failed in the middle of a write
    load_stack: ExitStack | None = None

    @classmethod
    def join(
        cls,
        folder: Path,
        sharing: StoreSharing,
        inference: Inference,
        say: ProgressReporter = lambda _: None,
    ) -> Self:
        """The shared store, with a copy in `folder`, which is made or brought in line.

        What is inferred and computed is brought in line as well, in the service, where other rules were used
        there. Raises StoreError.
        """
        state = sharing.ledger.begin()
        with translate_disk_errors(folder):
            restore_cut_off_copy(folder)
            if not is_usable_copy(folder, state):
                copy_shared_store(folder, sharing, say)
        store = cls(open_quads(folder), folder, inference)
        at = remote_sharing.read_position_file(folder)
        assert at
        store.sharing, store.shared_position, store._is_clean = sharing, at, True
        remove_trial_copies(folder)
        store.follow()
        if sharing.ledger.read_state().rules_digest == inference.digest:
            store._mark_clean()
        else:
            store.finish(STARTUP_WAIT_SECONDS, say)
        return store

    def recover(self, say: ProgressReporter) -> None:
        """Bring in line what follows, as others used other rules, here and in the service, in a turn."""
        assert self._inference
        if self:
            say(f"Inferring what follows in {self._folder}: the rules are new ...")
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
        self, patience: float = WRITER_WAIT_SECONDS, say: ProgressReporter = lambda _: None
    ) -> Iterator[None]:
        """Around a look and the write that depends on it: no instance writes meanwhile.

        What others inferred by other rules is brought in line first. Raises StoreUnavailableError where
        others write for so many seconds.
        """
        with self.sharing.turn.lock:
            is_first = not self.sharing.turn.is_taken
            with self.sharing.turn.take(self._restore_service, patience), self._lock:
                if is_first:
                    self._begin(say)
                yield

    def _begin(self, say: ProgressReporter = lambda _: None) -> None:
        """Be in line with the service, also by the rules."""
        state = self.sharing.ledger.read_state()
        self._follow_to(state)
        if self._inference and state.rules_digest != self._inference.digest:
            self.recover(say)

    def finish(self, patience: float = WRITER_WAIT_SECONDS, say: ProgressReporter = lambda _: None) -> None:
        """Finish what others left unfinished. Raises StoreUnavailableError where one writes still."""
        with self.exclusive_writer(patience, say):
            return

    def follow(self) -> None:
        """Bring the copy in line with what others wrote by now."""
        with self._lock:  # who had it may have left a doubt
            if not self.doubt:
                return self._follow_to(self.sharing.ledger.read_state())
        with self.exclusive_writer():
            return None

    def is_behind_state(self, state: LedgerState) -> bool:
        """Whether the copy is to be brought in line with what the ledger says."""
        return self.doubt is not None or self.is_torn or ledger_position(state) != self.shared_position

    def _follow_to(self, state: LedgerState) -> None:
        """Do to the copy what is done in the service since; in a turn, where there is a doubt."""
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
            # Too much was written, or the service was restored.
            if self.is_torn or self.shared_position != ledger_position(state):
                self._replace_copy()

    def _apply_remote_change(self, change: Change, at: StorePosition) -> None:
        """Do to the copy what another instance did."""
        with self._recoverable_change():
            apply_change(change, self._quads)
        self._finish_remote_change(change, at)

    def _finish_remote_change(self, change: Change | None, at: StorePosition) -> None:
        """All of it is in the copy now."""
        if self._inference:
            self._inference.forget()
        self._set_position(change, at)
        self._make_durable(change)
        for forget in self.on_external_write:
            forget()
        self._notify(change)

    def _set_position(self, change: Change | None, at: StorePosition) -> None:
        """Be in line with a version, which came by a change; None where that is not known.

        As a version in which nothing changed a write was given up.
        """
        if not change or not self.sharing.ledger.is_single_update(change):
            self.announced_version = at.version
        self.shared_position = at  # last, as who sees it asks for nothing more

    def _resolve_doubt(self, doubt: DoubtfulChange) -> None:
        """Find out in a turn, as nothing is done late then, whether a write was done; else take it back."""
        number = self.shared_position.version + 1
        entry = (
            self.sharing.ledger.read_entry(number)
            if self.sharing.ledger.read_state().version >= number
            else None
        )
        if entry and entry.mark == doubt.mark:
            self._finish_remote_change(
                doubt.change, StorePosition(self.shared_position.store, number, doubt.mark)
            )
        else:
            self._undo_in_copy(doubt.change)
        self.doubt = None

    def _undo_in_copy(self, change: Change) -> None:
        """Take a change out of the copy that the service did not make."""
        apply_change(change.inverse, self._quads)
        if self._inference:
            self._inference.forget()
        self._make_durable(change)
        self._update_projections(Change())

    def apply(self, change: Change, checked: CheckResults = NOTHING_CHECKED) -> None:
        """Make this change, in a turn, which is taken before the copy is kept from others."""
        with self.exclusive_writer():
            super().apply(change, checked)

    @contextmanager
    def _transaction(self, look: WriteScope, checked: CheckResults = NOTHING_CHECKED) -> Iterator[None]:
        """Around one transaction, as of any store, in a turn. Raises UnfittingError where it is too much."""
        with self.exclusive_writer():
            if look(self._quads) is None:
                raise UnstorableError(TOO_LARGE_MESSAGE)
            at = self.shared_position
            try:
                with super()._transaction(look, checked):
                    yield
            except BaseException:  # the disk may have failed in the middle, before others got to know of it
                self.is_torn = self.is_torn or not (
                    self._is_clean or self.doubt or self.shared_position != at
                )
                raise

    def _replicate(self, change: Change | None) -> None:
        """Make a change in the service, so that it is done; or take it back."""
        by = uuid.uuid4().hex
        digest = self._inference.digest if self._inference else ""
        try:
            self._check_writable(change)
            sent = self.sharing.skolemizer.skolemize_change(change) if change is not None else None
            version = self.sharing.turn.write(sent, digest, by, self._difference_since_load)
        except UnknownOutcomeError:
            if change is not None:
                self.doubt = DoubtfulChange(by, change)
            raise
        except StoreError as error:
            self._roll_back(change)
            if isinstance(error, RefusedError):
                self._undo_in_service()
            raise
        self._set_position(change, StorePosition(self.shared_position.store, version, by))

    def _undo_in_service(self) -> None:
        """Have the service take back what it did of a write that it refused in the middle."""
        try:
            self.sharing.turn.undo(self._restore_service)
        except StoreError as error:  # others bring it to an end, in one way or the other
            raise UnknownOutcomeError from error

    def _check_writable(self, change: Change | None) -> None:
        """Raises UnstorableError for what cannot be written to a shared store."""
        if change is None and not self.load_stack:
            raise UnstorableError(TOO_LARGE_MESSAGE)
        new = self._quads if change is None else change.added
        made = (ox.Quad(one, one, one, one) for one in map(ox.NamedNode, change.created if change else ()))
        for one in self.sharing.skolemizer.find_reserved_names(chain(new, made)):
            raise UnstorableError(f"{one} means something of its own in a shared store. Take another name.")
        dialect = self.sharing.engine.dialect
        for quad in new:
            if not dialect.can_hold(quad):
                raise UnstorableError(f"The service that holds the data cannot hold {quad.triple}.")
            if dialect.merges_equal_numbers and has_equal_number(self._quads, quad):
                raise UnstorableError(
                    f"The service that holds the data takes equal numbers for one, and beside that of "
                    f"{quad.triple} there is another. Write one of them, or one as a text."
                )

    def _roll_back(self, change: Change | None) -> None:
        """Take back in the copy what was not written."""
        if change is not None:
            self._undo_in_copy(change)
        elif self.load_stack:
            self._undo_load()
        else:
            self.is_torn = True
            self._replace_copy()

    def _make_durable(self, change: Change | None) -> None:
        """Bring a change to disk, then note with which version the copy is in line."""
        super()._make_durable(change)
        assert self._folder
        remote_sharing.write_position_file(self._folder, self.shared_position)

    def content_store(self) -> SharedContentStore:
        """What graphs held before they were written, for all instances."""
        assert self._folder
        return SharedContentStore(self._folder, self.sharing.ledger.texts)

    def describe_later(self) -> None:
        """All is described with each write, so that others have it as well."""

    # Much at once.

    def bulk_load(self, source: IO[bytes], format_: ox.RdfFormat, graph: str | None) -> None:
        """Load a large file, as into any store. The turn to write is kept until `infer`."""
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
        """Add what follows from what was loaded, and make all of it known in the service."""
        with self.load_stack or ExitStack():
            try:
                super().infer()
            finally:
                self.load_stack = None

    def _undo_load(self) -> None:
        """Have the copy be as before the loading."""
        assert self._folder
        self._quads.clear()
        self._quads.bulk_extend(ox.Store.read_only(str(self._folder / ASIDE_FOLDER / BEFORE_LOAD_FOLDER)))
        self._finish_remote_change(None, self.shared_position)

    def _difference_since_load(self) -> tuple[Iterable[ox.Quad], Iterable[ox.Quad]]:
        """What went and what came since the loading began."""
        assert self._folder
        before = ox.Store.read_only(str(self._folder / ASIDE_FOLDER / BEFORE_LOAD_FOLDER))
        return self._skolemized_difference(before, self._quads)

    def _skolemized_difference(
        self, old: ox.Store, new: ox.Store
    ) -> tuple[Iterator[ox.Quad], Iterator[ox.Quad]]:
        """What went and what came from one store to the other, as the service holds it."""
        down = self.sharing.skolemizer.skolemize
        return down(one for one in old if one not in new), down(one for one in new if one not in old)

    def _replace_copy(self) -> None:
        """Bring the copy in line where it is not known what was written since."""
        with self._fresh_copy() as (fresh, state), self._recoverable_change():
            for one in [one for one in self._quads if one not in fresh]:
                self._quads.remove(one)
            self._quads.bulk_extend(one for one in fresh if one not in self._quads)
            for graph in set(self._quads.named_graphs()).difference(fresh.named_graphs()):
                self._quads.remove_graph(graph)
        self.is_torn = False
        self._finish_remote_change(None, ledger_position(state))

    def _restore_service(self, turn: WriteClaim, state: LedgerState) -> None:
        """Make the service hold what the copy does, after a large write of another that was cut off."""
        with self._lock:
            self._follow_to(state)
            with self._fresh_copy(state) as (fresh, _):
                self.sharing.ledger.send_quads(turn, *self._skolemized_difference(fresh, self._quads))
            self.sharing.ledger.abandon(turn, state)

    @contextmanager
    def _fresh_copy(self, of: LedgerState | None = None) -> Iterator[tuple[ox.Store, LedgerState]]:
        """A new copy beside, and what the ledger said of it, or of that state whatever is under way."""
        assert self._folder
        place = self._folder / ASIDE_FOLDER / SHARED_COMING_FOLDER
        shutil.rmtree(place, ignore_errors=True)
        try:
            fresh = ox.Store(str(place))
            yield fresh, self.sharing.copier.copy_into(fresh, cut_off=of)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def read_graph_contents(quads: ox.Store, graphs: Iterable[ox.NamedNode]) -> Contents:
    """All that some graphs hold."""
    return Contents(
        {one for graph in graphs for one in iter_graph_quads(quads, graph)},
        find_existing_graphs(quads, graphs),
    )
