"""An update tried on a copy of the quads, to tell what it would change."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph as ox

from .changes import Change, between
from .swap import ASIDE
from .targets import data, reach

FOLDER = "trial"


def tried(quads: ox.Store, folder: Path | None, text: str, base: str | None, plain: str) -> Change | None:
    """What an update would change in the quads of a store; None where that is too much to be told.

    `plain` is the same text, or one that names the same graphs and is read faster. Raises as the engine does
    for the update itself, and OSError.
    """
    look, named = reach(plain, base), data(plain, base)
    with copied(quads, folder) if named is None else named_only(quads, named) as copy:
        before = look(copy)
        copy.update(text, base_iri=base)
        after = look(copy) if before else None
        return between(before, after) if before and after else None


@contextmanager
def named_only(quads: ox.Store, named: Iterable[ox.Quad]) -> Iterator[ox.Store]:
    """A copy of these quads as far as they are there: an update that names all quads looks at no others."""
    copy = ox.Store()
    copy.extend(named)
    for name in list(copy.named_graphs()):
        if not quads.contains_named_graph(name):
            copy.remove_graph(name)
    for one in list(copy):
        if one not in quads:
            copy.remove(one)
    yield copy


@contextmanager
def copied(quads: ox.Store, folder: Path | None) -> Iterator[ox.Store]:
    """A copy of the quads to be changed at will, gone afterwards; on disk it shares the store's files."""
    if folder is None:
        copy = ox.Store()
        copy.extend(quads)
        for name in quads.named_graphs():
            copy.add_graph(name)
        yield copy
        return
    place = folder / ASIDE / FOLDER
    shutil.rmtree(place, ignore_errors=True)  # a crash left it
    place.parent.mkdir(exist_ok=True)
    try:
        quads.backup(str(place))
        yield ox.Store(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
