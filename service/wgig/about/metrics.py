"""/metrics: the figures of the service in the text format of Prometheus, for those who run it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import CollectorRegistry

from ..http.auth import may
from ..http.parameters import only
from ..settings import Settings
from ..sparql.workers.fair_queue import Standing
from ..store.backup.backup import last
from ..store.history import STAMP

OPEN = "open"


class Now(NamedTuple):
    """What stands now: readers and who waits for them, the number of the last write and of failed ones."""

    readers: Standing
    version: int
    failed: bool
    state: Any

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures of what stands."""
        readers = GaugeMetricFamily("wgig_readers", "Processes that answer queries.", labels=["state"])
        readers.add_metric(["busy"], self.readers.busy)
        readers.add_metric(["idle"], self.readers.idle)
        yield readers
        yield gauge("wgig_queries_waiting", "Queries that wait for a reader.", self.readers.waiting)
        quads, graphs = self.state.census.now()
        yield gauge("wgig_quads", "Quads in the store.", quads)
        yield gauge("wgig_graphs", "Named graphs in the store.", graphs)
        yield gauge("wgig_data_version", "Changes of the data since the start of the service.", self.version)
        yield gauge(
            "wgig_write_failed",
            "1 where the disk or the shared store failed the last write.",
            int(self.failed),
        )
        record = self.state.record
        for name, what, when in (
            ("last_write", "last write on record", record and moment(record.version, STAMP)),
            ("last_backup", "last backup", moment(last(self.state.store.folder))),
        ):
            if when:
                yield gauge(f"wgig_{name}_timestamp_seconds", f"When the {what} was made.", when)


def gauge(name: str, what: str, number: float) -> GaugeMetricFamily:
    """A figure without labels."""
    return GaugeMetricFamily(name, what, value=number)


def moment(written: str | None, form: str = "") -> float | None:
    """A point of time as seconds since 1970; None for none."""
    if not written:
        return None
    when = datetime.strptime(written, form) if form else datetime.fromisoformat(written)
    return when.replace(tzinfo=UTC).timestamp()


async def metrics(request: Request) -> Response:
    """The figures of the service for Prometheus, for whoever has a token for them."""
    only(request)
    settings: Settings = request.app.state.settings
    if settings.metrics != OPEN:
        may(request, "metrics", "admin")
    state = request.app.state
    now = Now(state.answerers.standing, state.answerers.version, bool(state.failed_write), state)
    body = await run_in_threadpool(written, state.metrics.registry, now)
    return Response(body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"})


def written(registry: CollectorRegistry, now: Now) -> bytes:
    """What was counted, and what stands now."""
    standing = CollectorRegistry()
    standing.register(now)
    return generate_latest(registry) + generate_latest(standing)
