"""What the service counts while it works, for Prometheus: names, labels, and what each tells.

Values of labels are few and ours: templates of routes, never paths; methods that are known; outcomes by name.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from . import __version__

METHODS = frozenset(("GET", "HEAD", "POST", "QUERY", "PUT", "DELETE", "OPTIONS"))
OTHER = "other"
SECONDS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)
BOUNDS = (*SECONDS, "+Inf")
# What comes of a query; the first is the good one.
QUERIES = (
    "answered", "busy", "canceled", "crowded", "disk", "memory", "refused", "rows", "size", "syntax", "time",
    "unfit", "value",
)  # fmt: skip
WRITES = ("written", "crowded", "failed", "full", "nonconforming", "refused")
CHECKS = ("conforms", "crowded", "large", "slow", "unread", "violates")

# Series more for each, which the text format has no meaning for.
disable_created_metrics()  # type: ignore[no-untyped-call]

Key = tuple[str, str, int]  # route, method, status


class Tally:
    """Requests of one kind by how long they took. To add one takes a tenth of what a Histogram does."""

    __slots__ = ("seconds", "slots")

    def __init__(self) -> None:
        """There was none yet."""
        self.seconds = 0.0
        self.slots = [0] * (len(SECONDS) + 1)

    def add(self, seconds: float) -> None:
        """One that took so long."""
        self.seconds += seconds
        self.slots[bisect_left(SECONDS, seconds)] += 1


class Metrics:
    """The figures of one service. Those of requests and of the cache are for one thread."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Info("wgig_build", "The version of the package.", registry=registry).info({"version": __version__})
        self.requests: dict[Key, Tally] = {}
        self.hits = self.misses = self.kept = 0
        registry.register(self)
        self.queries = counted("wgig_queries_total", "Queries by what came of them.", QUERIES, registry)
        self.query_seconds = Histogram(
            "wgig_query_seconds",
            "Seconds from a query to the end of its answer, with the wait for a reader and for the client.",
            buckets=SECONDS,
            registry=registry,
        )
        self.writes = counted("wgig_writes_total", "Writes by what came of them.", WRITES, registry)
        self.checks = counted("wgig_checks_total", "Papers checked, by what came of it.", CHECKS, registry)

    def tally(self, route: str, method: str, status: int) -> Tally:
        """What counts requests of a kind."""
        key = (route, method if method in METHODS else OTHER, status)
        found = self.requests.get(key)
        if found is None:
            found = self.requests[key] = Tally()
        return found

    def collect(self) -> Iterator[Metric]:
        """The figures of requests and of the cache."""
        requests = CounterMetricFamily(
            "wgig_requests",
            "Requests that were answered, by the template of the route, method and status.",
            labels=("route", "method", "status"),
        )
        by_route: dict[str, list[Tally]] = {}
        for (route, method, status), one in [*self.requests.items()]:
            requests.add_metric((route, method, str(status)), sum(one.slots))
            by_route.setdefault(route, []).append(one)
        yield requests
        seconds = HistogramMetricFamily(
            "wgig_request_seconds",
            "Seconds from the head of a request to the end of its answer, by the template of the route.",
            labels=("route",),
        )
        for route, those in by_route.items():
            reached = accumulate(map(sum, zip(*(one.slots for one in those), strict=True)))
            buckets = [(str(bound), number) for bound, number in zip(BOUNDS, reached, strict=True)]
            seconds.add_metric((route,), buckets, sum(one.seconds for one in those))
        yield seconds
        yield CounterMetricFamily("wgig_cache_hits", "Answers given again from memory.", self.hits)
        yield CounterMetricFamily(
            "wgig_cache_misses", "Answers that might have been kept and were not there.", self.misses
        )
        yield GaugeMetricFamily("wgig_cache_bytes", "Bytes of the answers kept.", self.kept)


def counted(name: str, what: str, outcomes: tuple[str, ...], registry: CollectorRegistry) -> Counter:
    """A counter by outcome, which shows each from the start, so that the first of a kind is seen to come."""
    counter = Counter(name, what, ("outcome",), registry=registry)
    for one in outcomes:
        counter.labels(one)
    return counter
