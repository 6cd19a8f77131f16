"""Keeps the change log in sync with the store: on each commit, and by a full scan if necessary.

A scan is necessary if the store may have been written without the log: at the first start, after `wgig load`,
a restore or a crash, and after a commit whose change is unknown. Each commit changes the clean mark of the
store (see `recovery`), and the log has the mark of its last commit: if the two differ, a scan is necessary. A
store without inference has no clean mark, and is scanned at each start.

Published versions are never withdrawn. A restore is logged as the changes that it makes. A log that cannot be
continued is replaced by a new one, whose pages have other URLs.
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
from ..files import ASIDE_FOLDER
from ..history import DCAT_HAS_CURRENT_VERSION, PROV_WAS_GENERATED_BY
from ..projection import Projection
from ..recovery import get_inference_mark
from ..sqlite import remove_sqlite_file
from ..store import Store
from ..view import StoreView, select_solutions
from .log import ChangeLog, ResourceState, UnusableLogError
from .rescan import Node, find_quad_subject, scan_snapshot, skolemize_node, states_of_resources

CHANGE_LOG_FILE, SCAN_COPY_FOLDER = "changes.sqlite", "changes-copy"
CHANGE_LOG_WAIT_SECONDS = 20  # until a waiting client gets a 503

GRAPH_TIMES_QUERY = f"""
SELECT ?graph (MAX(?at) AS ?since) {{
  {{ GRAPH <%(base)sgraph/history> {{
    ?graph <{DCAT_HAS_CURRENT_VERSION.value}>/<{PROV_WAS_GENERATED_BY.value}>/<{PROV_ENDED_AT_TIME.value}> ?at
  }} }}
  UNION {{ GRAPH <%(base)sgraph/catalog> {{ ?graph <{DCTERMS_NAMESPACE}modified> ?at }} }}
  FILTER (DATATYPE(?at) = <{XSD_NAMESPACE}dateTime>)
}} GROUP BY ?graph"""

QuadFinder = Callable[[Node], Iterable[ox.Quad]]

logger = logging.getLogger("wgig")


class ChangeLogSync(Projection):
    """The projection that adds new versions of resources to the change log."""

    name, snapshot_name = "the change log", SCAN_COPY_FOLDER

    def __init__(self, store: Store, base: str) -> None:
        """Take the store and its base IRI."""
        super().__init__(store)
        self.base = base
        # Resources that many others refer to have many quads in the derived graphs (descriptions and inferred
        # quads), and are slow to read. So versions with changes only in these graphs are postponed.
        self.derived_graphs = {*get_description_graphs(base), ox.NamedNode(f"{base}graph/inferred")}
        self.opened_log: ChangeLog | None = None

    @property
    def log(self) -> ChangeLog:
        """The change log. The projection must be open."""
        assert self.opened_log is not None
        return self.opened_log

    def resume(self) -> bool:
        """Open the log. Returns whether it includes the last commit of the store. Raises StoreError."""
        self.opened_log = self.open_log(
            self.store.folder and self.store.folder / ASIDE_FOLDER / CHANGE_LOG_FILE
        )
        mark = self.log.read_setting("mark")
        return bool(mark) and mark == self.read_store_mark()

    def open_log(self, path: Path | None) -> ChangeLog:
        """The log (None: in memory), or a new one if the old one cannot be continued. Raises StoreError."""
        try:
            return ChangeLog(path, self.base)
        except UnusableLogError as error:
            logger.error("%s A new one begins.", error)
            return self.replace_log_file(path)

    def replace_log_file(self, path: Path | None) -> ChangeLog:
        """A new log that replaces the file at `path`. Raises StoreError."""
        if path:
            remove_sqlite_file(path)
        return ChangeLog(path, self.base)

    @property
    def is_current(self) -> bool:
        """Whether the log includes all commits, and no error has shown that it is damaged."""
        return super().is_current and not self.log.is_unusable

    async def scan_when_due(self) -> None:
        """Scan the store if necessary, before the first request."""
        with suppress(Problem, StoreError):  # the scan continues, or the next request reports the error
            await self.get_current_log()

    async def get_current_log(self, patience: float = CHANGE_LOG_WAIT_SECONDS) -> ChangeLog:
        """The log, in sync with the store. Raises Problem 503 if a scan takes over `patience` seconds."""
        self.open()
        while not self.is_current:
            scan = asyncio.wrap_future(self.start_build())
            done, _ = await asyncio.wait([scan], timeout=patience)
            if not done:
                raise Problem(
                    503,
                    "The store is being scanned for changes. Try again later.",
                    headers={"Retry-After": "30"},
                )
            scan.result()
        return self.log

    async def get_complete_log(self) -> ChangeLog:
        """The log with all postponed versions. Raises Problem 503 as `get_current_log` does."""
        change_log = await self.get_current_log()
        if change_log.list_postponed():
            await run_sync(self.write_postponed_versions)
        return change_log

    def read_store_mark(self) -> str:
        """The clean mark of the store, which identifies its last commit; empty if none. Raises OSError."""
        return get_inference_mark(self.store.folder).read() if self.store.folder else ""

    def apply(self, change: Change) -> bool:
        """Add the resources of a change to the log. Returns True."""
        quads = (*change.removed, *change.added)
        changed_nodes = {
            node
            for quad in quads
            if quad.graph_name not in self.derived_graphs and (node := find_quad_subject(quad))
        }
        derived_nodes = {
            node
            for quad in quads
            if quad.graph_name in self.derived_graphs and (node := find_quad_subject(quad))
        }
        # A new resource has only added quads, so that it need not be read from the store.
        added_quads = defaultdict[Node | None, list[ox.Quad]](list)
        for quad in change.added:
            added_quads[find_quad_subject(quad)].append(quad)
        new_nodes = {
            node for node in changed_nodes if not self.log.has_resource(skolemize_node(node, self.base).value)
        }
        self.add_states(
            changed_nodes,
            self.time_of_write(change),
            derived_nodes - changed_nodes,
            lambda node: added_quads[node] if node in new_nodes else self.store.match(node),
        )
        return True

    def add_states(
        self,
        nodes: Iterable[Node],
        changed_at: str,
        postponed: Iterable[Node] = (),
        find_quads: QuadFinder | None = None,
    ) -> None:
        """Add the current states of resources to the log, and postpone the versions of those in `postponed`.

        `find_quads` returns the quads of a resource; by default, they are read from the store.
        """
        states = self.current_states(nodes, changed_at, find_quads)
        self.log.add(
            states, self.read_store_mark(), (skolemize_node(node, self.base).value for node in postponed)
        )

    def current_states(
        self, nodes: Iterable[Node], changed_at: str, find_quads: QuadFinder | None = None
    ) -> Iterator[ResourceState]:
        """The current states of resources, sorted by IRI."""
        states = states_of_resources(find_quads or self.store.match, nodes, self.base)
        return (ResourceState(iri, changed_at, True, states[iri]) for iri in sorted(states))

    def write_postponed_versions(self) -> None:
        """Add the postponed versions, of resources whose changes were only in derived graphs."""
        with self.store.write_lock():
            last_number = self.log.last_number
            postponed = [ox.NamedNode(iri) for iri in self.log.list_postponed()]
            if postponed and self.is_current:
                self.log.write_postponed_versions(
                    self.current_states(
                        postponed, max(format_utc_microseconds(None), self.log.read_setting("newest"))
                    )
                )
            if self.log.last_number > last_number:
                self.store.touch()  # cached responses, such as the sitemap, lack these versions

    def time_of_write(self, change: Change) -> str:
        """The time of a change: the newest time that it adds to the history, or now (UTC, ISO 8601).

        It is not before the time of the last version in the log, as times in the log must not decrease.
        """
        history_graph = f"{self.base}graph/history"
        recorded_times = (
            quad.object.value
            for quad in change.added
            if quad.predicate == PROV_ENDED_AT_TIME
            and isinstance(quad.object, ox.Literal)
            and getattr(quad.graph_name, "value", "") == history_graph
        )
        return max(
            format_utc_microseconds(max(recorded_times, default=None)), self.log.read_setting("newest")
        )

    # The following methods run on the thread that builds the projection.

    def rebuild(self, view: StoreView) -> None:
        """Scan the view, and add all differences to the log. Raises StoreError."""
        with translate_disk_errors(self.store.folder):
            try:
                self.log.check_usable()
                self.compare_store(view)
            except UnusableLogError as error:
                logger.error("%s A new one begins.", error)
                self.opened_log = self.replace_log_file(self.log.path)
                self.compare_store(view)
                self.store.touch()  # cached responses have the URLs of the old log

    def compare_store(self, view: StoreView) -> None:
        """Add all differences between the view and the log."""
        scan_snapshot(self.log, view, self.graph_times(view), format_utc_microseconds(None))

    def graph_times(self, view: StoreView) -> dict[str, str]:
        """The time of the last change of each graph in the history or the catalog, by graph IRI."""
        rows = select_solutions(view, GRAPH_TIMES_QUERY % {"base": self.base})
        return {
            row["graph"].value: format_utc_microseconds(row["since"].value) for row in rows if "since" in row
        }


def format_utc_microseconds(timestamp: str | None) -> str:
    """A time in UTC, to the microsecond (ISO 8601); None: now."""
    time = datetime.fromisoformat(timestamp) if timestamp else datetime.now(UTC)
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
