"""/metrics: the metrics of the service in the Prometheus text format."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import CollectorRegistry

from ..feeds.notifications import (
    CURRENT_STATE,
    DELIVERED_OUTCOME,
    FAILED_OUTCOME,
    FAILING_STATE,
    GIVEN_UP_OUTCOME,
    STOPPED_STATE,
    WAITING_STATE,
    ChangeNotifier,
)
from ..graphs.dependencies import RecorderDep
from ..graphs.provenance import ProvenanceRecorder
from ..http.auth import authorize_request
from ..http.dependencies import PeersDep, TokensDep
from ..http.operations import Operation
from ..http.responses import NO_STORE_HEADERS
from ..lists.dependencies import StoreSizeDep
from ..rdf.formats import PLAIN_TEXT
from ..sparql.dependencies import QueriesDep
from ..sparql.workers.fair_queue import QueueState
from ..store.backup.backup import read_backup_time
from ..store.history import VERSION_TIME_FORMAT
from ..store.projection import list_broken_projections
from ..store.size import StoreSize
from .dependencies import NotifierDep, StatusDep

OPEN_METRICS_SETTING = "open"  # the value of WGIG_METRICS with which /metrics needs no token


class StateCollector(NamedTuple):
    """A Prometheus collector of the current state: queries, writes, store size, backup, notifications."""

    queue_state: QueueState
    data_version: int
    has_failed_write: bool
    failed_projection_count: int
    store_size: StoreSize
    recorder: ProvenanceRecorder | None
    store_folder: Path | None  # None for a store in memory
    notifier: ChangeNotifier

    def collect(self) -> Iterator[Metric]:
        """The metrics of the current state."""
        workers = GaugeMetricFamily("wgig_readers", "Worker processes that answer queries.", labels=["state"])
        workers.add_metric(["busy"], self.queue_state.busy)
        workers.add_metric(["idle"], self.queue_state.idle)
        yield workers
        yield make_gauge("wgig_queries_waiting", "Queries that wait for a worker.", self.queue_state.waiting)
        quads, graphs = self.store_size.counts()
        yield make_gauge("wgig_quads", "Quads in the store.", quads)
        yield make_gauge("wgig_graphs", "Named graphs in the store.", graphs)
        yield make_gauge(
            "wgig_data_version", "Changes of the data since the start of the service.", self.data_version
        )
        yield make_gauge(
            "wgig_write_failed",
            "1 if the last write failed because of the disk or the shared SPARQL server, else 0.",
            int(self.has_failed_write),
        )
        yield make_gauge(
            "wgig_projections_failed",
            "How many projections in use, such as the search index, could not be built.",
            self.failed_projection_count,
        )
        yield from iter_notification_metrics(self.notifier)
        recorder = self.recorder
        for name, event, timestamp in (
            (
                "last_write",
                "last recorded write",
                # A write is named after its time.
                recorder and parse_epoch_seconds(recorder.last_write_name, VERSION_TIME_FORMAT),
            ),
            ("last_backup", "last backup", parse_epoch_seconds(read_backup_time(self.store_folder))),
        ):
            if timestamp:
                yield make_gauge(f"wgig_{name}_timestamp_seconds", f"When the {event} was made.", timestamp)


def iter_notification_metrics(notifier: ChangeNotifier) -> Iterator[Metric]:
    """The metrics of messages about changes to a hub and webhooks."""
    addresses = GaugeMetricFamily(
        "wgig_notified_addresses", "Addresses that are told of changes, by state.", labels=["state"]
    )
    conditions = notifier.count_conditions()
    for condition in (CURRENT_STATE, WAITING_STATE, FAILING_STATE, STOPPED_STATE):
        addresses.add_metric([condition], conditions[condition])
    yield addresses
    attempts = CounterMetricFamily(
        "wgig_notifications", "Attempts to tell an address of changes, by outcome.", labels=["outcome"]
    )
    outcomes = notifier.count_outcomes()
    for outcome in (DELIVERED_OUTCOME, FAILED_OUTCOME, GIVEN_UP_OUTCOME):
        attempts.add_metric([outcome], outcomes[outcome])
    yield attempts


def make_gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    """A gauge without labels."""
    return GaugeMetricFamily(name, documentation, value=value)


def parse_epoch_seconds(text: str | None, time_format: str = "") -> float | None:
    """A UTC time as seconds since 1970; None for no text. Without a format, the text is ISO 8601."""
    if not text:
        return None
    time = datetime.strptime(text, time_format) if time_format else datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC).timestamp()


METRICS_OPERATION = Operation(formats=(PLAIN_TEXT,), needs_token=True)


async def get_state_collector(  # noqa: PLR0913, PLR0917 - all parts that have a state
    queries: QueriesDep,
    recorder: RecorderDep,
    store_size: StoreSizeDep,
    status: StatusDep,
    peers: PeersDep,
    notifier: NotifierDep,
) -> StateCollector:
    """The collector of the current state. The metrics of requests get those of the front processes."""
    metrics = queries.telemetry.metrics
    metrics.front_snapshots = await peers.call_all("metrics")
    queue_states = [queries.workers.queue_state, *(front["queue"] for front in metrics.front_snapshots)]
    return StateCollector(
        QueueState(*map(sum, zip(*queue_states, strict=True))),
        queries.workers.version,
        bool(status.failed_write_time),
        len(list_broken_projections(queries.store)),
        store_size,
        recorder,
        queries.store.folder,
        notifier,
    )


async def get_metrics(
    request: Request,
    tokens: TokensDep,
    queries: QueriesDep,
    collector: Annotated[StateCollector, Depends(get_state_collector)],
) -> Response:
    """The metrics of the service for Prometheus. They need a token unless WGIG_METRICS is `open`."""
    if queries.settings.metrics != OPEN_METRICS_SETTING:
        authorize_request(request, tokens, "metrics", "admin")
    registry = queries.telemetry.metrics.registry
    body = await run_in_threadpool(serialize_metrics, registry, collector)
    return Response(body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, **NO_STORE_HEADERS})


def serialize_metrics(registry: CollectorRegistry, collector: StateCollector) -> bytes:
    """The counters of the service, and the metrics of its current state."""
    state_registry = CollectorRegistry()
    state_registry.register(collector)
    return generate_latest(registry) + generate_latest(state_registry)
