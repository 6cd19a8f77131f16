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
from ...rdf.namespaces import DCTERMS_NAMESPACE, PROV_ENDED_AT_TIME, XSD_NAMESPACE, get_description_graphs
from ..change import Change
from ..errors import StoreError, translate_disk_errors
from ..files import ASIDE_FOLDER
from ..history import DCAT_HAS_CURRENT_VERSION, PROV_WAS_GENERATED_BY
from ..recovery import read_clean_mark
from ..store import Store
from ..view import select_solutions
from .log import ChangeLog, ResourceState, UnusableLogError
from .rescan import Node, find_quad_subject, scan_store_copy, scan_view, skolemize_node, states_of_resources

CHANGE_LOG_FILE, SCAN_COPY_FOLDER = "changes.sqlite", "changes-copy"
CHANGE_LOG_WAIT_SECONDS = 20  # seconds until a client is asked to come again

GRAPH_TIMES_QUERY = f"""
SELECT ?graph (MAX(?at) AS ?since) {{
  {{ GRAPH <%(base)sgraph/history> {{
    ?graph <{DCAT_HAS_CURRENT_VERSION.value}>/<{PROV_WAS_GENERATED_BY.value}>/<{PROV_ENDED_AT_TIME.value}> ?at
  }} }}
  UNION {{ GRAPH <%(base)sgraph/catalog> {{ ?graph <{DCTERMS_NAMESPACE}modified> ?at }} }}
  FILTER (DATATYPE(?at) = <{XSD_NAMESPACE}dateTime>)
}} GROUP BY ?graph"""

QuadsOfNode = Callable[[Node], Iterable[ox.Quad]]

log = logging.getLogger("wgig")


class ChangeLogSync:
    """The versions of the things of a store, from the start on."""

    def __init__(self, store: Store, base: str) -> None:
        """Nothing is followed until the start."""
        self.store, self.base = store, base
        # Of graphs that are computed: things that all others lead to have long lists of them there.
        self.computed_graphs = {*get_description_graphs(base), ox.NamedNode(f"{base}graph/inferred")}
        self.lock = threading.Lock()
        self.opened_log: ChangeLog | None = None
        self.is_scan_due = True
        self.missed_nodes: set[Node] | None = None  # what was written during a look
        self.running_scan: Future[None] | None = None
        self.executor: ThreadPoolExecutor | None = None

    @property
    def log(self) -> ChangeLog:
        """The log, once it was started."""
        assert self.opened_log is not None
        return self.opened_log

    def start(self) -> ChangeLog:
        """Open the log, and have it follow each write from now on. Raises StoreError."""
        with self.lock:
            if self.opened_log is None:
                self.opened_log = self.open(
                    self.store.folder and self.store.folder / ASIDE_FOLDER / CHANGE_LOG_FILE
                )
                with self.store.write_lock():
                    mark = self.opened_log.read_property("mark")
                    self.is_scan_due = not mark or mark != self.read_store_mark()
                    self.store.projections.append(self.follow)
            return self.opened_log

    def open(self, path: Path | None) -> ChangeLog:
        """The log, or a new one in the place of one that cannot be gone on with. Raises StoreError."""
        try:
            return ChangeLog(path, self.base)
        except UnusableLogError as error:
            log.error("%s A new one begins.", error)
            return self.create_anew(path)

    def create_anew(self, path: Path | None) -> ChangeLog:
        """A new log in the place of what is there. Raises StoreError."""
        for one in path.parent.glob(f"{CHANGE_LOG_FILE}*") if path else ():
            one.unlink()
        return ChangeLog(path, self.base)

    @property
    def is_behind(self) -> bool:
        """Whether the log is not in line with the store: a look at all is due, or under way."""
        return self.is_scan_due or self.missed_nodes is not None

    async def ensure_current(self) -> None:
        """Look at all that the store holds where that is due, so that nobody has to wait for it."""
        with suppress(Problem, StoreError):  # it goes on all the same, or who asks is told
            await self.get_current_log()

    async def get_current_log(self, patience: float = CHANGE_LOG_WAIT_SECONDS) -> ChangeLog:
        """The log, in line with the store. Raises Problem 503 where that takes long; it goes on."""
        found = self.start()
        while self.is_behind or found.is_unusable:
            with self.lock:
                if self.running_scan is None or self.running_scan.done():
                    self.executor = self.executor or ThreadPoolExecutor(1, "changes")
                    self.running_scan = self.executor.submit(self.scan)
                looking = self.running_scan
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

    async def get_complete_log(self) -> ChangeLog:
        """The log with the versions that were left for later. Raises Problem 503 as `get_current_log`."""
        found = await self.get_current_log()
        if found.list_postponed():
            await run_sync(self.add_postponed)
        return found

    def read_store_mark(self) -> str:
        """What tells with which write the store is in line; empty where nothing does. Raises OSError."""
        return read_clean_mark(self.store.folder) if self.store.folder else ""

    def follow(self, change: Change | None) -> None:
        """Take down what a write did, while nobody else writes. It is done, so that nothing may fail here."""
        if change is None:
            self.is_scan_due = True
            return
        quads = (*change.removed, *change.added)
        things = {
            thing
            for one in quads
            if one.graph_name not in self.computed_graphs and (thing := find_quad_subject(one))
        }
        described = {
            thing
            for one in quads
            if one.graph_name in self.computed_graphs and (thing := find_quad_subject(one))
        }
        if self.missed_nodes is not None:
            self.missed_nodes |= things | described
        elif not self.is_scan_due:
            try:
                come = defaultdict[Node | None, list[ox.Quad]](list)
                for one in change.added:
                    come[find_quad_subject(one)].append(one)
                new = {one for one in things if not self.log.has(skolemize_node(one, self.base).value)}
                self.add_states(
                    things,
                    self.time_of_write(change),
                    described - things,
                    lambda one: come[one] if one in new else self.store.match(one),
                )
            except (OSError, StoreError) as error:
                log.error("the log of changes is behind, and will be made good: %s", error)
                self.is_scan_due = True

    def add_states(
        self, things: Iterable[Node], at: str, later: Iterable[Node] = (), said: QuadsOfNode | None = None
    ) -> None:
        """Add the states of things as they are now to the log, those of others later.

        What is `said` of a thing is looked up, unless the caller knows.
        """
        states = self.current_states(things, at, said)
        self.log.add(states, self.read_store_mark(), (skolemize_node(one, self.base).value for one in later))

    def current_states(
        self, things: Iterable[Node], at: str, said: QuadsOfNode | None = None
    ) -> Iterator[ResourceState]:
        """The states of things as they are now."""
        found = states_of_resources(said or self.store.match, things, self.base)
        return (ResourceState(iri, at, True, found[iri]) for iri in sorted(found))

    def add_postponed(self) -> None:
        """Add what was left for later: things of which nothing but what is computed has changed."""
        with self.store.write_lock():
            later = [ox.NamedNode(iri) for iri in self.log.list_postponed()]
            if later and not self.is_behind:
                self.log.add_postponed(
                    self.current_states(
                        later, max(format_utc_microseconds(None), self.log.read_property("newest"))
                    )
                )

    def time_of_write(self, change: Change) -> str:
        """When a write was made: as the history has it, or now."""
        home = f"{self.base}graph/history"
        on_record = (
            quad.object.value
            for quad in change.added
            if quad.predicate == PROV_ENDED_AT_TIME
            and isinstance(quad.object, ox.Literal)
            and getattr(quad.graph_name, "value", "") == home
        )
        return max(format_utc_microseconds(next(on_record, None)), self.log.read_property("newest"))

    # What follows is done on a thread of its own.

    def scan(self) -> None:
        """Look at all that the store holds, and add what is other than the log has it. Raises StoreError."""
        with translate_disk_errors(self.store.folder):
            try:
                self.log.check_usable()
                self.compare_store()
            except UnusableLogError as error:
                log.error("%s A new one begins.", error)
                self.is_scan_due = True  # before there is a new one, lest a write makes it seem in line
                self.opened_log = self.create_anew(self.log.path)
                self.compare_store()
                self.store.touch()

    def compare_store(self) -> None:
        """Add what the store has other than the log."""
        with self.copy_store() as copy:
            times, now = self.graph_times(), format_utc_microseconds(None)
            if copy is None:
                scan_view(self.log, self.store, times, now)
            else:
                scan_store_copy(self.log, copy, times, now)
        with self.store.write_lock():
            missed, self.missed_nodes = self.missed_nodes or set(), None
            if not self.is_scan_due:
                self.is_scan_due = True
                self.add_states(missed, max(format_utc_microseconds(None), self.log.read_property("newest")))
                self.is_scan_due = False

    def graph_times(self) -> dict[str, str]:
        """Since when each graph is as it is, as far as the history or the catalog tells."""
        found = select_solutions(self.store, GRAPH_TIMES_QUERY % {"base": self.base})
        return {
            row["graph"].value: format_utc_microseconds(row["since"].value) for row in found if "since" in row
        }

    @contextmanager
    def copy_store(self) -> Iterator[Path | None]:
        """A copy of the store as it is now, None of one in memory: nobody writes it meanwhile.

        What others write to the store meanwhile is missed.
        """
        folder = self.store.folder and self.store.folder / ASIDE_FOLDER / SCAN_COPY_FOLDER
        with ExitStack() as stack:
            lock = stack.enter_context(ExitStack())
            lock.enter_context(self.store.write_lock())
            self.is_scan_due, self.missed_nodes = False, set()
            try:
                if folder:
                    shutil.rmtree(folder, ignore_errors=True)
                    stack.callback(shutil.rmtree, folder, ignore_errors=True)
                    self.store.copy_to(folder)
                    lock.close()
                yield folder
            except BaseException:
                self.is_scan_due, self.missed_nodes = True, None
                raise


def format_utc_microseconds(moment: str | None) -> str:
    """A moment in UTC, to the microsecond; None: now."""
    at = datetime.fromisoformat(moment) if moment else datetime.now(UTC)
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
