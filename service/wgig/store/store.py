"""The quad store: an embedded Oxigraph store (RocksDB) in a folder or in memory, to read and write.

Reading is in `view.StoreView`, transactions in `transactions.TransactionalStore`. `Store` adds opening,
checkpoints, and the kinds of writes: a computed change (`apply`), a SPARQL Update, whole graphs, a bulk load.
Nothing else writes the quads.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Self

import pyoxigraph as ox

from ..rdf.serialization import build_quad, normalize_quads
from ..rdf.sparql_lexer import SparqlText
from .change import MAX_COMPARED_QUADS, Change, WriteScope, scope_of_graphs
from .commit import (
    NOTHING_CHECKED,
    CheckResults,
    ComputedGraph,
    GraphDescriber,
    build_change_update,
    build_replacement_update,
    find_rewritten_graphs,
    scope_of_change,
)
from .errors import translate_disk_errors
from .files import ContentStore
from .folder import open_quads, open_quads_snapshot
from .inference.inference import Inference
from .recovery import get_index_mark
from .snapshot import take_checkpoint
from .transactions import TransactionalStore
from .update import (
    TrialRunner,
    TrialUpdate,
    UpdateTargets,
    dry_run_update,
    read_update_targets,
    remove_trial_copies,
    run_trial_here,
)
from .view import to_graph_name


class Store(TransactionalStore):
    """A store of quads, in a folder or in memory, to read and write.

    Each write is a transaction. Methods raise StoreError when the disk fails.
    """

    @classmethod
    def in_memory(
        cls,
        rules: Iterable[str] = (),
        inferred: str = "urn:inferred",
        first: Iterable[ComputedGraph] = (),
        last: Iterable[GraphDescriber] = (),
    ) -> Self:
        """An empty store that is gone with the process."""
        computes = rules or first or last
        return cls(ox.Store(), None, Inference(rules, inferred, None, first, last) if computes else None)

    @classmethod
    def open(  # noqa: PLR0913, PLR0917 - where the store is, and what is computed
        cls,
        folder: Path,
        rules: Iterable[str] = (),
        inferred: str = "urn:inferred",
        say: Callable[[str], None] = lambda _: None,
        first: Iterable[ComputedGraph] = (),
        last: Iterable[GraphDescriber] = (),
    ) -> Self:
        """The durable store in `folder`, made when there is none.

        What follows by the `rules` is in graph `inferred`; what is computed `first` and `last` is kept in
        line as well. Where that was cut off it is made good, and `say` is told of it. Raises StoreError.
        """
        computes = rules or first or last
        inference = Inference(rules, inferred, folder, first, last) if computes else None
        store = cls(open_quads(folder), folder, inference)
        remove_trial_copies(folder)
        if not store._is_clean:
            store.recover(say)
        return store

    def recover(self, say: Callable[[str], None]) -> None:
        """Bring in line what follows, where a write was cut off or the rules are new."""
        assert self._folder
        if self:
            say(f"Inferring what follows in {self._folder}: the last write was cut off, or rules are new ...")
        with self._lock, translate_disk_errors(self._folder):
            get_index_mark(self._folder).remove()
            if self._inference:
                self._inference.recover(self._quads)
            self._make_durable(None)

    @classmethod
    def open_read_only(cls, folder: Path) -> Self:
        """The store in `folder` as it is now, to read only, also beside a server. Raises StoreError."""
        return cls(open_quads_snapshot(folder), folder)

    def update(self, text: str, base: str | None = None, targets: UpdateTargets | None = None) -> None:
        """Run a SPARQL Update, all of it or nothing; relative IRIs are resolved against `base`.

        Its targets are read from the text where they are not given. Raises SyntaxError, ValueError or
        RuntimeError as `query` does.
        """
        targets = targets or read_update_targets(SparqlText(text), base)
        with self._transaction(targets.scope):
            self._quads.update(text, base_iri=base)

    def replace(self, graphs: Mapping[str | None, Iterable[ox.Triple] | None]) -> None:
        """Make these triples the whole content of these graphs, all at once; a graph given None goes."""
        contents = {to_graph_name(graph): triples for graph, triples in graphs.items()}
        with self._transaction(scope_of_graphs(contents)):
            if not self:  # the first start does not have to write all down as text, and read it
                self._quads.extend(
                    build_quad(one, name) for name, those in contents.items() for one in those or ()
                )
            else:
                self._quads.update(build_replacement_update(contents))

    def compute_replacement(self, graph: str | None, triples: Iterable[ox.Triple] | None) -> Change:
        """What is to change for these triples to be the whole content of a graph; None: for it to go."""
        name = to_graph_name(graph)
        wanted = set(normalize_quads(triples or (), name))
        held = set(self._quads.quads_for_pattern(None, None, None, name))
        there = [graph] if graph is not None and self.has_graph(graph) else []
        made = [graph] if graph is not None and triples is not None and not there else []
        dropped = there if triples is None else []
        return Change(tuple(held - wanted), tuple(wanted - held), tuple(dropped), tuple(made))

    def compute_addition(self, graph: str | None, triples: Iterable[ox.Triple]) -> Change:
        """What is to change for a graph to hold these triples as well."""
        name = to_graph_name(graph)
        new = set(normalize_quads(triples, name))
        added = tuple(one for one in new if next(self._quads.quads_for_pattern(*one), None) is None)
        return Change((), added, (), () if graph is None or self.has_graph(graph) else (graph,))

    def apply(self, change: Change, checked: CheckResults = NOTHING_CHECKED) -> None:
        """Make this change, all at once. What was `checked` of its quads before is not looked for again.

        Blank nodes that are new, or that it changes, get other names. They keep them where it only adds, and
        too much to be compared: that is twice as fast without a text.
        """
        with self._lock:
            if len(change.added) > MAX_COMPARED_QUADS and change.only_adds:
                look = WriteScope((), change.added, tuple(map(ox.NamedNode, change.created)))
                with self._transaction(look, checked):
                    self._quads.extend(change.added)
                return
            anew = find_rewritten_graphs(
                self._quads, change, [self._inference.graph] if self._inference else []
            )
            with self._transaction(scope_of_change(change, anew), checked):
                self._quads.update(build_change_update(self._quads, change, anew))

    def dry_run(
        self,
        text: str,
        base: str | None = None,
        targets: UpdateTargets | None = None,
        run: TrialRunner = run_trial_here,
    ) -> Change | None:
        """What an update would change, tried on a copy; None where that is too much to be told.

        It takes the same as `update`, and raises as that does; what it asks is evaluated by `run`. The blank
        nodes that it would make have names that no other has.
        """
        asked = TrialUpdate(text, base, targets or read_update_targets(SparqlText(text), base))
        with self._lock, translate_disk_errors(self._folder):
            return dry_run_update(self._quads, self._folder, asked, run)

    def bulk_load(self, source: IO[bytes], format_: ox.RdfFormat, graph: str | None) -> None:
        """Load a large file, all of it or nothing, without inference: call `infer` after the last one.

        All goes into `graph`; without one, a dataset format keeps its graphs and a graph format goes into the
        unnamed graph. Blank nodes are renamed apart. Raises SyntaxError with line and column.
        """
        with self._lock, translate_disk_errors(self._folder), self._recoverable_change():
            if graph is not None and format_.supports_datasets:
                name = to_graph_name(graph)
                parsed = ox.parse(source, format_, rename_blank_nodes=True)
                self._quads.bulk_extend(build_quad(one.triple, name) for one in parsed)
            else:
                # In one call: halves on two threads would be twice as fast, but a crash could leave one.
                self._quads.bulk_load(source, format_, to_graph=to_graph_name(graph))
            self._notify(None)

    def infer(self) -> None:
        """Add what follows by the rules from what was bulk loaded, and bring all of it to disk."""
        with self._lock, translate_disk_errors(self._folder):
            if self._inference:
                self._inference.mark_dirty(self._quads)
                self._inference.infer_added(self._quads)
                self._undescribed.clear()
            self._replicate(None)
            self._make_durable(None)
            self._notify(None)

    def content_store(self) -> ContentStore:
        """What graphs held before they were written."""
        return ContentStore(self._folder)

    def copy_to(self, folder: Path) -> None:
        """Copy the quads as they are now to a new folder on the same disk, by hard links, which stays."""
        with self._lock, translate_disk_errors(self._folder):
            self._quads.backup(str(folder))

    def keep_checkpoint(self) -> int:
        """Keep all there is now in a folder aside, which must not be there; returns how many quads that is.

        Others write on while these are counted.
        """
        assert self._folder
        with translate_disk_errors(self._folder):
            with self._lock:
                self.flush_descriptions()
                count = take_checkpoint(self._quads, self._folder)
            return count()
