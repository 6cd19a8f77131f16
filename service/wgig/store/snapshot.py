"""Copies of the store at a point in time, which share its files by hard links.

Most copies are for reading, and are made by `TransactionalStore.snapshot` with `open_linked_copy`. Two others
outlive the block that made them, and are removed elsewhere: copies for query workers (`Store.copy_to`),
when no worker reads from them any more, and the checkpoint for a backup, which another process moves away.

A checkpoint links the other files of the store folder as well, except the change log, which is changed in
place and is copied after it. So the log may have later commits than the quads: they are replayed. The quads
are counted by streaming rows after the write lock is released; an aggregate query would count them under the
lock.

A scratch copy is for inference, which changes it. Up to 500,000 quads (about 240 MB), it is in memory, where
rules run several times faster; a larger one is on disk.
"""

import io
import os
import shutil
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from ..files import PARTIAL_SUFFIX
from .files import ASIDE_FOLDER, ENTRIES_OUTSIDE_BACKUP
from .folder import CHANGE_LOG_FILE, QUADS_FOLDER

SCRATCH_COPY_FOLDER = "inference"  # in `aside`, for a copy on disk
MAX_IN_MEMORY_QUADS = 500_000  # about 240 MB


@contextmanager
def open_linked_copy(quads: ox.Store, folder: Path, name: str) -> Iterator[Path]:
    """The folder of a linked copy of the quads, `name` in the `aside` folder. The copy is removed afterwards.

    The copy shares the engine's files, which are never changed in place, so it may be opened for writing. A
    copy of this name that a crash left is replaced. No thread may write while the copy is made. Raises
    OSError.
    """
    copy_folder = folder / ASIDE_FOLDER / name
    shutil.rmtree(copy_folder, ignore_errors=True)
    copy_folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        quads.backup(str(copy_folder))
        yield copy_folder
    finally:
        shutil.rmtree(copy_folder, ignore_errors=True)


def remove_linked_copies(folder: Path, prefix: str) -> None:
    """Remove the linked copies whose names begin with `prefix`, such as those that a crash left."""
    for copy_folder in (folder / ASIDE_FOLDER).glob(f"{prefix}*"):
        shutil.rmtree(copy_folder, ignore_errors=True)


@contextmanager
def open_scratch_copy(
    quads: ox.Store, excluded_graphs: Set[ox.NamedNode], folder: Path | None
) -> Iterator[ox.Store]:
    """A temporary copy of all quads except those of `excluded_graphs`. It may be changed.

    It is in memory, or a linked copy on disk for a large store.
    """
    if folder is None or next(islice(quads, MAX_IN_MEMORY_QUADS, None), None) is None:
        copy = ox.Store()
        copy.extend(quad for quad in quads if quad.graph_name not in excluded_graphs)
        yield copy
        return
    with open_linked_copy(quads, folder, SCRATCH_COPY_FOLDER) as copy_folder:
        copy = ox.Store(copy_folder)
        for graph in excluded_graphs:
            copy.remove_graph(graph)
        yield copy


CHECKPOINT_FOLDER = "kept"  # in `aside`

# A row for each quad. Rows are read lazily, from the state of the store when the query began, so that writes
# need not wait. An aggregate would be computed when the query begins.
QUAD_ROWS_QUERY = "SELECT (1 AS ?one) { { ?s ?p ?o } UNION { GRAPH ?graph { ?s ?p ?o } } }"


class LineCounter(io.RawIOBase):
    """A writable file that only counts the lines written to it."""

    count = 0

    def writable(self) -> bool:
        """Always True."""
        return True

    def write(self, data: Any) -> int:
        """Count the lines of the data. Returns its length in bytes."""
        self.count += bytes(data).count(b"\n")
        return len(data)


def take_checkpoint(quads: ox.Store, folder: Path) -> Callable[[], int]:
    """Make a checkpoint of the store in `folder`, except its change log, as `kept` in its `aside`.

    No thread may write meanwhile. Files are hard-linked, so none of them may be changed in place. Returns a
    function that counts the quads of the checkpoint; call it on the same thread.
    """

    def ignore_files(parent: str, names: list[str]) -> set[str]:
        partial_files = {name for name in names if name.endswith(PARTIAL_SUFFIX)}
        log_files = {name for name in names if name.startswith(CHANGE_LOG_FILE)}  # is changed in place
        left_out = ENTRIES_OUTSIDE_BACKUP | {QUADS_FOLDER} | log_files
        return partial_files | (left_out if Path(parent) == folder else set())

    checkpoint = folder / ASIDE_FOLDER / CHECKPOINT_FOLDER
    shutil.copytree(folder, checkpoint, copy_function=link_file, ignore=ignore_files)
    quads.backup(str(checkpoint / QUADS_FOLDER))
    rows = quads.query(QUAD_ROWS_QUERY)
    assert isinstance(rows, ox.QuerySolutions)

    def count_quads() -> int:
        lines = LineCounter()
        with io.BufferedWriter(lines) as file:
            rows.serialize(file, ox.QueryResultsFormat.CSV)
        return lines.count - 1  # without the header line

    return count_quads


def link_file(source: str, target: str) -> None:
    """Hard-link a file, unless it has been removed meanwhile."""
    with suppress(FileNotFoundError):
        os.link(source, target)
