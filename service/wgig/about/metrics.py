"""/metrics: the metrics of the service in the Prometheus text format."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import CollectorRegistry

from ..graphs.dependencies import RecorderDep
from ..graphs.provenance import ProvenanceRecorder
from ..http.auth import authorize_request
from ..http.dependencies import TokensDep
from ..http.operations import Operation
from ..http.responses import NO_STORE_HEADERS
from ..rdf.formats import PLAIN_TEXT
from ..sparql.dependencies import QueriesDep
from ..sparql.workers.fair_queue import QueueState
from ..store.backup.backup import read_backup_time
from ..store.history import VERSION_TIME_FORMAT
from ..store.size import StoreSize
from .dependencies import CensusDep, StatusDep

OPEN_METRICS_SETTING = "open"


class StateCollector(NamedTuple):
    """A Prometheus collector of the current state: workers, queued queries, writes, store size, backup."""

    readers: QueueState
    data_version: int
    has_failed_write: bool
    census: StoreSize
    recorder: ProvenanceRecorder | None
    folder: Path | None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics of the current state."""
        readers = GaugeMetricFamily("wgig_readers", "Processes that answer queries.", labels=["state"])
        readers.add_metric(["busy"], self.readers.busy)
        readers.add_metric(["idle"], self.readers.idle)
        yield readers
        yield make_gauge("wgig_queries_waiting", "Queries that wait for a reader.", self.readers.waiting)
        quads, graphs = self.census.counts()
        yield make_gauge("wgig_quads", "Quads in the store.", quads)
        yield make_gauge("wgig_graphs", "Named graphs in the store.", graphs)
        yield make_gauge(
            "wgig_data_version", "Changes of the data since the start of the service.", self.data_version
        )
        yield make_gauge(
            "wgig_write_failed",
            "1 where the disk or the shared store failed the last write.",
            int(self.has_failed_write),
        )
        recorder = self.recorder
        for name, event, timestamp in (
            (
                "last_write",
                "last write on record",
                recorder and parse_epoch_seconds(recorder.last_write_name, VERSION_TIME_FORMAT),
            ),
            ("last_backup", "last backup", parse_epoch_seconds(read_backup_time(self.folder))),
        ):
            if timestamp:
                yield make_gauge(f"wgig_{name}_timestamp_seconds", f"When the {event} was made.", timestamp)


def make_gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    """A gauge without labels."""
    return GaugeMetricFamily(name, documentation, value=value)


def parse_epoch_seconds(text: str | None, time_format: str = "") -> float | None:
    """A time as seconds since 1970; None for none. Without a format it is ISO 8601."""
    if not text:
        return None
    time = datetime.strptime(text, time_format) if time_format else datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC).timestamp()


METRICS_OPERATION = Operation(formats=(PLAIN_TEXT,), needs_token=True)


async def get_metrics(  # noqa: PLR0913, PLR0917 - what stands now is told of each of these
    request: Request,
    tokens: TokensDep,
    queries: QueriesDep,
    recorder: RecorderDep,
    census: CensusDep,
    status: StatusDep,
) -> Response:
    """The figures of the service for Prometheus, for whoever has a token for them."""
    if queries.settings.metrics != OPEN_METRICS_SETTING:
        authorize_request(request, tokens, "metrics", "admin")
    workers, folder = queries.workers, queries.store.folder
    collector = StateCollector(
        workers.queue_state, workers.version, bool(status.failed_write), census, recorder, folder
    )
    body = await run_in_threadpool(serialize_metrics, queries.telemetry.metrics.registry, collector)
    return Response(body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, **NO_STORE_HEADERS})


def serialize_metrics(registry: CollectorRegistry, collector: StateCollector) -> bytes:
    """The counters of the service, and the metrics of its current state."""
    state_registry = CollectorRegistry()
    state_registry.register(collector)
    return generate_latest(registry) + generate_latest(state_registry)
