"""Keep the log of versions in line with the store: write by write, and by a look at all where that is due.

A look is due where the store may have been written by others since: at the first start, after `wgig load`,
a restore or a crash, and after a write that is too large to be told. What tells is the mark that is left anew
by each write of a store that infers; other stores are looked at whenever the service starts.

What others were told is never taken back. A restore is told as the changes that it makes, and a log that
cannot be gone on with gives way to a new one, whose pages have other addresses.
"""

import asyncio
import logging
import shutil
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as ox
from anyio.to_thread import run_sync

from ...problems import Problem
from ...rdf.namespaces import OUTSIDE, graphs
from ..change import Change
from ..errors import StoreError, translate_disk_errors
from ..files import ASIDE
from ..history import AT, BY, CURRENT
from ..recovery import settling
from ..store import Store
from ..view import rows
from .log import Log, State, UnusableError
from .rescan import Node, look_aside, look_through, named, states_of_things, subject

NAME, COPY = "changes.sqlite", "changes-copy"
PATIENCE = 20  # seconds until a client is asked to come again

TIMES = f"""
SELECT ?graph (MAX(?at) AS ?since) {{
  {{ GRAPH <%(base)sgraph/history> {{ ?graph <{CURRENT.value}>/<{BY.value}>/<{AT.value}> ?at }} }}
  UNION {{ GRAPH <%(base)sgraph/catalog> {{ ?graph <{OUTSIDE["dcterms"]}modified> ?at }} }}
  FILTER (DATATYPE(?at) = <{OUTSIDE["xsd"]}dateTime>)
}} GROUP BY ?graph"""

Said = Callable[[Node], Iterable[ox.Quad]]

log = logging.getLogger("wgig")


class Stream:
    """The versions of the things of a store, from the start on."""

    def __init__(self, store: Store, base: str) -> None:
        """Nothing is followed until the start."""
        self.store, self.base = store, base
        # Of graphs that are computed: things that all others lead to have long lists of them there.
        self.apart = {*graphs(base), ox.NamedNode(f"{base}graph/inferred")}
        self.lock = threading.Lock()
        self.opened: Log | None = None
        self.due = True
        self.missed: set[Node] | None = None  # what was written during a look
        self.looking: Future[None] | None = None
        self.thread: ThreadPoolExecutor | None = None

    @property
    def log(self) -> Log:
        """The log, once it was started."""
        assert self.opened is not None
        return self.opened

    def start(self) -> Log:
        """Open the log, and have it follow each write from now on. Raises StoreError."""
        with self.lock:
            if self.opened is None:
                self.opened = self.open(self.store.folder and self.store.folder / ASIDE / NAME)
                with self.store.alone():
                    mark = self.opened.about("mark")
                    self.due = not mark or mark != self.mark()
                    self.store.followers.append(self.follow)
            return self.opened

    def open(self, path: Path | None) -> Log:
        """The log, or a new one in the place of one that cannot be gone on with. Raises StoreError."""
        try:
            return Log(path, self.base)
        except UnusableError as error:
            log.error("%s A new one begins.", error)
            return self.anew(path)

    def anew(self, path: Path | None) -> Log:
        """A new log in the place of what is there. Raises StoreError."""
        for one in path.parent.glob(f"{NAME}*") if path else ():
            one.unlink()
        return Log(path, self.base)

    @property
    def is_behind(self) -> bool:
        """Whether the log is not in line with the store: a look at all is due, or under way."""
        return self.due or self.missed is not None

    async def begin(self) -> None:
        """Look at all that the store holds where that is due, so that nobody has to wait for it."""
        with suppress(Problem, StoreError):  # it goes on all the same, or who asks is told
            await self.ready()

    async def ready(self, patience: float = PATIENCE) -> Log:
        """The log, in line with the store. Raises Problem 503 where that takes long; it goes on."""
        found = self.start()
        while self.is_behind or found.is_unusable:
            with self.lock:
                if self.looking is None or self.looking.done():
                    self.thread = self.thread or ThreadPoolExecutor(1, "changes")
                    self.looking = self.thread.submit(self.look)
                looking = self.looking
            done, _ = await asyncio.wait([asyncio.wrap_future(looking)], timeout=patience)
            if not done:
                raise Problem(
                    503,
                    "All that the store holds is being looked through for what has changed. Ask again.",
                    headers={"Retry-After": "30"},
                )
            looking.result()
            found = self.log
        return found

    async def whole(self) -> Log:
        """The log with the versions that were left for later. Raises Problem 503 as `ready`."""
        found = await self.ready()
        if found.later():
            await run_sync(self.catch_up)
        return found

    def mark(self) -> str:
        """What tells with which write the store is in line; empty where nothing does. Raises OSError."""
        return settling(self.store.folder) if self.store.folder else ""

    def follow(self, change: Change | None) -> None:
        """Take down what a write did, while nobody else writes. It is done, so that nothing may fail here."""
        if change is None:
            self.due = True
            return
        quads = (*change.removed, *change.added)
        things = {thing for one in quads if one.graph_name not in self.apart and (thing := subject(one))}
        described = {thing for one in quads if one.graph_name in self.apart and (thing := subject(one))}
        if self.missed is not None:
            self.missed |= things | described
        elif not self.due:
            try:
                come = defaultdict[Node | None, list[ox.Quad]](list)
                for one in change.added:
                    come[subject(one)].append(one)
                new = {one for one in things if not self.log.has(named(one, self.base).value)}
                self.take(
                    things,
                    self.moment(change),
                    described - things,
                    lambda one: come[one] if one in new else self.store.match(one),
                )
            except (OSError, StoreError) as error:
                log.error("the log of changes is behind, and will be made good: %s", error)
                self.due = True

    def take(
        self, things: Iterable[Node], at: str, later: Iterable[Node] = (), said: Said | None = None
    ) -> None:
        """Add the states of things as they are now to the log, those of others later.

        What is `said` of a thing is looked up, unless the caller knows.
        """
        states = self.states(things, at, said)
        self.log.add(states, self.mark(), (named(one, self.base).value for one in later))

    def states(self, things: Iterable[Node], at: str, said: Said | None = None) -> Iterator[State]:
        """The states of things as they are now."""
        found = states_of_things(said or self.store.match, things, self.base)
        return (State(iri, at, True, found[iri]) for iri in sorted(found))

    def catch_up(self) -> None:
        """Add what was left for later: things of which nothing but what is computed has changed."""
        with self.store.alone():
            later = [ox.NamedNode(iri) for iri in self.log.later()]
            if later and not self.is_behind:
                self.log.add_later(self.states(later, max(written(None), self.log.about("newest"))))

    def moment(self, change: Change) -> str:
        """When a write was made: as the history has it, or now."""
        home = f"{self.base}graph/history"
        on_record = (
            quad.object.value
            for quad in change.added
            if quad.predicate == AT
            and isinstance(quad.object, ox.Literal)
            and getattr(quad.graph_name, "value", "") == home
        )
        return max(written(next(on_record, None)), self.log.about("newest"))

    # What follows is done on a thread of its own.

    def look(self) -> None:
        """Look at all that the store holds, and add what is other than the log has it. Raises StoreError."""
        with translate_disk_errors(self.store.folder):
            try:
                self.log.check()
                self.compare()
            except UnusableError as error:
                log.error("%s A new one begins.", error)
                self.due = True  # before there is a new one, lest a write makes it seem in line
                self.opened = self.anew(self.log.path)
                self.compare()
                self.store.touch()

    def compare(self) -> None:
        """Add what the store has other than the log."""
        with self.copy() as copy:
            times, now = self.times(), written(None)
            if copy is None:
                look_through(self.log, self.store, times, now)
            else:
                look_aside(self.log, copy, times, now)
        with self.store.alone():
            missed, self.missed = self.missed or set(), None
            if not self.due:
                self.due = True
                self.take(missed, max(written(None), self.log.about("newest")))
                self.due = False

    def times(self) -> dict[str, str]:
        """Since when each graph is as it is, as far as the history or the catalog tells."""
        found = rows(self.store, TIMES % {"base": self.base})
        return {row["graph"].value: written(row["since"].value) for row in found if "since" in row}

    @contextmanager
    def copy(self) -> Iterator[Path | None]:
        """A copy of the store as it is now, None of one in memory: nobody writes it meanwhile.

        What others write to the store meanwhile is missed.
        """
        folder = self.store.folder and self.store.folder / ASIDE / COPY
        with ExitStack() as stack:
            lock = stack.enter_context(ExitStack())
            lock.enter_context(self.store.alone())
            self.due, self.missed = False, set()
            try:
                if folder:
                    shutil.rmtree(folder, ignore_errors=True)
                    stack.callback(shutil.rmtree, folder, ignore_errors=True)
                    self.store.checkpoint(folder)
                    lock.close()
                yield folder
            except BaseException:
                self.due, self.missed = True, None
                raise


def written(moment: str | None) -> str:
    """A moment in UTC, to the microsecond; None: now."""
    at = datetime.fromisoformat(moment) if moment else datetime.now(UTC)
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
