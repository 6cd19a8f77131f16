"""A copy of the quads of a store, to be changed at will."""

import shutil
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph as ox

from ..backup.swap import ASIDE

PLACE = "inference"  # below aside, of a copy on disk
IN_MEMORY = 500_000  # quads; about 240 MB


@contextmanager
def scratch(quads: ox.Store, without: Set[ox.NamedNode], folder: Path | None) -> Iterator[ox.Store]:
    """A copy of all quads but those of some graphs, to be changed at will and gone afterwards.

    Rules run several times faster in memory; a store that is too large for that is copied as a checkpoint on
    disk.
    """
    if folder is None or len(quads) <= IN_MEMORY:
        copy = ox.Store()
        copy.extend(one for one in quads if one.graph_name not in without)
        yield copy
        return
    place = folder / ASIDE / PLACE
    shutil.rmtree(place, ignore_errors=True)
    quads.backup(str(place))
    try:
        copy = ox.Store(place)
        for one in without:
            copy.remove_graph(one)
        yield copy
    finally:
        shutil.rmtree(place, ignore_errors=True)
