"""Prometheus metrics and OpenTelemetry traces.

Label values are few and our own: route templates, never paths; known methods; named outcomes. Request
durations are counted in a histogram of our own, as adding to one of the client library takes ten times as
long. Checks of papers are counted by outcome, refused ones too.

Traces are on where an OTLP endpoint is set; otherwise nothing is imported and nothing is spent. Spans have
routes, outcomes and sizes, nothing of what was requested or by whom.
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

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider


KNOWN_METHODS = frozenset(("GET", "HEAD", "POST", "QUERY", "PUT", "DELETE", "OPTIONS"))
OTHER_METHOD = "other"
DURATION_BUCKETS_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)
DURATION_BUCKET_BOUNDS = (*DURATION_BUCKETS_SECONDS, "+Inf")
# What comes of a query; the first is the good one.
QUERY_OUTCOMES = (
    "answered", "busy", "canceled", "crowded", "disk", "memory", "refused", "rows", "size", "syntax", "time",
    "unfit", "value",
)  # fmt: skip
WRITE_OUTCOMES = ("written", "crowded", "failed", "full", "nonconforming", "refused")
CHECK_OUTCOMES = ("conforms", "crowded", "large", "slow", "unread", "violates")

# Series more for each, which the text format has no meaning for.
disable_created_metrics()  # type: ignore[no-untyped-call]

RequestKey = tuple[str, str, int]  # route, method, status


class DurationTally:
    """Requests of one kind by how long they took. To add one takes a tenth of what a Histogram does."""

    __slots__ = ("bucket_counts", "seconds")

    def __init__(self) -> None:
        """There was none yet."""
        self.seconds = 0.0
        self.bucket_counts = [0] * (len(DURATION_BUCKETS_SECONDS) + 1)

    def add(self, seconds: float) -> None:
        """One that took so long."""
        self.seconds += seconds
        self.bucket_counts[bisect_left(DURATION_BUCKETS_SECONDS, seconds)] += 1


class Metrics:
    """The figures of one service. Those of requests and of the cache are for one thread."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Info("wgig_build", "The version of the package.", registry=registry).info({"version": __version__})
        self.tallies: dict[RequestKey, DurationTally] = {}
        self.cache_hits = self.cache_misses = self.cached_bytes = 0
        registry.register(self)
        self.queries = make_outcome_counter(
            "wgig_queries_total", "Queries by what came of them.", QUERY_OUTCOMES, registry
        )
        self.query_seconds = Histogram(
            "wgig_query_seconds",
            "Seconds from a query to the end of its answer, with the wait for a reader and for the client.",
            buckets=DURATION_BUCKETS_SECONDS,
            registry=registry,
        )
        self.writes = make_outcome_counter(
            "wgig_writes_total", "Writes by what came of them.", WRITE_OUTCOMES, registry
        )
        self.checks = make_outcome_counter(
            "wgig_checks_total", "Papers checked, by what came of it.", CHECK_OUTCOMES, registry
        )

    def get_tally(self, route: str, method: str, status: int) -> DurationTally:
        """What counts requests of a kind."""
        key = (route, method if method in KNOWN_METHODS else OTHER_METHOD, status)
        found = self.tallies.get(key)
        if found is None:
            found = self.tallies[key] = DurationTally()
        return found

    def collect(self) -> Iterator[Metric]:
        """The figures of requests and of the cache."""
        requests = CounterMetricFamily(
            "wgig_requests",
            "Requests that were answered, by the template of the route, method and status.",
            labels=("route", "method", "status"),
        )
        by_route: dict[str, list[DurationTally]] = {}
        for (route, method, status), one in [*self.tallies.items()]:
            requests.add_metric((route, method, str(status)), sum(one.bucket_counts))
            by_route.setdefault(route, []).append(one)
        yield requests
        seconds = HistogramMetricFamily(
            "wgig_request_seconds",
            "Seconds from the head of a request to the end of its answer, by the template of the route.",
            labels=("route",),
        )
        for route, those in by_route.items():
            reached = accumulate(map(sum, zip(*(one.bucket_counts for one in those), strict=True)))
            buckets = [
                (str(bound), number) for bound, number in zip(DURATION_BUCKET_BOUNDS, reached, strict=True)
            ]
            seconds.add_metric((route,), buckets, sum(one.seconds for one in those))
        yield seconds
        yield CounterMetricFamily("wgig_cache_hits", "Answers given again from memory.", self.cache_hits)
        yield CounterMetricFamily(
            "wgig_cache_misses", "Answers that might have been kept and were not there.", self.cache_misses
        )
        yield GaugeMetricFamily("wgig_cache_bytes", "Bytes of the answers kept.", self.cached_bytes)


def make_outcome_counter(
    name: str, what: str, outcomes: tuple[str, ...], registry: CollectorRegistry
) -> Counter:
    """A counter by outcome, which shows each from the start, so that the first of a kind is seen to come."""
    counter = Counter(name, what, ("outcome",), registry=registry)
    for one in outcomes:
        counter.labels(one)
    return counter


OTLP_ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
TRACE_FLUSH_SECONDS = 2  # seconds at the stop
# The fields by which one trace goes through many services.
TRACE_CONTEXT_FIELDS = (b"traceparent", b"tracestate")


class Tracing:
    """The spans of one service."""

    def __init__(self, provider: "TracerProvider") -> None:
        """Take who makes spans."""
        from opentelemetry import context, trace  # noqa: PLC0415  paid where there are traces
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        self.provider, self.tracer = provider, provider.get_tracer("wgig", __version__)
        self.server_kind, self.propagator = trace.SpanKind.SERVER, TraceContextTextMapPropagator()
        self.current_context = context.get_current

    @contextmanager
    def request_span(self, method: str, route: str, headers: list[tuple[bytes, bytes]]) -> Iterator[Any]:
        """Around a request, which may be part of a trace that began elsewhere: its span."""
        carried = {
            name.decode(): value.decode("latin-1") for name, value in headers if name in TRACE_CONTEXT_FIELDS
        }
        with self.tracer.start_as_current_span(
            f"{method} {route}",
            self.propagator.extract(carried),
            self.server_kind,
            {"http.request.method": method, "http.route": route},
            record_exception=False,
        ) as span:
            yield span

    def part_span(self, name: str) -> AbstractContextManager[Any]:
        """Around a part of a request."""
        return self.tracer.start_as_current_span(name, record_exception=False)

    def record_past_span(
        self, name: str, began: float, within: "Context | None" = None, attributes: Mapping[str, Any] = {}
    ) -> None:
        """Tell of something that is over, and began at a time of the performance counter."""
        end = time.time_ns()
        start = end - int(1e9 * (time.perf_counter() - began))
        self.tracer.start_span(name, within, attributes=attributes, start_time=start).end(end)

    def shutdown(self) -> None:
        """Send what is not sent yet, as far as that takes no longer than a stop may."""
        sending = threading.Thread(target=self.provider.shutdown, daemon=True)
        sending.start()
        sending.join(TRACE_FLUSH_SECONDS)


def format_trace_id(span: Any) -> str:
    """The id of the trace of a span."""
    return f"{span.get_span_context().trace_id:032x}"


def span_if_traced(tracing: Tracing | None, name: str) -> AbstractContextManager[Any]:
    """Around a part of a request, where there are traces."""
    return tracing.part_span(name) if tracing else nullcontext()


def make_tracing_from_environment() -> Tracing | None:
    """Traces that go to the endpoint of the environment; None where there is none.

    Raises ValueError where the library for them is missing.
    """
    if not any(os.environ.get(one) for one in OTLP_ENDPOINT_VARIABLES):
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
            f"{OTLP_ENDPOINT_VARIABLES[0]} is set, and the library for traces is missing. "
            "Install it (pip install 'wgig[otel]'), or take the variable out."
        ) from error
    name = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "wgig"}
    provider = TracerProvider(resource=Resource.create({**name, "service.version": __version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)


@contextmanager
def count_check_outcomes(metrics: Metrics) -> Iterator[list[str]]:
    """Around a check: the outcomes that are put into the list are counted, or the Problem in their place."""
    outcomes: list[str] = []
    try:
        yield outcomes
    except Problem as problem:
        outcomes.append(outcome_of_problem(problem))
        raise
    finally:
        for one in outcomes:
            metrics.checks.labels(one).inc()


def outcome_of_problem(problem: Problem) -> str:
    """What is counted in place of a report."""
    if problem.status == 503:
        return "crowded" if "Retry-After" in problem.headers else "slow"
    return "large" if problem.status == 413 else "unread"
