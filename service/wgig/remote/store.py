"""The store that several instances share: the SPARQL service holds the truth, a local copy follows it.

Each write is made in the service before it returns. Reads that must see the writes of others bring the copy
up to date first. Methods raise UnavailableError where the service does not answer. Former graph contents are
kept in the service too, so that all instances have the history. Numbers that differ only in spelling are
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

from ..store.change import Change, Look, Seen, between, carry_out, content, there
from ..store.commit import Computed, Describing
from ..store.errors import StoreError, UnfittingError, translate_disk_errors
from ..store.files import ASIDE
from ..store.folder import PATIENCE, STARTING, open_quads
from ..store.inference.inference import Inference
from ..store.store import Store
from ..store.update import tidy
from . import sharing as remote_sharing
from .claims import Claim
from .client import RefusedError
from .dialects import has_equal
from .ledger import DoubtError, SharedVersions, State
from .sharing import BEFORE, Position, Say, Sharing, at_of, copy, is_of_use, restore

COMING = "shared-coming"
TOO_MUCH = "This changes too much of a shared store at once. Do it in smaller parts, or load it: wgig load."


class Doubt(NamedTuple):
    """A change of which it is not known whether the service made it, and the mark by which that is told."""

    by: str
    change: Change


class Shared(Store):
    """A store of quads that instances share.

    Each write is made in the service before it returns. Before a look that must see what others wrote,
    `follow` is to be called. Methods raise UnavailableError where the service does not answer.
    """

    sharing: Sharing
    at: Position
    announced = 0  # the last version that others may have seen half done
    doubt: Doubt | None = None
    is_torn = False  # whether the disk failed in the middle of a write
    loading: ExitStack | None = None

    @classmethod
    def join(  # noqa: PLR0913, PLR0917 - where the store is, and what is computed
        cls,
        folder: Path,
        sharing: Sharing,
        rules: Iterable[str] = (),
        inferred: str = "urn:inferred",
        say: Say = lambda _: None,
        first: Iterable[Computed] = (),
        last: Iterable[Describing] = (),
    ) -> Self:
        """The shared store, with a copy in `folder`, which is made or brought in line.

        What follows by the `rules` and is computed `first` and `last` is brought in line as well, in the
        service, where others rules were used there. Raises StoreError.
        """
        inference = Inference(rules, inferred, folder, first, last)
        state = sharing.ledger.begin()
        with translate_disk_errors(folder):
            restore(folder)
            if not is_of_use(folder, state):
                copy(folder, sharing, say)
        store = cls(open_quads(folder), folder, inference)
        at = remote_sharing.read(folder)
        assert at
        store.sharing, store.at, store._settled = sharing, at, True
        tidy(folder)
        store.follow()
        if sharing.ledger.read().derived == inference.digest:
            store._mark()
        else:
            store.finish(STARTING, say)
        return store

    def make_good(self, say: Say) -> None:
        """Bring in line what follows, as others used other rules, here and in the service, in a turn."""
        assert self._inference
        if self:
            say(f"Inferring what follows in {self._folder}: the rules are new ...")
        graphs = [*self._inference.graphs]
        before = seen(self._quads, graphs)
        with self._changing():
            self._inference.follow(self._quads, None)
        change = between(before, seen(self._quads, graphs))
        self._publish(change)
        self._settle(change)
        self._tell(change)

    @contextmanager
    def turn(self, patience: float = PATIENCE, say: Say = lambda _: None) -> Iterator[None]:
        """Around a look and the write that depends on it: no instance writes meanwhile.

        What others inferred by other rules is brought in line first. Raises UnavailableError where others
        write for so many seconds.
        """
        with self.sharing.turn.mine:
            is_first = not self.sharing.turn.is_taken
            with self.sharing.turn.taken(self._take_back, patience), self._lock:
                if is_first:
                    self._begin(say)
                yield

    def _begin(self, say: Say = lambda _: None) -> None:
        """Be in line with the service, also by the rules."""
        state = self.sharing.ledger.read()
        self._follow_to(state)
        if self._inference and state.derived != self._inference.digest:
            self.make_good(say)

    def finish(self, patience: float = PATIENCE, say: Say = lambda _: None) -> None:
        """Bring to its end what others left unfinished. Raises UnavailableError where one writes still."""
        with self.turn(patience, say):
            return

    def follow(self) -> None:
        """Bring the copy in line with what others wrote by now."""
        with self._lock:  # who had it may have left a doubt
            if not self.doubt:
                return self._follow_to(self.sharing.ledger.read())
        with self.turn():
            return None

    def is_behind_of(self, state: State) -> bool:
        """Whether the copy is to be brought in line with what the ledger says."""
        return self.doubt is not None or self.is_torn or at_of(state) != self.at

    def _follow_to(self, state: State) -> None:
        """Do to the copy what is done in the service since; in a turn, where there is a doubt."""
        with translate_disk_errors(self._folder):
            if self.doubt:
                self._resolve(self.doubt)
            while not self.is_torn and self.at.version < state.version:
                entry = self.sharing.ledger.read_entry(self.at.version + 1)
                if entry is None or entry.change is None or entry.after != self.at.by:
                    break
                self._take_over(
                    self.sharing.ground.loose(entry.change),
                    Position(state.store, self.at.version + 1, entry.by),
                )
            if self.is_torn or self.at != at_of(state):  # too much was written, or the service was restored
                self._copy_anew()

    def _take_over(self, change: Change, at: Position) -> None:
        """Do to the copy what another instance did."""
        with self._changing():
            carry_out(change, self._quads)
        self._overtaken(change, at)

    def _overtaken(self, change: Change | None, at: Position) -> None:
        """All of it is in the copy now."""
        if self._inference:
            self._inference.forget()
        self._arrive(change, at)
        self._settle(change)
        for forget in self.forgetting:
            forget()
        self._tell(change)

    def _arrive(self, change: Change | None, at: Position) -> None:
        """Be in line with a version, which came by a change; None where that is not known.

        As a version in which nothing changed a write was given up.
        """
        if not change or not self.sharing.ledger.is_at_once(change):
            self.announced = at.version
        self.at = at  # last, as who sees it asks for nothing more

    def _resolve(self, doubt: Doubt) -> None:
        """Find out in a turn, as nothing is done late then, whether a write was done; else take it back."""
        number = self.at.version + 1
        entry = (
            self.sharing.ledger.read_entry(number) if self.sharing.ledger.read().version >= number else None
        )
        if entry and entry.by == doubt.by:
            self._overtaken(doubt.change, Position(self.at.store, number, doubt.by))
        else:
            self._undo(doubt.change)
        self.doubt = None

    def _undo(self, change: Change) -> None:
        """Take a change out of the copy that the service did not make."""
        carry_out(change.undone, self._quads)
        if self._inference:
            self._inference.forget()
        self._settle(change)
        self._lead(Change())

    def apply(self, change: Change) -> None:
        """Make this change, in a turn, which is taken before the copy is kept from others."""
        with self.turn():
            super().apply(change)

    @contextmanager
    def _writing(self, look: Look) -> Iterator[None]:
        """Around one transaction, as of any store, in a turn. Raises UnfittingError where it is too much."""
        with self.turn():
            if look(self._quads) is None:
                raise UnfittingError(TOO_MUCH)
            at = self.at
            try:
                with super()._writing(look):
                    yield
            except BaseException:  # the disk may have failed in the middle, before others got to know of it
                self.is_torn = self.is_torn or not (self._settled or self.doubt or self.at != at)
                raise

    def _publish(self, change: Change | None) -> None:
        """Make a change in the service, so that it is done; or take it back."""
        by = uuid.uuid4().hex
        digest = self._inference.digest if self._inference else ""
        try:
            self._check(change)
            sent = self.sharing.ground.ground(change) if change is not None else None
            version = self.sharing.turn.write(sent, digest, by, self._since_before)
        except DoubtError:
            if change is not None:
                self.doubt = Doubt(by, change)
            raise
        except StoreError as error:
            self._give_up(change)
            if isinstance(error, RefusedError):
                self._undo_there()
            raise
        self._arrive(change, Position(self.at.store, version, by))

    def _undo_there(self) -> None:
        """Have the service take back what it did of a write that it refused in the middle."""
        try:
            self.sharing.turn.undo(self._take_back)
        except StoreError as error:  # others bring it to an end, in one way or the other
            raise DoubtError from error

    def _check(self, change: Change | None) -> None:
        """Raises UnfittingError for what cannot be written to a shared store."""
        if change is None and not self.loading:
            raise UnfittingError(TOO_MUCH)
        new = self._quads if change is None else change.added
        made = (ox.Quad(one, one, one, one) for one in map(ox.NamedNode, change.made if change else ()))
        for one in self.sharing.ground.reserved(chain(new, made)):
            raise UnfittingError(f"{one} means something of its own in a shared store. Take another name.")
        dialect = self.sharing.engine.dialect
        for quad in new:
            if not dialect.holds(quad):
                raise UnfittingError(f"The service that holds the data cannot hold {quad.triple}.")
            if dialect.merges and has_equal(self._quads, quad):
                raise UnfittingError(
                    f"The service that holds the data takes equal numbers for one, and beside that of "
                    f"{quad.triple} there is another. Write one of them, or one as a text."
                )

    def _give_up(self, change: Change | None) -> None:
        """Take back in the copy what was not written."""
        if change is not None:
            self._undo(change)
        elif self.loading:
            self._unload()
        else:
            self.is_torn = True
            self._copy_anew()

    def _settle(self, change: Change | None) -> None:
        """Bring a change to disk, then note with which version the copy is in line."""
        super()._settle(change)
        assert self._folder
        remote_sharing.note(self._folder, self.at)

    def versions(self) -> SharedVersions:
        """What graphs held before they were written, for all instances."""
        assert self._folder
        return SharedVersions(self._folder, self.sharing.ledger.texts)

    def describe_later(self) -> None:
        """All is described with each write, so that others have it as well."""

    # Much at once.

    def bulk_load(self, source: IO[bytes], format_: ox.RdfFormat, graph: str | None) -> None:
        """Load a large file, as into any store. The turn to write is kept until `infer`."""
        assert self._folder
        if self.loading is None:
            with ExitStack() as stack:
                stack.enter_context(self.sharing.turn.begun(self._take_back))
                with self._lock:
                    self._begin()
                before = self._folder / ASIDE / BEFORE
                shutil.rmtree(before, ignore_errors=True)
                stack.callback(shutil.rmtree, before, ignore_errors=True)
                before.parent.mkdir(exist_ok=True)
                self._quads.backup(str(before))
                self.loading = stack.pop_all()
        super().bulk_load(source, format_, graph)

    def infer(self) -> None:
        """Add what follows from what was loaded, and make all of it known in the service."""
        with self.loading or ExitStack():
            try:
                super().infer()
            finally:
                self.loading = None

    def _unload(self) -> None:
        """Have the copy be as before the loading."""
        assert self._folder
        self._quads.clear()
        self._quads.bulk_extend(ox.Store.read_only(str(self._folder / ASIDE / BEFORE)))
        self._overtaken(None, self.at)

    def _since_before(self) -> tuple[Iterable[ox.Quad], Iterable[ox.Quad]]:
        """What went and what came since the loading began."""
        assert self._folder
        before = ox.Store.read_only(str(self._folder / ASIDE / BEFORE))
        return self._between(before, self._quads)

    def _between(self, old: ox.Store, new: ox.Store) -> tuple[Iterator[ox.Quad], Iterator[ox.Quad]]:
        """What went and what came from one store to the other, as the service holds it."""
        down = self.sharing.ground.down
        return down(one for one in old if one not in new), down(one for one in new if one not in old)

    def _copy_anew(self) -> None:
        """Bring the copy in line where it is not known what was written since."""
        with self._fresh() as (fresh, state), self._changing():
            for one in [one for one in self._quads if one not in fresh]:
                self._quads.remove(one)
            self._quads.bulk_extend(one for one in fresh if one not in self._quads)
            for graph in set(self._quads.named_graphs()).difference(fresh.named_graphs()):
                self._quads.remove_graph(graph)
        self.is_torn = False
        self._overtaken(None, at_of(state))

    def _take_back(self, turn: Claim, state: State) -> None:
        """Make the service hold what the copy does, after a large write of another that was cut off."""
        with self._lock:
            self._follow_to(state)
            with self._fresh(state) as (fresh, _):
                self.sharing.ledger.send(turn, *self._between(fresh, self._quads))
            self.sharing.ledger.abandon(turn, state)

    @contextmanager
    def _fresh(self, of: State | None = None) -> Iterator[tuple[ox.Store, State]]:
        """A new copy beside, and what the ledger said of it, or of that state whatever is under way."""
        assert self._folder
        place = self._folder / ASIDE / COMING
        shutil.rmtree(place, ignore_errors=True)
        try:
            fresh = ox.Store(str(place))
            yield fresh, self.sharing.copying.into(fresh, cut_off=of)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def seen(quads: ox.Store, graphs: Iterable[ox.NamedNode]) -> Seen:
    """All that some graphs hold."""
    return Seen({one for graph in graphs for one in content(quads, graph)}, there(quads, graphs))
