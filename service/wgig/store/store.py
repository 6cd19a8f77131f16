"""The quad store: an embedded Oxigraph store (RocksDB) in a folder or in memory, and its change log.

Reading is in `view.StoreView`, commits in `transactions.TransactionalStore`. `Store` adds opening,
checkpoints, and all writes of quads: a computed change (`apply`), a SPARQL Update, the replacement of graphs,
a bulk load.
"""

import logging
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self, cast

import pyoxigraph as ox

from ..rdf.serialization import build_quad, normalize_quads
from ..rdf.sparql_lexer import SparqlText
from .change import Change, combine_changes
from .change_log import (
    LOAD_BEGIN_ENTRY,
    LOADED_FILE_ENTRY,
    RESET_ENTRY,
    CommitOrigin,
    NewCommit,
    SourceFile,
)
from .checkpoint import CHECKPOINT_FOLDER, count_rows, link_store_files, select_quad_rows
from .commit import NO_CHECKED_QUADS, CheckedQuads, ComputedGraph, GraphDescriber
from .damage import VERIFIED_COPY_FOLDER
from .errors import DiskFullError, translate_disk_errors
from .files import ASIDE_FOLDER, DUMPS_FOLDER, INDEX_FOLDER, RESOURCE_VERSIONS_FILE
from .folder import (
    CHANGE_LOG_FILE,
    CURRENT_LAYOUT_NUMBER,
    ENGINE_CURRENT_FILE,
    QUADS_FOLDER,
    has_quads,
    hold_opening_lock,
    open_quads,
    open_quads_snapshot,
    read_layout,
    swap_quads,
    write_layout,
)
from .inference.inference import Inference
from .position import EnginePosition
from .recovery import (
    check_engine_version,
    check_log_exists,
    check_position,
    prepare_new_engine,
    remove_obsolete_files,
    replay_log,
    upgrade_first_layout,
)
from .retention import compact_log, copy_quads, erase_content
from .sqlite import remove_sqlite_file
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
from .view import remove_snapshots, to_graph_name

if TYPE_CHECKING:
    from .history import OldContents

NEW_QUADS_FOLDER = "copied-quads"  # in `aside`, for quads that are being rewritten
# The RDF formats in which a triple in N-Triples may be before all else.
MARKED_FORMATS = (ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS, ox.RdfFormat.TURTLE, ox.RdfFormat.TRIG)
FINISHED_LOAD_TITLE = "wgig load finished"  # of the last step of a load, also if recovery took it
COMPLETE_LOAD_SETTING = "complete load"  # in the change log: its version when a load was complete

logger = logging.getLogger("wgig")


class Store(TransactionalStore):
    """A store of quads, in a folder or in memory, for reading and writing.

    Each write is a commit. Methods raise StoreError when the disk fails. A graph is an IRI, or None for
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
        inference, the graphs of `describers` after it. Commits that the engine lacks after a crash are
        replayed. If the rules have changed, derived graphs are computed again. `print_message` is called with
        a sentence about what takes long. Raises StoreError.
        """
        has_inference = rules or computed_graphs or describers
        inference = Inference(rules, inferred, folder, computed_graphs, describers) if has_inference else None
        with translate_disk_errors(folder), hold_opening_lock(folder):  # completes an interrupted restore
            is_new = not has_quads(folder)
            if is_new:
                prepare_new_engine(folder)
        store = cls(open_quads(folder), folder, inference)
        for prefix in (TRIAL_FOLDER_PREFIX, VERIFIED_COPY_FOLDER):
            remove_snapshots(folder, prefix)
        with translate_disk_errors(folder):
            store.recover(print_message, is_new=is_new)
        return store

    def recover(self, print_message: Callable[[str], None], *, is_new: bool) -> None:
        """Bring the engine to the last version of the change log, and upgrade an older layout.

        `is_new`: there were no quads, so they have to come from the log. A store with derived graphs that is
        opened without rules, such as for a backup, is left as it is until it is written to.
        """
        assert self._folder
        check_log_exists(self._folder, has_quads=bool(self))
        position = None if is_new else EnginePosition.read(self._folder)
        if position:
            check_position(position, self.log)
            check_engine_version(self._quads, self.log, position.version)
        if position and position.rules and not self._inference:
            self._skipped_recovery = position
            return
        is_old_layout = read_layout(self._folder)[0] < CURRENT_LAYOUT_NUMBER
        if is_old_layout:
            upgrade_first_layout(self._folder, self.log, print_message)
        digest = self._inference.digest if self._inference else ""
        if is_new:
            position = EnginePosition(self.log.id, 0, digest, is_described=True)
            position.write(self._folder)  # so that after a crash, it is known which rules were used
        position = position or EnginePosition(
            self.log.id, self.log.flushed_version, rules="", is_described=False
        )
        is_same_rules = position.rules == digest
        was_replayed = replay_log(
            self._quads, self.log, position, self._inference if is_same_rules else None, print_message
        )
        if self.is_loading:
            print_message(f"Finishing the interrupted load into {self._folder} ...")
            self.finish_load(FINISHED_LOAD_TITLE)
        elif not is_same_rules and self._inference and self:
            print_message(f"Running inference in {self._folder} because the rules changed ...")
            self._inference.rebuild(self._quads)
            was_replayed = True
        if self._inference and (was_replayed or not position.is_described):
            self._undescribed[:] = [None]
        if was_replayed or not is_same_rules:
            self.flush()
        if is_old_layout:
            write_layout(self._folder)
            remove_obsolete_files(self._folder)
        try:
            self.purge_quads(print_message)
        except DiskFullError as error:
            logger.warning("The quad files still contain texts of erased versions: %s", error)

    @classmethod
    def open_read_only(cls, folder: Path) -> Self:
        """A read-only snapshot of the store in `folder`, even if a server has it open. Raises StoreError."""
        return cls(open_quads_snapshot(folder), folder)

    def update(self, text: str, base: str | None = None, targets: UpdateTargets | None = None) -> None:
        """Run a SPARQL Update atomically. Relative IRIs are resolved against `base`.

        `targets` are read from the text if they are None. Raises SyntaxError, ValueError or RuntimeError
        as `query` does, and InferenceTooLargeError, without a change, if too much follows from it.
        """
        with self.exclusive_writer():
            change = self.dry_run(text, base, targets)
            if change is not None:
                derived_graphs = self._inference.graphs if self._inference else ()
                self.apply(change.without_graphs(derived_graphs))
                return
            with self._unlogged_change(CommitOrigin(title="SPARQL Update")):
                self._quads.update(text, base_iri=base)
            self.finish_load()

    def replace(self, graphs: Mapping[str | None, Iterable[ox.Triple] | None], title: str = "") -> None:
        """Replace the contents of graphs in one commit; None instead of triples drops the graph."""
        with self.exclusive_writer():
            changes = [self.compute_replacement(graph, triples) for graph, triples in graphs.items()]
            commit = NewCommit(combine_changes(changes), CommitOrigin(title=title))
            if commit.change:
                self.commit([commit], is_bounded=False)

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

    def apply(self, change: Change, checked_quads: CheckedQuads = NO_CHECKED_QUADS) -> None:
        """Make this change in one commit. `checked_quads` are known quads of computed graphs.

        The change is exact: `compute_replacement`, `compute_addition` and `dry_run` compute exact changes.
        Raises InferenceTooLargeError, without a change, if too much follows from it.
        """
        if change:
            self.commit([NewCommit(change)], checked_quads)

    def dry_run(
        self,
        text: str,
        base: str | None = None,
        targets: UpdateTargets | None = None,
        run: TrialRunner = run_trial_in_process,
    ) -> Change | None:
        """The change that an update would make, computed on a snapshot; None if it is too large to compare.

        Arguments and errors are those of `update`. `run` evaluates updates other than INSERT DATA and DELETE
        DATA. New blank nodes in the change have unique labels.
        """
        update = TrialUpdate(text, base, targets or read_update_targets(SparqlText(text), base))
        with self._lock, translate_disk_errors(self._folder):
            return dry_run_update(self, update, run)

    def bulk_load(
        self, source: IO[bytes], format_: ox.RdfFormat, graph: str | None, file: SourceFile | None = None
    ) -> None:
        """Load a large file atomically, without inference: call `finish_load` after the last file.

        All triples are loaded into `graph`. If it is None, a dataset format keeps its graphs, and a graph
        format is loaded into the unnamed graph. Blank nodes get new labels. The log records the `file`.
        Raises SyntaxError with line and column if the file does not parse.
        """
        origin = CommitOrigin(title=format_load_title(graph), files=(file,) if file else ())
        name = to_graph_name(graph)
        with self._unlogged_change(origin) as mark:
            if format_ in MARKED_FORMATS and (graph is None or not format_.supports_datasets):
                # In one call: two threads with half of the file each would be twice as fast, but a crash
                # could leave one half.
                with correct_error_line():
                    marked_file = cast("IO[bytes]", MarkedFile(mark, source))
                    self._quads.bulk_load(marked_file, format_, to_graph=name)
            else:
                quads = iter(ox.parse(source, format_, rename_blank_nodes=True))
                if graph is not None:
                    quads = (build_quad(quad.triple, name) for quad in quads)
                self._quads.bulk_extend(chain([build_quad(mark, name)], quads))

    def list_interrupted_files(self, graph: str | None) -> list[SourceFile]:
        """The files that an interrupted load has loaded into `graph`, if nothing else was written since.

        It was interrupted before `mark_load_complete`, perhaps more than once.
        """
        files, title = list[SourceFile](), format_load_title(graph)
        complete_version = int(self.log.read_setting(COMPLETE_LOAD_SETTING) or 0)
        for version in range(self.log_version, complete_version, -1):
            entry, *_ = self.log.read_entries(version - 1, limit=1)
            is_last_step = entry.kind == RESET_ENTRY and entry.origin.title == FINISHED_LOAD_TITLE
            if entry.kind == LOADED_FILE_ENTRY and entry.origin.title == title:
                files += entry.origin.files
            elif entry.kind not in {LOAD_BEGIN_ENTRY, LOADED_FILE_ENTRY} and not is_last_step:
                break
        return files

    def mark_load_complete(self) -> None:
        """Record that a load needs no repetition: if its files are loaded again, that is a new load."""
        with self._lock, self.log.lock, self.log.transaction() as connection:
            self.log.write_setting(connection, COMPLETE_LOAD_SETTING, str(self.log_version))

    @property
    def old_contents(self) -> "OldContents":
        """The contents that graphs had before: the change log has them."""
        return self.log

    def forget(self, digests: Iterable[str]) -> list[str]:
        """Erase old contents of graphs, by their SHA-256 in hexadecimal. Returns those not erased before.

        The files of the quads have their texts until `purge_quads`, which the next opening calls. All
        projections are built again, as they may have parts of the contents. Backups are not changed. Raises
        StoreError.
        """
        with self._lock, translate_disk_errors(self._folder):
            self._check_writable()
            if self._folder:
                self._sync_engine(self._folder)  # so that no erased change has to be replayed
            self.log.mark_flushed()
            erased = [digest for digest in digests if erase_content(self.log, digest)]
            if self._folder:
                shutil.rmtree(self._folder / ASIDE_FOLDER / DUMPS_FOLDER, ignore_errors=True)
            if erased:
                self._publish([None], None)
            self.log.truncate_wal()
            return erased

    def purge_quads(self, print_message: Callable[[str], None]) -> None:
        """Write the quads to new files if contents were erased since, as the engine keeps their texts.

        Nothing else may use the quads meanwhile. Interrupted, it is repeated when the store is next opened.
        Raises StoreError.
        """
        assert self._folder
        if self.log.purged_digests == self.log.erased_digests:
            return
        new_quads = self._folder / ASIDE_FOLDER / NEW_QUADS_FOLDER
        with self._lock, translate_disk_errors(self._folder):
            print_message(f"Rewriting the quads of {self._folder} without the texts of erased versions ...")
            self._sync_engine(self._folder)
            copy_quads(self._quads, new_quads)
            del self._quads  # closes the engine
            swap_quads(self._folder, new_quads)
            aside = self._folder / ASIDE_FOLDER
            for snapshot in aside.glob(f"*/{ENGINE_CURRENT_FILE}"):  # left by a crash
                shutil.rmtree(snapshot.parent)
            shutil.rmtree(aside / INDEX_FOLDER, ignore_errors=True)
            remove_sqlite_file(aside / RESOURCE_VERSIONS_FILE)
            self._quads = open_quads(self._folder)
            self.log.begin_epoch()  # so that projections on disk are built again
            self.log.mark_purged()

    def compact(self, before: datetime) -> int:
        """Remove the changes of versions before a time from the log. Returns how many. Raises StoreError."""
        with self._lock, translate_disk_errors(self._folder):
            self._check_writable()
            if self._folder:
                self._sync_engine(self._folder)  # so that no removed change has to be replayed
            last_version = self.log_version
        return compact_log(self.log, before, last_version)

    def make_checkpoint(self) -> int:
        """Make a checkpoint in the `aside` folder, which must not have one. Returns its number of quads.

        Writes continue while the quads are counted.
        """
        assert self._folder
        checkpoint = self._folder / ASIDE_FOLDER / CHECKPOINT_FOLDER
        with translate_disk_errors(self._folder):
            with self._lock:
                self.flush_descriptions()
                self.flush()
                link_store_files(self._folder, checkpoint)
                self.snapshot(f"{CHECKPOINT_FOLDER}/{QUADS_FOLDER}")
                rows = select_quad_rows(self._quads)
            self.log.copy_to(checkpoint / CHANGE_LOG_FILE)
            return count_rows(rows)


class MarkedFile:
    """A file after a line with a triple, the mark of a step of a bulk load."""

    def __init__(self, mark: ox.Triple, source: IO[bytes]) -> None:
        """Take the mark, and a file in one of MARKED_FORMATS."""
        self.first_line, self.source = f"{mark} .\n".encode(), source

    def read(self, size: int) -> bytes:
        """Some of the bytes; none at the end."""
        data, self.first_line = self.first_line[:size], self.first_line[size:]
        return data or self.source.read(size)


@contextmanager
def correct_error_line() -> Iterator[None]:
    """Correct the line number in a SyntaxError about a MarkedFile: it counts the line of the mark."""
    try:
        yield
    except SyntaxError as error:
        if error.lineno:
            position, colon, text = error.msg.partition(": ")
            error.msg = (
                re.sub(r"(?<=line )\d+", lambda match: str(int(match[0]) - 1), position) + colon + text
            )
            error.lineno -= 1
        raise


def format_load_title(graph: str | None) -> str:
    """The title of the step of a bulk load in the change log, which is the command without its files."""
    return f"wgig load --graph {graph}" if graph else "wgig load"
