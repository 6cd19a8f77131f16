"""Copies of the store as it is at one moment, which share its files by hard links.

All that need one make it by `open_linked_copy`, most of them by `TransactionalStore.snapshot`, which is for
reading. Two outlive the block that made them, and are removed elsewhere: those that query workers load (kept
until no worker reads from one, `Store.copy_to`), and the checkpoint for a backup, which another process takes
away.

A checkpoint links all files beside the quads as well, so none of them may be changed in place: each is
written once or replaced. Its quads are counted by streaming rows, as an aggregate would be computed at once
and make writes wait.

A scratch copy is for inference, which changes it. It is in memory up to 500,000 quads (about 240 MB), where
rules run several times faster, and on disk above that.
"""

import io
import os
import shutil
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from ..files import PARTIAL_SUFFIX
from .files import ASIDE_FOLDER, PERMANENT_STORE_FILES
from .folder import QUADS_FOLDER

SCRATCH_COPY_FOLDER = "inference"  # below aside, of a copy on disk
MAX_IN_MEMORY_QUADS = 500_000  # quads; about 240 MB


@contextmanager
def open_linked_copy(quads: ox.Store, folder: Path, name: str) -> Iterator[Path]:
    """A copy of the quads under a name in the `aside` of a store; it is gone afterwards.

    It shares the files of the quads, none of which is changed in place, so that it may be opened for writing.
    One under this name that a crash left is replaced. Nobody may write while it is made. Raises OSError.
    """
    place = folder / ASIDE_FOLDER / name
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        quads.backup(str(place))
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def open_scratch_copy(quads: ox.Store, without: Set[ox.NamedNode], folder: Path | None) -> Iterator[ox.Store]:
    """A copy of all quads but those of some graphs, to be changed at will and gone afterwards.

    Rules run several times faster in memory; a store that is too large for that is copied as a checkpoint on
    disk.
    """
    if folder is None or len(quads) <= MAX_IN_MEMORY_QUADS:
        copy = ox.Store()
        copy.extend(one for one in quads if one.graph_name not in without)
        yield copy
        return
    with open_linked_copy(quads, folder, SCRATCH_COPY_FOLDER) as place:
        copy = ox.Store(place)
        for one in without:
            copy.remove_graph(one)
        yield copy


CHECKPOINT_FOLDER = "kept"

# A row for each quad. Rows are taken one by one from the store as it was when the query came, so that writes
# need not wait for them; an aggregate would be computed at once.
QUAD_ROWS_QUERY = "SELECT (1 AS ?one) { { ?s ?p ?o } UNION { GRAPH ?graph { ?s ?p ?o } } }"


class LineCounter(io.RawIOBase):
    """A file that keeps nothing of the lines that are written to it but their number."""

    count = 0

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Take the bytes and say how many they were."""
        self.count += bytes(data).count(b"\n")
        return len(data)


def take_checkpoint(quads: ox.Store, folder: Path) -> Callable[[], int]:
    """Keep the store in `folder`, with what is beside its quads, in a folder `kept` of its `aside`.

    Nobody may write meanwhile. A file beside the quads is never changed in place, as it is kept by a link:
    it is written once, or replaced. What is returned counts the quads that the store itself had at that
    moment, on the same thread.
    """

    def apart(where: str, names: list[str]) -> set[str]:
        unfinished = {one for one in names if one.endswith(PARTIAL_SUFFIX)}
        return unfinished | (PERMANENT_STORE_FILES | {QUADS_FOLDER} if Path(where) == folder else set())

    place = folder / ASIDE_FOLDER / CHECKPOINT_FOLDER
    shutil.copytree(folder, place, copy_function=link_file, ignore=apart)
    quads.backup(str(place / QUADS_FOLDER))
    rows = quads.query(QUAD_ROWS_QUERY)
    assert isinstance(rows, ox.QuerySolutions)

    def count() -> int:
        lines = LineCounter()
        with io.BufferedWriter(lines) as file:
            rows.serialize(file, ox.QueryResultsFormat.CSV)
        return lines.count - 1  # the first one is the head

    return count


def link_file(source: str, target: str) -> None:
    """Another name for a file, unless it was a passing one."""
    with suppress(FileNotFoundError):
        os.link(source, target)
