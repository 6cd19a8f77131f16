"""Keep the log of versions in line with the store: write by write, and by a look at all where that is due.

A look is due where the store may have been written by others since: at the first start, after `wgig load`,
a restore or a crash, and after a write that is too large to be told. What tells is the mark that is left anew
by each write of a store that infers; other stores are looked at whenever the service starts.

What others were told is never taken back. A restore is told as the changes that it makes, and a log that
cannot be gone on with gives way to a new one, whose pages have other addresses.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as ox
from anyio.to_thread import run_sync

from ...problems import Problem
from ...rdf.namespaces import DCTERMS_NAMESPACE, PROV_ENDED_AT_TIME, XSD_NAMESPACE, get_description_graphs
from ..change import Change
from ..errors import StoreError, translate_disk_errors
from ..files import ASIDE_FOLDER, remove_sqlite_file
from ..history import DCAT_HAS_CURRENT_VERSION, PROV_WAS_GENERATED_BY
from ..projection import Projection
from ..recovery import get_inference_mark
from ..store import Store
from ..view import StoreView, select_solutions
from .log import ChangeLog, ResourceState, UnusableLogError
from .rescan import Node, find_quad_subject, scan_snapshot, skolemize_node, states_of_resources

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


class ChangeLogSync(Projection):
    """Keeps the versions of the things of a store."""

    name, snapshot_name = "the log of changes", SCAN_COPY_FOLDER

    def __init__(self, store: Store, base: str) -> None:
        """Nothing is followed until the start."""
        super().__init__(store)
        self.base = base
        # Of graphs that are computed: things that all others lead to have long lists of them there.
        self.computed_graphs = {*get_description_graphs(base), ox.NamedNode(f"{base}graph/inferred")}
        self.opened_log: ChangeLog | None = None

    @property
    def log(self) -> ChangeLog:
        """The log, once it was opened."""
        assert self.opened_log is not None
        return self.opened_log

    def resume(self) -> bool:
        """Open the log; whether it has the last write of the store. Raises StoreError."""
        self.opened_log = self.open_log(
            self.store.folder and self.store.folder / ASIDE_FOLDER / CHANGE_LOG_FILE
        )
        mark = self.log.read_property("mark")
        return bool(mark) and mark == self.read_store_mark()

    def open_log(self, path: Path | None) -> ChangeLog:
        """The log, or a new one in the place of one that cannot be gone on with. Raises StoreError."""
        try:
            return ChangeLog(path, self.base)
        except UnusableLogError as error:
            log.error("%s A new one begins.", error)
            return self.create_anew(path)

    def create_anew(self, path: Path | None) -> ChangeLog:
        """A new log in the place of what is there. Raises StoreError."""
        if path:
            remove_sqlite_file(path)
        return ChangeLog(path, self.base)

    @property
    def is_current(self) -> bool:
        """Whether the log has each write of the store, and was not found to be damaged."""
        return super().is_current and not self.log.is_unusable

    async def scan_when_due(self) -> None:
        """Look at all that the store holds where that is due, so that nobody has to wait for it."""
        with suppress(Problem, StoreError):  # it goes on all the same, or who asks is told
            await self.get_current_log()

    async def get_current_log(self, patience: float = CHANGE_LOG_WAIT_SECONDS) -> ChangeLog:
        """The log, in line with the store. Raises Problem 503 where that takes long; it goes on."""
        self.open()
        while not self.is_current:
            looking = asyncio.wrap_future(self.start_build())
            done, _ = await asyncio.wait([looking], timeout=patience)
            if not done:
                raise Problem(
                    503,
                    "All that the store holds is being looked through for what has changed. Ask again.",
                    headers={"Retry-After": "30"},
                )
            looking.result()
        return self.log

    async def get_complete_log(self) -> ChangeLog:
        """The log with the versions that were left for later. Raises Problem 503 as `get_current_log`."""
        found = await self.get_current_log()
        if found.list_postponed():
            await run_sync(self.add_postponed)
        return found

    def read_store_mark(self) -> str:
        """What tells with which write the store is in line; empty where nothing does. Raises OSError."""
        return get_inference_mark(self.store.folder).read() if self.store.folder else ""

    def apply(self, change: Change) -> bool:
        """Take down what a write did."""
        quads = (*change.removed, *change.added)
        things = {
            thing
            for quad in quads
            if quad.graph_name not in self.computed_graphs and (thing := find_quad_subject(quad))
        }
        described = {
            thing
            for quad in quads
            if quad.graph_name in self.computed_graphs and (thing := find_quad_subject(quad))
        }
        come = defaultdict[Node | None, list[ox.Quad]](list)
        for quad in change.added:
            come[find_quad_subject(quad)].append(quad)
        new = {thing for thing in things if not self.log.has(skolemize_node(thing, self.base).value)}
        self.add_states(
            things,
            self.time_of_write(change),
            described - things,
            lambda thing: come[thing] if thing in new else self.store.match(thing),
        )
        return True

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
            if later and self.is_current:
                self.log.add_postponed(
                    self.current_states(
                        later, max(format_utc_microseconds(None), self.log.read_property("newest"))
                    )
                )

    def time_of_write(self, change: Change) -> str:
        """When a write was made, or the last of several: as the history has it, or now."""
        home = f"{self.base}graph/history"
        on_record = (
            quad.object.value
            for quad in change.added
            if quad.predicate == PROV_ENDED_AT_TIME
            and isinstance(quad.object, ox.Literal)
            and getattr(quad.graph_name, "value", "") == home
        )
        return max(format_utc_microseconds(max(on_record, default=None)), self.log.read_property("newest"))

    # What follows is done on a thread of its own.

    def rebuild(self, view: StoreView) -> None:
        """Add what the store has other than the log, by a look at all that it holds. Raises StoreError."""
        with translate_disk_errors(self.store.folder):
            try:
                self.log.check_usable()
                self.compare_store(view)
            except UnusableLogError as error:
                log.error("%s A new one begins.", error)
                self.opened_log = self.create_anew(self.log.path)
                self.compare_store(view)
                self.store.touch()

    def compare_store(self, view: StoreView) -> None:
        """Add what the view has other than the log."""
        scan_snapshot(self.log, view, self.graph_times(view), format_utc_microseconds(None))

    def graph_times(self, view: StoreView) -> dict[str, str]:
        """Since when each graph is as it is, as far as the history or the catalog tells."""
        found = select_solutions(view, GRAPH_TIMES_QUERY % {"base": self.base})
        return {
            row["graph"].value: format_utc_microseconds(row["since"].value) for row in found if "since" in row
        }


def format_utc_microseconds(moment: str | None) -> str:
    """A moment in UTC, to the microsecond; None: now."""
    at = datetime.fromisoformat(moment) if moment else datetime.now(UTC)
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
