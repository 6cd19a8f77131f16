"""The one door to the data: an embedded Oxigraph store in a folder."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import reduce
from pathlib import Path
from typing import IO, Self

import pyoxigraph as ox

from .backup.checkpoint import checkpoint
from .durable import sync
from .index import mark
from .inference import Computed, Describing, Inference
from .opening import StoreError, open_quads, open_snapshot, spoken, sync_log
from .quiet import Quiet
from .rdf import quad, stored
from .view import Dataset, View, graph_name
from .writes.changes import MOST, Change, Look, Seen, between, in_graphs
from .writes.commit import look_at, replacement, to_be_written_anew, update_of
from .writes.targets import reach
from .writes.trial import Asked, Run, here, tidy, tried

__all__ = ["Dataset", "Store", "StoreError"]

PAUSE, LONGEST = 0.2, 2.0  # seconds until what was written is described, where nobody waits for it
LONG_LOG = 10_000  # quads; reading the log takes the next start 0.3 s then


class Store(View):
    """A store of quads, in a folder or in memory, to read and write.

    Each write is whole or does not happen, is on disk when it returns, and is followed by inference. Methods
    raise StoreError when the disk fails.

    `version` counts the writes since the opening. `heard` is called with each Change before the write returns
    and while nobody else writes; with None where it is not known, so that a copy must be taken anew. Before
    it, so are the `followers`, which keep something beside the store in line; they are called with an empty
    change where a write turned out to be none.
    """

    def __init__(
        self, quads: ox.Store, folder: Path | None = None, inference: Inference | None = None
    ) -> None:
        """Take the engine's store, its folder (None: in memory), and the inference over it."""
        super().__init__(quads, folder)
        self._inference = inference
        self._lock = threading.RLock()
        self._logged = 0  # quads since the last flush
        self._log = 0  # the number of the file to which the engine writes
        self._settled = inference is None or not inference.due
        self._behind = list[Change | None]()  # changes that are not described yet
        self._quiet: Quiet | None = None
        self.heard: Callable[[Change | None], None] = lambda _: None
        self.followers: list[Callable[[Change | None], None]] = []
        self.version = 0

    @classmethod
    def in_memory(
        cls,
        rules: Iterable[str] = (),
        inferred: str = "urn:inferred",
        first: Iterable[Computed] = (),
        last: Iterable[Describing] = (),
    ) -> Self:
        """An empty store that is gone with the process."""
        computes = rules or first or last
        return cls(ox.Store(), None, Inference(rules, inferred, None, first, last) if computes else None)

    @classmethod
    def open(  # noqa: PLR0913 - where the store is, and what is computed
        cls,
        folder: Path,
        rules: Iterable[str] = (),
        inferred: str = "urn:inferred",
        say: Callable[[str], None] = lambda _: None,
        first: Iterable[Computed] = (),
        *,
        last: Iterable[Describing] = (),
    ) -> Self:
        """The durable store in `folder`, made when there is none.

        What follows by the `rules` is in graph `inferred`; what is computed `first` and `last` is kept in
        line as well. Where that was cut off it is made good, and `say` is told of it. Raises StoreError.
        """
        computes = rules or first or last
        inference = Inference(rules, inferred, folder, first, last) if computes else None
        store = cls(open_quads(folder), folder, inference)
        tidy(folder)
        if not store._settled:
            if store:
                say(f"Inferring what follows in {folder}: the last write was cut off, or rules are new ...")
            with store._lock, spoken(folder):
                mark.remove(folder)
                if inference:
                    inference.make_good(store._quads)
                store._settle(None)
        return store

    @classmethod
    def snapshot(cls, folder: Path) -> Self:
        """The store in `folder` as it is now, to read only, also beside a server. Raises StoreError."""
        return cls(open_snapshot(folder), folder)

    def describe_later(self) -> None:
        """Let no write wait until it is described; that is done when no more come, or by `catch_up`."""
        self._quiet = Quiet(self.catch_up, PAUSE, LONGEST)

    def catch_up(self) -> None:
        """Have all described that was written. Where it is, nobody waits for a write under way."""
        if not self._behind:
            return
        with self._lock, spoken(self._folder):
            if self._behind:
                self._tell(self._describe())

    def update(self, text: str, base: str | None = None, plain: str = "") -> None:
        """Run a SPARQL Update, all of it or nothing; relative IRIs are resolved against `base`.

        `plain` is the text before documents were put into it, which names the same graphs and is read faster.
        Raises SyntaxError, ValueError or RuntimeError as `query` does."""
        with self._writing(reach(plain or text, base)):
            self._quads.update(text, base_iri=base)

    def replace(self, graphs: Mapping[str | None, Iterable[ox.Triple] | None]) -> None:
        """Make these triples the whole content of these graphs, all at once; a graph given None goes."""
        contents = {graph_name(graph): triples for graph, triples in graphs.items()}
        with self._writing(in_graphs(contents)):
            if not self:  # the first start does not have to write all down as text, and read it
                self._quads.extend(quad(one, name) for name, those in contents.items() for one in those or ())
            else:
                self._quads.update(replacement(contents))

    def change_to(self, graph: str | None, triples: Iterable[ox.Triple] | None) -> Change:
        """What is to change for these triples to be the whole content of a graph; None: for it to go."""
        name = graph_name(graph)
        wanted = set(stored(triples or (), name))
        held = set(self._quads.quads_for_pattern(None, None, None, name))
        there = [graph] if graph is not None and self.has(graph) else []
        made = [graph] if graph is not None and triples is not None and not there else []
        dropped = there if triples is None else []
        return Change(tuple(held - wanted), tuple(wanted - held), tuple(dropped), tuple(made))

    def change_by(self, graph: str | None, triples: Iterable[ox.Triple]) -> Change:
        """What is to change for a graph to hold these triples as well."""
        name = graph_name(graph)
        new = set(stored(triples, name))
        added = tuple(one for one in new if next(self._quads.quads_for_pattern(*one), None) is None)
        return Change((), added, (), () if graph is None or self.has(graph) else (graph,))

    def apply(self, change: Change) -> None:
        """Make this change, all at once. Blank nodes that are new, or that it changes, get other names.

        They keep them where it only adds, and too much to be compared: that is twice as fast without a text.
        """
        with self._lock:
            if len(change.added) > MOST and change.only_adds:
                with self._writing(Look((), change.added, tuple(map(ox.NamedNode, change.made)))):
                    self._quads.extend(change.added)
                return
            anew = to_be_written_anew(self._quads, change, [self._inference.graph] if self._inference else [])
            with self._writing(look_at(change, anew)):
                self._quads.update(update_of(self._quads, change, anew))

    def tried(self, text: str, base: str | None = None, plain: str = "", run: Run = here) -> Change | None:
        """What an update would change, tried on a copy; None where that is too much to be told.

        It takes the same as `update`, and raises as that does; what it asks is evaluated by `run`. The blank
        nodes that it would make have names that no other has.
        """
        with self._lock, spoken(self._folder):
            return tried(self._quads, self._folder, Asked(text, base, plain or text), run)

    def bulk_load(self, source: IO[bytes], format_: ox.RdfFormat, graph: str | None) -> None:
        """Load a large file, all of it or nothing, without inference: call `infer` after the last one.

        All goes into `graph`; without one, a dataset format keeps its graphs and a graph format goes into the
        unnamed graph. Blank nodes are renamed apart. Raises SyntaxError with line and column.
        """
        with self._lock, spoken(self._folder), self._changing():
            if graph is not None and format_.supports_datasets:
                name = graph_name(graph)
                parsed = ox.parse(source, format_, rename_blank_nodes=True)
                self._quads.bulk_extend(quad(one.triple, name) for one in parsed)
            else:
                # In one call: halves on two threads would be twice as fast, but a crash could leave one.
                self._quads.bulk_load(source, format_, to_graph=graph_name(graph))
            self._tell(None)

    def infer(self) -> None:
        """Add what follows by the rules from what was bulk loaded, and bring all of it to disk."""
        with self._lock, spoken(self._folder):
            if self._inference:
                self._inference.unsettle(self._quads)
                self._inference.grow(self._quads)
                self._behind.clear()
            self._settle(None)
            self._tell(None)

    def checkpoint(self, folder: Path) -> None:
        """Copy the store as it is now to a new folder on the same disk, in little time and space."""
        with self._lock, spoken(self._folder):
            self._quads.backup(str(folder))

    def keep(self) -> int:
        """Keep all there is now in a folder aside, which must not be there; returns how many quads that is.

        Others write on while these are counted.
        """
        assert self._folder
        with spoken(self._folder):
            with self._lock:
                self.catch_up()
                count = checkpoint(self._quads, self._folder)
            return count()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Around a look and the write that depends on it: nobody else writes meanwhile."""
        with self._lock:
            yield

    def end(self, seconds: float) -> bool:
        """Let no write begin any more; whether the one under way was over within so many seconds.

        The process may end then: a write that was not over is as if it never began.
        """
        over = self._lock.acquire(timeout=seconds)
        if over and self._behind:
            with suppress(OSError):  # it is made good at the next opening
                self._tell(self._describe())
        return over

    @contextmanager
    def _writing(self, look: Look) -> Iterator[None]:
        """Around one transaction: nobody else writes, inference follows, all is on disk at the end.

        The look sees all that the transaction may touch.
        """
        with self._lock, spoken(self._folder):
            before = look(self._quads)
            with self._changing(look, before) as settled:
                yield
            after = look(self._quads) if settled and before else None
            change = between(before, after) if before and after else None
            if change is None or change:
                change = self._follow(change)
                self._settle(change)
                self._tell(change)
            else:
                self._mark()
                self._lead(Change())

    @contextmanager
    def _changing(self, look: Look | None = None, before: Seen | None = None) -> Iterator[bool]:
        """Around a change: a crash is known at the next opening, a refused change leaves no trace.

        What the change may touch, and what was there, is noted for that. Yields whether all was in line. What
        the disk says (OSError) may come after the change: then it counts as one that was cut off.
        """
        marked = self._folder is not None and mark.remove(self._folder)
        if self._inference:
            self._inference.unsettle(self._quads, look, before)
        elif marked and self._folder:
            sync(self._folder)  # with inference, it is that which brings this to disk
        settled, self._settled = self._settled, False
        try:
            yield settled
        except Exception as error:
            if settled and not isinstance(error, OSError):
                self._mark()
                self._lead(Change())
            raise

    def _follow(self, change: Change | None) -> Change | None:
        """Bring what follows in line after a change of what is stated; the change with what followed."""
        if not self._inference:
            return change
        change = self._inference.infer(self._quads, change)
        self._behind.append(change)
        if self._quiet:
            self._quiet.happened()
            return change
        described = self._inference.describe(self._quads, change)
        self._behind.clear()
        return None if change is None else change.then(described)

    def _describe(self) -> Change:
        """Bring the description in line with what was written, on disk as well; what that changed."""
        assert self._inference
        if self._folder:
            mark.remove(self._folder)
        whole = None if None in self._behind else reduce(Change.then, filter(None, self._behind), Change())
        described = self._inference.describe(self._quads, whole)
        if self._folder:
            self._log = sync_log(self._folder, self._log)
        self._behind.clear()
        self._inference.settle_description()
        if self._settled:
            self._inference.settle()  # anew: who follows sees at the next start whether it took this in
        return described

    def _settle(self, change: Change | None) -> None:
        """Bring a change to disk, then note that stated and inferred quads agree."""
        size = LONG_LOG if change is None else len(change.removed) + len(change.added)
        self._logged += size
        if self._folder and size >= LONG_LOG:
            self._quads.flush()
        elif self._folder:
            self._log = sync_log(self._folder, self._log)
            if self._logged >= LONG_LOG:
                threading.Thread(target=self._shorten_log).start()  # nobody has to wait for it
        if self._logged >= LONG_LOG:
            self._logged = 0
        self._mark()

    def _shorten_log(self) -> None:
        """Bring the log into tables. Where that fails all is still in it, and the next write is told."""
        with suppress(OSError):
            self._quads.flush()

    def _tell(self, change: Change | None) -> None:
        """Let it be known that the data is other than before."""
        self._lead(change)
        self.version += 1
        self.heard(change)

    def _lead(self, change: Change | None) -> None:
        """Have the followers take in a change."""
        for follow in self.followers:
            follow(change)

    def _mark(self) -> None:
        """Note that all is in line, as it was or is again."""
        self._settled = True
        if self._inference:
            self._inference.settle()
            if not self._behind:
                self._inference.settle_description()
