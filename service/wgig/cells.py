"""How many papers there are by what they are counted by, and how many measure by which criterion.

They are counted from a copy when somebody asks first, and again after a write that is too large to be told;
otherwise only the papers are looked at that a write touches.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from itertools import chain

import pyoxigraph as ox

from .backup.swap import ASIDE
from .lookup import rows
from .problems import Problem
from .sides import Cell, Moment, Nodes, Side, cells, touched
from .store import Store
from .turns import Turns
from .view import View
from .writes.changes import Change

COPY = "cells-copy"
WAITING, PATIENCE = 256, 20  # requests, and seconds, while they are counted
MOST = 1_000  # texts that are looked at one by one


class Cells:
    """The papers of each cell of a side, those made up as examples left out."""

    def __init__(self, store: Store, base: str, side: str) -> None:
        """Nothing is counted before it is needed."""
        self.store, self.side = store, Side(side, base)
        self.turns = Turns(at_once=1, waiting=WAITING, patience=PATIENCE)
        self.found: Counter[Cell] | None = None
        self.missed: Change | None = None  # what was written while they are being counted, as far as is known
        self.coming: asyncio.Task[Counter[Cell]] | None = None

    async def papers(self) -> Counter[Cell]:
        """How many papers each cell has that has any. Raises Problem 503 where counting takes long."""
        return self.found if self.found is not None else await self.turns.run(self.count)

    async def soon(self, seconds: float) -> Counter[Cell] | None:
        """The same if it is known within so many seconds, else None; it goes on being counted."""
        if self.found is None:
            if self.coming is None or self.coming.done():
                self.coming = asyncio.create_task(self.papers())
                # Where nobody waits any more, nobody hears of what went wrong: the next one begins anew.
                self.coming.add_done_callback(lambda one: one.cancelled() or one.exception())
            with suppress(Problem, TimeoutError):
                return await asyncio.wait_for(asyncio.shield(self.coming), seconds)
        return self.found

    def follow(self, change: Change | None) -> None:
        """Take in what a write changed, while nobody else writes."""
        if self.missed is not None:
            self.missed = None if change is None else self.missed.then(change)
        elif change is None:
            self.found = None
        elif self.found is not None:
            self.found = after(self.found, self.store, change, self.side)

    def count(self) -> Counter[Cell]:
        """The papers of each cell, counted anew, with what was written meanwhile."""
        while self.found is None:
            with self.copy() as view:
                found = counted(view, self.side)
            with self.store.alone():
                missed, self.missed = self.missed, None
                if missed is not None:
                    self.found = after(found, self.store, missed, self.side)
        return self.found

    @contextmanager
    def copy(self) -> Iterator[View]:
        """The store as it is now, aside; one in memory itself, which nobody writes meanwhile."""
        folder = self.store.folder and self.store.folder / ASIDE / f"{COPY}-{self.side.name}"
        with ExitStack() as stack:
            lock = stack.enter_context(ExitStack())
            lock.enter_context(self.store.alone())
            if self.follow not in self.store.followers:
                self.store.followers.append(self.follow)
            self.missed = Change()
            if folder is None:
                yield self.store
                return
            shutil.rmtree(folder, ignore_errors=True)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            folder.parent.mkdir(exist_ok=True)
            self.store.checkpoint(folder)
            lock.close()
            yield View(ox.Store.read_only(str(folder)))


def counted(view: View, side: Side) -> Counter[Cell]:
    """The papers of each cell, counted from all of them."""
    names = ("value", "criterion", "verdict")
    return Counter(
        {
            tuple(side.key(row[one]) for one in names if one in row): int(row["papers"].value)
            for row in rows(view, side.query())
        }
    )


def after(found: Counter[Cell], view: View, change: Change, side: Side) -> Counter[Cell] | None:
    """The papers of each cell after a change, which is done already; None where it touches many texts."""
    by = difference(view, change, side)
    return None if by is None else moved(found, by)


def moved(found: Counter[Cell], by: Counter[Cell]) -> Counter[Cell]:
    """The papers of each cell where there are by so many more of some."""
    now = found.copy()
    for cell, more in by.items():
        now[cell] += more
        if not now[cell]:
            del now[cell]
    return now


def difference(view: View, change: Change, side: Side) -> Counter[Cell] | None:
    """By how many papers more a change leaves each cell that it touches; None where it touches many."""
    told = Change(tuple(filter(side.tells, change.removed)), tuple(filter(side.tells, change.added)))
    match = cache(lambda *pattern: tuple(view.match(*pattern)))  # both moments ask for the same
    before, now = Moment(match, told), Moment(match)
    texts: Nodes = set()
    for one in chain(told.removed, told.added):
        texts |= touched(one, side, (before, now))
        if len(texts) > MOST:
            return None
    by = Counter[Cell]()
    for text in texts:
        by.update(cells(text, now, side))
        by.subtract(cells(text, before, side))
    return by
