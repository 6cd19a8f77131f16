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
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from .._version import __version__
from ..problems import Problem
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
    "answered", "busy", "canceled", "crowded", "disk", "memory", "refused", "rows", "size", "syntax", "time",
    "unfit", "value",
)  # fmt: skip
WRITE_OUTCOMES = ("written", "crowded", "failed", "full", "nonconforming", "refused")
CHECK_OUTCOMES = ("conforms", "crowded", "large", "slow", "unread", "violates")

# The `_created` metrics would add a series for each counter, which the text format does not use.
disable_created_metrics()  # type: ignore[no-untyped-call]

RequestKey = tuple[str, str, int]  # route, method, status


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


class Metrics:
    """The Prometheus metrics of a service. The metrics of requests and of the cache are not thread-safe."""

    def __init__(self) -> None:
        """Register all metrics, at zero."""
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Info("wgig_build", "The version of the package.", registry=registry).info({"version": __version__})
        self.tallies: dict[RequestKey, DurationTally] = {}
        self.cache_hits = self.cache_misses = self.cached_bytes = 0
        registry.register(self)
        self.queries = make_outcome_counter(
            "wgig_queries_total", "Queries by outcome.", QUERY_OUTCOMES, registry
        )
        self.query_seconds = Histogram(
            "wgig_query_seconds",
            "Seconds from a query to the end of its response, including the time waiting for a worker "
            "and for the client.",
            buckets=DURATION_BUCKETS_SECONDS,
            registry=registry,
        )
        self.writes = make_outcome_counter(
            "wgig_writes_total", "Writes by outcome.", WRITE_OUTCOMES, registry
        )
        self.checks = make_outcome_counter(
            "wgig_checks_total", "Checks of papers by outcome.", CHECK_OUTCOMES, registry
        )

    def get_tally(self, route: str, method: str, status: int) -> DurationTally:
        """The tally of requests with this route template, method and status."""
        key = (route, method if method in KNOWN_METHODS else OTHER_METHOD, status)
        tally = self.tallies.get(key)
        if tally is None:
            tally = self.tallies[key] = DurationTally()
        return tally

    def collect(self) -> Iterator[Metric]:
        """The metrics of requests and of the cache, for the registry."""
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
        yield CounterMetricFamily(
            "wgig_log_lines_dropped",
            "Log lines that were dropped because nothing was reading the log.",
            value=count_dropped_log_lines(),
        )
        seconds = HistogramMetricFamily(
            "wgig_request_seconds",
            "Seconds from the head of a request to the end of its response, by route template.",
            labels=("route",),
        )
        for route, tallies in tallies_by_route.items():
            counts = map(sum, zip(*(tally.bucket_counts for tally in tallies), strict=True))
            buckets = [
                (str(bound), count)
                for bound, count in zip(DURATION_BUCKET_BOUNDS, accumulate(counts), strict=True)
            ]
            seconds.add_metric((route,), buckets, sum(tally.seconds for tally in tallies))
        yield seconds
        yield CounterMetricFamily("wgig_cache_hits", "Responses sent from the cache.", self.cache_hits)
        yield CounterMetricFamily(
            "wgig_cache_misses", "Cacheable requests that were not in the cache.", self.cache_misses
        )
        yield GaugeMetricFamily(
            "wgig_cache_bytes", "Size of the cached responses in bytes.", self.cached_bytes
        )


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
