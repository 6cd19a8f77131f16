"""Prometheus metrics and OpenTelemetry traces.

The number of label values is bounded: labels are route templates instead of paths, known methods, and named
outcomes. Request durations are counted in `DurationTally`, because the Histogram of the client library takes
ten times as long. Checks of papers are counted by outcome; refused checks are counted, too.

Traces are enabled if an OTLP endpoint is set; otherwise the library is not imported. Spans contain routes,
outcomes and sizes, but no content of requests and no identities of clients.
"""

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from itertools import accumulate
from operator import add
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Info, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector

from .._version import __version__
from ..problems import Problem
from ..processes import ProcessUsage, list_process_tree, read_process_usage
from .log_writer import count_dropped_log_lines

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider


KNOWN_METHODS = frozenset(("GET", "HEAD", "POST", "QUERY", "PUT", "DELETE", "OPTIONS"))
OTHER_METHOD = "other"
DURATION_BUCKETS_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)
DURATION_BUCKET_BOUNDS = (*DURATION_BUCKETS_SECONDS, "+Inf")
# Outcomes of queries, writes and checks, the successful one first. docs/how-to/operating.md explains them.
QUERY_OUTCOMES = (
    "answered", "busy", "canceled", "crowded", "disk", "lost", "memory", "refused", "remote", "rows", "size",
    "syntax", "time", "unfit", "value",
)  # fmt: skip
WRITE_OUTCOMES = ("written", "crowded", "failed", "full", "nonconforming", "refused")
CHECK_OUTCOMES = ("conforms", "crowded", "large", "slow", "unread", "violates")

# The `_created` metrics would add a series for each counter, which the text format does not use.
disable_created_metrics()  # type: ignore[no-untyped-call]

RequestKey = tuple[str, str, int]  # route, method, status
MetricsSnapshot = dict[str, Any]  # of what `marshal` can write


class DurationTally:
    """A histogram of request durations. Adding to it takes a tenth of the time of the library's Histogram."""

    __slots__ = ("bucket_counts", "seconds")

    def __init__(self) -> None:
        """Start with no requests."""
        self.seconds = 0.0
        self.bucket_counts = [0] * (len(DURATION_BUCKETS_SECONDS) + 1)

    def add(self, seconds: float) -> None:
        """Count a request with this duration."""
        self.seconds += seconds
        self.bucket_counts[bisect_left(DURATION_BUCKETS_SECONDS, seconds)] += 1

    def merge(self, seconds: float, bucket_counts: Sequence[int]) -> None:
        """Add the requests of another tally."""
        self.seconds += seconds
        self.bucket_counts = [*map(add, self.bucket_counts, bucket_counts)]

    def list_buckets(self) -> list[tuple[str, int]]:
        """The cumulative counts with their upper bounds, as Prometheus has them."""
        counts = accumulate(self.bucket_counts)
        return [(str(bound), count) for bound, count in zip(DURATION_BUCKET_BOUNDS, counts, strict=True)]


class RequestMetrics:
    """The metrics of requests, queries and the cache of one process, or their sums. Not thread-safe."""

    def __init__(self) -> None:
        """Start at zero."""
        self.tallies: dict[RequestKey, DurationTally] = {}
        self.cache_hits = self.cache_misses = self.cached_bytes = 0
        self.query_counts = dict.fromkeys(
            QUERY_OUTCOMES, 0
        )  # all start at 0, so that each increment is visible
        self.query_tally = DurationTally()
        self.dropped_lines = 0  # of the logs of other processes

    def get_tally(self, route: str, method: str, status: int) -> DurationTally:
        """The tally of requests with this route template, method and status."""
        key = (route, method if method in KNOWN_METHODS else OTHER_METHOD, status)
        tally = self.tallies.get(key)
        if tally is None:
            tally = self.tallies[key] = DurationTally()
        return tally

    def count_query(self, outcome: str, seconds: float) -> None:
        """Count a query, with its outcome of QUERY_OUTCOMES and its duration."""
        self.query_counts[outcome] += 1
        self.query_tally.add(seconds)

    def snapshot(self) -> MetricsSnapshot:
        """The metrics, for another process."""
        tallies = [(*key, tally.seconds, tally.bucket_counts) for key, tally in [*self.tallies.items()]]
        return {
            "tallies": tallies,
            "cache": (self.cache_hits, self.cache_misses, self.cached_bytes),
            "query_counts": self.query_counts,
            "query_tally": (self.query_tally.seconds, self.query_tally.bucket_counts),
            "dropped_lines": self.dropped_lines + count_dropped_log_lines(),
        }

    def merge(self, snapshot: MetricsSnapshot) -> None:
        """Add the metrics of a process."""
        for route, method, status, seconds, bucket_counts in snapshot["tallies"]:
            self.get_tally(route, method, status).merge(seconds, bucket_counts)
        hits, misses, cached_bytes = snapshot["cache"]
        self.cache_hits += hits
        self.cache_misses += misses
        self.cached_bytes += cached_bytes
        for outcome, count in snapshot["query_counts"].items():
            self.query_counts[outcome] += count
        self.query_tally.merge(*snapshot["query_tally"])
        self.dropped_lines += snapshot["dropped_lines"]

    def collect(self) -> Iterator[Metric]:
        """The metrics for the registry."""
        requests = CounterMetricFamily(
            "wgig_requests",
            "Requests by route template, method and status.",
            labels=("route", "method", "status"),
        )
        tallies_by_route: dict[str, list[DurationTally]] = {}
        for (route, method, status), tally in [*self.tallies.items()]:
            requests.add_metric((route, method, str(status)), sum(tally.bucket_counts))
            tallies_by_route.setdefault(route, []).append(tally)
        yield requests
        queries = CounterMetricFamily("wgig_queries", "Queries by outcome.", labels=("outcome",))
        for outcome, count in self.query_counts.items():
            queries.add_metric((outcome,), count)
        yield queries
        yield CounterMetricFamily(
            "wgig_log_lines_dropped",
            "Log lines that were dropped because nothing was reading the log.",
            value=self.dropped_lines,
        )
        seconds = HistogramMetricFamily(
            "wgig_request_seconds",
            "Seconds from the head of a request to the end of its response, by route template.",
            labels=("route",),
        )
        for route, tallies in tallies_by_route.items():
            total = DurationTally()
            for tally in tallies:
                total.merge(tally.seconds, tally.bucket_counts)
            seconds.add_metric((route,), total.list_buckets(), total.seconds)
        yield seconds
        yield HistogramMetricFamily(
            "wgig_query_seconds",
            "Seconds from a query to the end of its response, including the time waiting for a worker "
            "and for the client.",
            buckets=self.query_tally.list_buckets(),
            sum_value=self.query_tally.seconds,
        )
        yield CounterMetricFamily("wgig_cache_hits", "Responses sent from the cache.", self.cache_hits)
        yield CounterMetricFamily(
            "wgig_cache_misses", "Cacheable requests that were not in the cache.", self.cache_misses
        )
        yield GaugeMetricFamily(
            "wgig_cache_bytes", "Size of the cached responses in bytes.", self.cached_bytes
        )


class ServiceProcessCollector:
    """The metrics of processes that Prometheus expects, as sums over all processes of the service."""

    def __init__(self) -> None:
        """Begin with the current process as the first one of the service."""
        self.root_id, self.started_at = os.getpid(), time.time()

    def collect(self) -> Iterator[Metric]:
        """The metrics; none if the system has no proc(5)."""
        usages = list[ProcessUsage]()
        for process_id in list_process_tree(self.root_id):
            with suppress(OSError):  # it has exited
                usages.append(read_process_usage(process_id))
        if not usages:
            return
        total = ProcessUsage(*map(sum, zip(*usages, strict=True)))
        yield CounterMetricFamily(
            "process_cpu_seconds", "CPU time of all processes of the service.", total.cpu_seconds
        )
        for name, documentation, value in (
            (
                "resident_memory_bytes",
                "Memory of all processes of the service; memory that they share is counted once.",
                total.resident_bytes,
            ),
            (
                "virtual_memory_bytes",
                "Size of the address spaces of all processes of the service.",
                total.virtual_bytes,
            ),
            ("open_fds", "Open files of all processes of the service.", total.open_files),
            ("max_fds", "Sum of the limits on open files of all processes.", total.max_open_files),
            ("start_time_seconds", "When the service started.", self.started_at),
        ):
            yield GaugeMetricFamily(f"process_{name}", documentation, value)


class Metrics(RequestMetrics):
    """The Prometheus metrics of a service."""

    def __init__(self) -> None:
        """Register all metrics, at zero."""
        super().__init__()
        registry = self.registry = CollectorRegistry()
        self.processes = ServiceProcessCollector()
        registry.register(self.processes)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Info("wgig_build", "The version of the package.", registry=registry).info({"version": __version__})
        self.front_snapshots: list[MetricsSnapshot] = []  # of the front processes
        registry.register(self)
        self.writes = make_outcome_counter(
            "wgig_writes_total", "Writes by outcome.", WRITE_OUTCOMES, registry
        )
        self.checks = make_outcome_counter(
            "wgig_checks_total", "Checks of papers by outcome.", CHECK_OUTCOMES, registry
        )

    def add_ended(self, snapshot: MetricsSnapshot) -> None:
        """Add the metrics of a front process that ends, other than the size of its cache."""
        hits, misses, _ = snapshot["cache"]
        self.merge({**snapshot, "cache": (hits, misses, 0)})

    def collect(self) -> Iterator[Metric]:
        """The metrics of this process and of the front processes together, for the registry."""
        total = RequestMetrics()
        for snapshot in (self.snapshot(), *self.front_snapshots):
            total.merge(snapshot)
        return total.collect()


def make_outcome_counter(
    name: str, documentation: str, outcomes: tuple[str, ...], registry: CollectorRegistry
) -> Counter:
    """A counter by outcome. All outcomes start at 0, so that the first increment of each is visible."""
    counter = Counter(name, documentation, ("outcome",), registry=registry)
    for outcome in outcomes:
        counter.labels(outcome)
    return counter


OTLP_ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
TRACE_FLUSH_SECONDS = 2  # at shutdown
# The header fields that carry a trace from service to service.
TRACE_CONTEXT_FIELDS = (b"traceparent", b"tracestate")


class Tracing:
    """The OpenTelemetry traces of one service."""

    def __init__(self, provider: "TracerProvider") -> None:
        """Create the tracer from a provider."""
        from opentelemetry import context, trace  # noqa: PLC0415  only needed with traces
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        self.provider, self.tracer = provider, provider.get_tracer("wgig", __version__)
        self.server_kind, self.propagator = trace.SpanKind.SERVER, TraceContextTextMapPropagator()
        self.current_context = context.get_current

    @contextmanager
    def request_span(self, method: str, route: str, headers: list[tuple[bytes, bytes]]) -> Iterator[Any]:
        """The span of the request handled in the block; it continues the trace in the headers, if any."""
        trace_headers = {
            name.decode(): value.decode("latin-1") for name, value in headers if name in TRACE_CONTEXT_FIELDS
        }
        with self.tracer.start_as_current_span(
            f"{method} {route}",
            self.propagator.extract(trace_headers),
            self.server_kind,
            {"http.request.method": method, "http.route": route},
            record_exception=False,
        ) as span:
            yield span

    def part_span(self, name: str) -> AbstractContextManager[Any]:
        """A span around a part of a request."""
        return self.tracer.start_as_current_span(name, record_exception=False)

    def record_past_span(
        self,
        name: str,
        started_at: float,
        parent: "Context | None" = None,
        attributes: Mapping[str, Any] = {},
    ) -> None:
        """Record a span that ends now; `started_at` is a value of `time.perf_counter()`."""
        end = time.time_ns()
        start = end - int(1e9 * (time.perf_counter() - started_at))
        self.tracer.start_span(name, parent, attributes=attributes, start_time=start).end(end)

    def shutdown(self) -> None:
        """Send the remaining spans, for at most TRACE_FLUSH_SECONDS."""
        thread = threading.Thread(target=self.provider.shutdown, daemon=True)
        thread.start()
        thread.join(TRACE_FLUSH_SECONDS)


def format_trace_id(span: Any) -> str:
    """The trace ID of a span, in hexadecimal."""
    return f"{span.get_span_context().trace_id:032x}"


def span_if_traced(tracing: Tracing | None, name: str) -> AbstractContextManager[Any]:
    """A span around a part of a request, if traces are enabled."""
    return tracing.part_span(name) if tracing else nullcontext()


def make_tracing_from_environment() -> Tracing | None:
    """Tracing to the OTLP endpoint in the environment variables; None if no endpoint is set.

    Raises ValueError if the library is not installed.
    """
    if not any(os.environ.get(variable) for variable in OTLP_ENDPOINT_VARIABLES):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise ValueError(
            f"{OTLP_ENDPOINT_VARIABLES[0]} is set, but the tracing library is not installed. Install "
            "it (pip install 'wgig[otel]'), or unset the variable."
        ) from error
    service_name = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "wgig"}
    provider = TracerProvider(resource=Resource.create({**service_name, "service.version": __version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)


@contextmanager
def count_check_outcomes(metrics: Metrics) -> Iterator[list[str]]:
    """Count the check outcomes that the block appends to the list; a Problem counts as an outcome, too."""
    outcomes: list[str] = []
    try:
        yield outcomes
    except Problem as problem:
        outcomes.append(outcome_of_problem(problem))
        raise
    finally:
        for outcome in outcomes:
            metrics.checks.labels(outcome).inc()


def outcome_of_problem(problem: Problem) -> str:
    """The outcome, in CHECK_OUTCOMES, of a check that ended with a Problem."""
    if problem.status == 503:
        return "crowded" if "Retry-After" in problem.headers else "slow"
    return "large" if problem.status == 413 else "unread"
