"""The quad store: an embedded Oxigraph store (RocksDB) in a folder or in memory.

Reading is in `view.StoreView`, transactions in `transactions.TransactionalStore`. `Store` adds opening,
checkpoints, and all writes of quads: a computed change (`apply`), a SPARQL Update, the replacement of graphs,
a bulk load.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Self

import pyoxigraph as ox

from ..rdf.serialization import build_quad, normalize_quads
from ..rdf.sparql_lexer import SparqlText
from .change import MAX_COMPARED_QUADS, Change, WriteScope, scope_of_graphs
from .commit import (
    NO_CHECK_RESULTS,
    CheckResults,
    ComputedGraph,
    GraphDescriber,
    build_change_update,
    build_replacement_update,
    find_rewritten_graphs,
    scope_of_change,
)
from .damage import VERIFIED_COPY_FOLDER
from .errors import translate_disk_errors
from .files import ContentStore
from .folder import open_quads, open_quads_snapshot
from .inference.inference import Inference
from .recovery import get_index_mark
from .snapshot import remove_linked_copies, take_checkpoint
from .transactions import TransactionalStore
from .update import (
    TRIAL_FOLDER_PREFIX,
    TrialRunner,
    TrialUpdate,
    UpdateTargets,
    dry_run_update,
    read_update_targets,
    run_trial_in_process,
)
from .view import to_graph_name


class Store(TransactionalStore):
    """A store of quads, in a folder or in memory, for reading and writing.

    Each write is a transaction. Methods raise StoreError when the disk fails. A graph is an IRI, or None for
    the unnamed graph.
    """

    @classmethod
    def in_memory(
        cls,
        rules: Iterable[str] = (),
        inferred: str = "urn:inferred",
        computed_graphs: Iterable[ComputedGraph] = (),
        describers: Iterable[GraphDescriber] = (),
    ) -> Self:
        """An empty store in memory; arguments as for `open`."""
        has_inference = rules or computed_graphs or describers
        inference = Inference(rules, inferred, None, computed_graphs, describers) if has_inference else None
        return cls(ox.Store(), None, inference)

    @classmethod
    def open(  # noqa: PLR0913, PLR0917 - the folder, and all computed graphs
        cls,
        folder: Path,
        rules: Iterable[str] = (),
        inferred: str = "urn:inferred",
        print_message: Callable[[str], None] = lambda _: None,
        computed_graphs: Iterable[ComputedGraph] = (),
        describers: Iterable[GraphDescriber] = (),
    ) -> Self:
        """The durable store in `folder`, created if there is none.

        The results of the `rules` are kept in the graph `inferred`. `computed_graphs` are updated before
        inference, the graphs of `describers` after it. If a crash interrupted inference or the rules have
        changed, `print_message` is called with a sentence, and inference is completed. Raises StoreError.
        """
        has_inference = rules or computed_graphs or describers
        inference = Inference(rules, inferred, folder, computed_graphs, describers) if has_inference else None
        store = cls(open_quads(folder), folder, inference)
        for prefix in (TRIAL_FOLDER_PREFIX, VERIFIED_COPY_FOLDER):
            remove_linked_copies(folder, prefix)
        if not store._is_clean:
            store.recover(print_message)
        return store

    def recover(self, print_message: Callable[[str], None]) -> None:
        """Complete or repeat inference after a write was interrupted or the rules have changed."""
        assert self._folder
        if self:  # not empty
            print_message(
                f"Running inference in {self._folder}: the last write was interrupted or rules changed ..."
            )
        with self._lock, translate_disk_errors(self._folder):
            get_index_mark(self._folder).remove()  # so that the search index is rebuilt
            if self._inference:
                self._inference.recover(self._quads)
            self._make_durable(None)

    @classmethod
    def open_read_only(cls, folder: Path) -> Self:
        """A read-only snapshot of the store in `folder`, even if a server has it open. Raises StoreError."""
        return cls(open_quads_snapshot(folder), folder)

    def update(self, text: str, base: str | None = None, targets: UpdateTargets | None = None) -> None:
        """Run a SPARQL Update atomically. Relative IRIs are resolved against `base`.

        `targets` are read from the text if they are None. Raises SyntaxError, ValueError or RuntimeError
        as `query` does, and InferenceTooLargeError, without a change, if too much follows from it.
        """
        targets = targets or read_update_targets(SparqlText(text), base)
        with self._transaction(targets.scope, is_bounded=True):
            self._quads.update(text, base_iri=base)

    def replace(self, graphs: Mapping[str | None, Iterable[ox.Triple] | None]) -> None:
        """Replace the contents of graphs in one transaction; None instead of triples drops the graph."""
        contents = {to_graph_name(graph): triples for graph, triples in graphs.items()}
        with self._transaction(scope_of_graphs(contents)):
            if not self:  # the store is empty: adding quads is faster, as no update is serialized and parsed
                self._quads.extend(
                    build_quad(triple, name) for name, triples in contents.items() for triple in triples or ()
                )
            else:
                self._quads.update(build_replacement_update(contents))

    def compute_replacement(self, graph: str | None, triples: Iterable[ox.Triple] | None) -> Change:
        """The change that replaces the content of a graph by these triples, or drops the graph (None)."""
        name = to_graph_name(graph)
        new_quads = set(normalize_quads(triples or (), name))
        old_quads = set(self._quads.quads_for_pattern(None, None, None, name))
        existing = [graph] if graph is not None and self.has_graph(graph) else []
        created = [graph] if graph is not None and triples is not None and not existing else []
        dropped = existing if triples is None else []
        return Change(
            tuple(old_quads - new_quads), tuple(new_quads - old_quads), tuple(dropped), tuple(created)
        )

    def compute_addition(self, graph: str | None, triples: Iterable[ox.Triple]) -> Change:
        """The change that adds these triples to a graph."""
        name = to_graph_name(graph)
        quads = set(normalize_quads(triples, name))
        added = tuple(quad for quad in quads if next(self._quads.quads_for_pattern(*quad), None) is None)
        return Change((), added, (), () if graph is None or self.has_graph(graph) else (graph,))

    def apply(self, change: Change, check_results: CheckResults = NO_CHECK_RESULTS) -> None:
        """Make this change in one transaction. `check_results` are known SHACL results for its data.

        Blank nodes that are new, or in rewritten graphs, get new labels. They keep their labels if the change
        only adds quads and is too large to be compared: adding them directly is twice as fast as a SPARQL
        Update. Raises InferenceTooLargeError, without a change, if too much follows from the change.
        """
        with self._lock:
            if len(change.added) > MAX_COMPARED_QUADS and change.only_adds:
                scope = WriteScope((), change.added, tuple(map(ox.NamedNode, change.created)))
                with self._transaction(scope, check_results):
                    self._quads.extend(change.added)
                return
            rewritten_graphs = find_rewritten_graphs(
                self._quads, change, [self._inference.graph] if self._inference else []
            )
            scope = scope_of_change(change, rewritten_graphs)
            with self._transaction(scope, check_results, is_bounded=True):
                self._quads.update(build_change_update(self._quads, change, rewritten_graphs))

    def dry_run(
        self,
        text: str,
        base: str | None = None,
        targets: UpdateTargets | None = None,
        run: TrialRunner = run_trial_in_process,
    ) -> Change | None:
        """The change that an update would make, computed on a copy; None if it is too large to compare.

        Arguments and errors are those of `update`. `run` evaluates updates other than INSERT DATA and DELETE
        DATA. New blank nodes in the change have unique labels.
        """
        update = TrialUpdate(text, base, targets or read_update_targets(SparqlText(text), base))
        with self._lock, translate_disk_errors(self._folder):
            return dry_run_update(self._quads, self._folder, update, run)

    def bulk_load(self, source: IO[bytes], format_: ox.RdfFormat, graph: str | None) -> None:
        """Load a large file atomically, without inference: call `infer` after the last file.

        All triples are loaded into `graph`. If it is None, a dataset format keeps its graphs, and a graph
        format is loaded into the unnamed graph. Blank nodes get new labels. Raises SyntaxError with line and
        column if the file does not parse.
        """
        with self._lock, translate_disk_errors(self._folder), self._recoverable_change():
            if graph is not None and format_.supports_datasets:
                name = to_graph_name(graph)
                quads = ox.parse(source, format_, rename_blank_nodes=True)
                self._quads.bulk_extend(build_quad(quad.triple, name) for quad in quads)
            else:
                # In one call: two threads with half of the file each would be twice as fast, but a crash
                # could leave one half.
                self._quads.bulk_load(source, format_, to_graph=to_graph_name(graph))
            self._notify(None)

    def infer(self) -> None:
        """Infer from the bulk loaded quads, and sync all quads to disk."""
        with self._lock, translate_disk_errors(self._folder):
            if self._inference:
                self._inference.mark_dirty(self._quads)
                self._inference.infer_added(self._quads)
                self._undescribed.clear()
            self._replicate(None)
            self._make_durable(None)
            self._notify(None)

    def content_store(self) -> ContentStore:
        """The store of the contents of graph versions."""
        return ContentStore(self._folder)

    def copy_to(self, folder: Path) -> None:
        """Copy the quads to a new folder on the same file system, by hard links; the caller removes it."""
        with self._lock, translate_disk_errors(self._folder):
            self._quads.backup(str(folder))

    def make_checkpoint(self) -> int:
        """Make a checkpoint in the `aside` folder, which must not have one. Returns its number of quads.

        Writes continue while the quads are counted.
        """
        assert self._folder
        with translate_disk_errors(self._folder):
            with self._lock:
                self.flush_descriptions()
                count_quads = take_checkpoint(self._quads, self._folder)
            return count_quads()
