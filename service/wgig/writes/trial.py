"""An update tried on a copy of the quads, to tell what it would change."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox

from ..backup.swap import ASIDE
from .changes import Change, between
from .targets import data, reach

FOLDER = "trial"
TAKEN = "trial-taken"


class Asked(NamedTuple):
    """An update, and the base of its relative IRIs. `plain` names the same graphs, and may be read faster."""

    text: str
    base: str | None
    plain: str


# Calls a function with a folder and an update, wherever that is; all of it can be pickled.
Run = Callable[[Callable[[Path, Asked], Change | None], Path, Asked], Change | None]


def here(function: Callable[[Path, Asked], Change | None], place: Path, asked: Asked) -> Change | None:
    """Call the function in this process."""
    return function(place, asked)


def tried(quads: ox.Store, folder: Path | None, asked: Asked, run: Run) -> Change | None:
    """What an update would change in the quads of a store; None where that is too much to be told.

    One that states more than data is evaluated by `run`, on a copy in a folder where the store is in one.
    Raises as the engine does for the update itself, what `run` raises, and OSError.
    """
    named = data(asked.plain, asked.base)
    if named is not None:
        return changed(named_only(quads, named), asked)
    if folder is None:
        return changed(copied(quads), asked)
    with beside(quads, folder) as place:
        return run(changed_in, place, asked)


def changed(copy: ox.Store, asked: Asked) -> Change | None:
    """What the update changes in a copy, which is of no use then."""
    look = reach(asked.plain, asked.base)
    before = look(copy)
    copy.update(asked.text, base_iri=asked.base)
    after = look(copy) if before else None
    return between(before, after) if before and after else None


def changed_in(place: Path, asked: Asked) -> Change | None:
    """What the update changes in the copy in a folder, which is taken for that: it may be tried only once."""
    return changed(ox.Store(place.rename(place.with_name(TAKEN))), asked)


def named_only(quads: ox.Store, named: Iterable[ox.Quad]) -> ox.Store:
    """A copy of these quads as far as they are there: an update that names all quads looks at no others."""
    copy = ox.Store()
    copy.extend(named)
    for name in list(copy.named_graphs()):
        if not quads.contains_named_graph(name):
            copy.remove_graph(name)
    for one in list(copy):
        if one not in quads:
            copy.remove(one)
    return copy


def copied(quads: ox.Store) -> ox.Store:
    """A copy of all quads."""
    copy = ox.Store()
    copy.extend(quads)
    for name in quads.named_graphs():
        copy.add_graph(name)
    return copy


@contextmanager
def beside(quads: ox.Store, folder: Path) -> Iterator[Path]:
    """A folder with a copy of all quads, which shares files with the store; it is gone afterwards."""
    tidy(folder)
    place = folder / ASIDE / FOLDER
    place.parent.mkdir(exist_ok=True)
    try:
        quads.backup(str(place))
        yield place
    finally:
        tidy(folder)


def tidy(folder: Path) -> None:
    """Remove the copies in the folder of a store, which a crash may have left."""
    for one in (FOLDER, TAKEN):
        shutil.rmtree(folder / ASIDE / one, ignore_errors=True)
