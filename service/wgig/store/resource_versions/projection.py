"""Follows the change log with the versions of resources, behind the fence of a `Projection`.

A commit adds a version of each resource whose stated quads it changes. It is applied without reading the
store, which may have later commits already. A full scan is necessary if there are changes that the log does
not explain (see `rescan`): at the first start, after `wgig load`, after a restore.

Published versions are never withdrawn. A restore appears as the changes that it makes. A database that cannot
be continued is replaced by a new one, whose pages have other URLs.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from wgig_client.namespaces import DCTERMS_NAMESPACE, XSD_NAMESPACE

from ...problems import Problem
from ...rdf.namespaces import PROV_ENDED_AT_TIME
from ..errors import StoreError, translate_disk_errors
from ..files import ASIDE_FOLDER, RESOURCE_VERSIONS_FILE
from ..history import DCAT_HAS_CURRENT_VERSION, PROV_WAS_GENERATED_BY
from ..projection import Projection
from ..projection_runner import CommittedChange
from ..sqlite import remove_sqlite_file
from ..store import Store
from ..view import StoreView, select_solutions
from .database import ResourceVersions, UnusableVersionsError
from .rescan import SCAN_NICE_LEVEL, LogPosition, ScanTimes, scan_snapshot

SCAN_COPY_FOLDER = "changes-copy"  # in `aside`
VERSIONS_WAIT_SECONDS = 20  # until a waiting client gets a 503

GRAPH_TIMES_QUERY = f"""
SELECT ?graph (MAX(?at) AS ?since) {{
  {{ GRAPH <%(base)sgraph/history> {{
    ?graph <{DCAT_HAS_CURRENT_VERSION.value}>/<{PROV_WAS_GENERATED_BY.value}>/<{PROV_ENDED_AT_TIME.value}> ?at
  }} }}
  UNION {{ GRAPH <%(base)sgraph/catalog> {{ ?graph <{DCTERMS_NAMESPACE}modified> ?at }} }}
  FILTER (DATATYPE(?at) = <{XSD_NAMESPACE}dateTime>)
}} GROUP BY ?graph"""

logger = logging.getLogger("wgig")


class ResourceVersionsProjection(Projection):
    """The projection that adds new versions of resources to their database."""

    name, snapshot_name = "the versions of resources", SCAN_COPY_FOLDER

    def __init__(self, store: Store, base: str) -> None:
        """Take the store and its base IRI."""
        super().__init__(store)
        self.base = base
        self.opened_versions: ResourceVersions | None = None
        self.nice_increment = SCAN_NICE_LEVEL  # of the process that scans a large store

    @property
    def versions(self) -> ResourceVersions:
        """The versions of resources. The projection must be open."""
        assert self.opened_versions is not None
        return self.opened_versions

    def load_position(self) -> int | None:
        """Open the database. Returns the version of the change log that it includes. Raises StoreError."""
        folder = self.store.folder
        self.opened_versions = self.open_database(folder and folder / ASIDE_FOLDER / RESOURCE_VERSIONS_FILE)
        self.replace_after_erasure()
        position = self.versions.read_position(self.store.log.epoch)
        return position and self.store.log.find_end_of_load(position)

    def open_database(self, path: Path | None) -> ResourceVersions:
        """The database (None: in memory), or a new one if it cannot be continued. Raises StoreError."""
        try:
            return ResourceVersions(path, self.base)
        except UnusableVersionsError as error:
            logger.error("%s Starting a new stream.", error)
            return self.replace_database(path)

    def replace_database(self, path: Path | None) -> ResourceVersions:
        """A new database that replaces the file at `path`. Raises StoreError."""
        if path:
            remove_sqlite_file(path)
        return ResourceVersions(path, self.base)

    def replace_after_erasure(self) -> None:
        """Begin a new database if contents were erased from the change log, as its pages may have them."""
        erasure_count = len(self.store.log.erased_digests)
        if int(self.versions.read_setting("erasures") or 0) != erasure_count:
            self.opened_versions = self.replace_database(self.versions.path)
            with self.versions.transaction():
                self.versions.write_setting("erasures", str(erasure_count))
            self.store.touch()  # cached responses have the URLs of the old stream

    @property
    def follows_commits(self) -> bool:
        """Whether it was built, each commit is applied, and no error has shown that it is damaged."""
        return super().follows_commits and not self.versions.is_unusable

    async def scan_when_due(self) -> None:
        """Scan the store if necessary, before the first request."""
        with suppress(Problem, StoreError):  # the scan continues, or the next request reports the error
            await self.get_versions()

    async def get_versions(self, patience: float = VERSIONS_WAIT_SECONDS) -> ResourceVersions:
        """The versions, with all commits up to now.

        Raises Problem 503 if a scan or the last commits take over `patience` seconds, and StoreError.
        """
        self.open()
        if not await self.wait_until_current(patience):
            raise Problem(
                503,
                "The store is being scanned for changes. Try again later.",
                headers={"Retry-After": "30"},
            )
        return self.versions

    def apply(self, commit: CommittedChange) -> None:
        """Add the versions of a commit. Raises StoreError."""
        self.apply_many([commit])

    def apply_many(self, commits: Sequence[CommittedChange]) -> None:
        """Add the versions of consecutive commits in one transaction. Raises StoreError.

        Commits that the database includes already are ignored.
        """
        versions, log_id = self.versions, self.store.log.epoch
        position = versions.read_position(log_id) or 0
        new_commits = [commit for commit in commits if commit.version > position]
        if not new_commits:  # such as a change of the descriptions, which has the version of the last commit
            return
        with versions.transaction():
            for commit in new_commits:
                versions.add_change(
                    # It is not before the last version, whose time may come from a scan.
                    max(format_utc_microseconds(commit.time), versions.read_setting("newest")),
                    versions.states.group_lines(commit.stated.removed),
                    versions.states.group_lines(commit.stated.added),
                )
            versions.write_position(log_id, new_commits[-1].version)

    # The following methods run on the thread that builds the projection.

    def rebuild(self, view: StoreView, version: int) -> None:
        """Scan the view, which has this version of the log, and add all differences. Raises StoreError."""
        with translate_disk_errors(self.store.folder):
            try:
                self.replace_after_erasure()
                self.versions.check_usable()
                self.compare_store(view, version)
            except UnusableVersionsError as error:
                logger.error("%s Starting a new stream.", error)
                self.opened_versions = self.replace_database(self.versions.path)
                self.compare_store(view, version)
                self.store.touch()  # cached responses have the URLs of the old stream

    def scan_loaded_quads(self, view: StoreView, version: int) -> None:
        """Scan a view after the last file of a bulk load, before its last step and before the first use."""
        self.nice_increment = 0  # the load ends with the scan
        self.load_position()
        self.rebuild(view, version)

    def compare_store(self, view: StoreView, version: int) -> None:
        """Add all differences between the view and the database."""
        times = ScanTimes(self.read_graph_times(view), format_utc_microseconds(datetime.now(UTC)))
        position = LogPosition(self.store.log.epoch, version)
        scan_snapshot(self.versions, view, times, position, self.nice_increment)

    def read_graph_times(self, view: StoreView) -> dict[str, str]:
        """The time of the last change of each graph in the history or the catalog, by graph IRI."""
        rows = select_solutions(view, GRAPH_TIMES_QUERY % {"base": self.base})
        return {
            row["graph"].value: format_utc_microseconds(datetime.fromisoformat(row["since"].value))
            for row in rows
            if "since" in row
        }


def format_utc_microseconds(time: datetime) -> str:
    """A time in UTC, to the microsecond (ISO 8601). A time without an offset is in local time."""
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
