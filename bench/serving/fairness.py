"""The time of ASK for one client while another client, with 20 connections, sends all that is expensive.

The connections send queries that would never end, or request lists and pages of resources to which many
statements link, each computed again, or half of them one and half the other. The clients have different
addresses of this machine.
"""

import multiprocessing
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..measure.client import Client, build_request
from ..measure.requests import compute_quantile
from ..measure.server import wait_until_idle
from .things import listed_papers_file, make_listing_peer

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

    PageCount = Synchronized[int]

FRONT_COUNTS = (1, 2)
CONNECTIONS = 20
# What the other client sends, and on how many of its connections it requests pages; None: it does not exist.
LOADS = {
    "none": None,
    "endless queries": 0,
    "queries and pages": CONNECTIONS // 2,
    "pages": CONNECTIONS,
}
BUSY_ADDRESS, ASKING_ADDRESS = "127.0.0.2", "127.0.0.3"
ENDLESS_PATTERNS = " . ".join(f"?s{n} ?p{n} ?o{n}" for n in range(6))
HUB_PATHS = (
    "/doc/issue/spam", "/doc/issue/names-and-ip-addresses", "/doc/category/access-for-all",
    "/papers", "/issues", "/coverage", "/timeline", "/people",
)  # fmt: skip
HTML_TYPE, JSON_TYPE = "text/html", "application/sparql-results+json"
PAUSE_SECONDS = 0.01  # between two ASK
WARM_UP_SECONDS = 3.0  # until the endless queries have a lower priority, and wait for each other
RETRY_SECONDS = 0.1  # after a refused request
MAX_P99_SECONDS = 0.1


@dataclass(frozen=True)
class AskTimes:
    """ASK requests with so many front processes: their times in seconds, and what the other client got."""

    fronts: int
    load: str  # of LOADS
    requests: int
    refused: int  # with another status than 200
    p50: float
    p99: float
    maximum: float
    pages_per_second: float  # of the other client

    @property
    def goal(self) -> float | None:
        """The maximum of `p99`; None without the other client."""
        return None if LOADS[self.load] is None else MAX_P99_SECONDS


def compare_ask_times(
    scratch: Path, papers: int, seconds: float, settings: Mapping[str, str]
) -> list[AskTimes]:
    """The times of ASK with each load by the other client, and each number of front processes."""
    file = listed_papers_file(scratch, papers)
    measurements = []
    for fronts in FRONT_COUNTS:
        peer = make_listing_peer({**settings, "WGIG_WORKERS": str(fronts)})
        with peer.serve(peer.filled_store(scratch, file), file) as server:
            for load, page_connections in LOADS.items():
                wait_until_idle(server)
                with run_busy_client(server.port, page_connections) as page_count:
                    measurements.append(measure_ask(server.port, fronts, load, seconds, page_count))
    return measurements


def measure_ask(port: int, fronts: int, load: str, seconds: float, page_count: "PageCount") -> AskTimes:
    """Send ASK with different queries for some seconds, while the other client receives pages."""
    time.sleep(0 if LOADS[load] is None else WARM_UP_SECONDS)
    times, refused, start = list[float](), 0, time.perf_counter()
    pages_before = page_count.value
    with Client(port, address=ASKING_ADDRESS) as client:
        while time.perf_counter() < start + seconds:
            query = f"ASK {{ ?paper a <http://example.org/{time.time_ns()}> }}"
            response = client.send(build_request(f"/sparql?query={quote(query)}", JSON_TYPE))
            times.append(response.seconds)
            refused += response.status != 200
            time.sleep(PAUSE_SECONDS)
    pages = page_count.value - pages_before
    return AskTimes(
        fronts,
        load,
        len(times),
        refused,
        compute_quantile(times, 0.5),
        compute_quantile(times, 0.99),
        max(times),
        pages / (time.perf_counter() - start),
    )


@contextmanager
def run_busy_client(port: int, page_connections: int | None) -> Iterator["PageCount"]:
    """Run the other client in a process of its own, or no client for None.

    Yields the number of pages that it has received.
    """
    context = multiprocessing.get_context("spawn")
    page_count = context.Value("q", 0)
    if page_connections is None:
        yield page_count
        return
    arguments = (port, page_connections, page_count)
    process = context.Process(target=send_expensive_requests, args=arguments, daemon=True)
    process.start()
    try:
        yield page_count
    finally:
        process.kill()
        process.join()


def send_expensive_requests(port: int, page_connections: int, page_count: "PageCount") -> None:
    """Keep all connections busy, until this process is killed."""
    threads = [
        threading.Thread(target=repeat_requests, args=(port, number, number < page_connections, page_count))
        for number in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()


def repeat_requests(port: int, first: int, are_pages: bool, page_count: "PageCount") -> None:
    """Send one request after another: for pages, beginning with number `first`, or with queries."""
    build = build_page_request if are_pages else build_endless_query
    for number in count(first):
        try:
            with Client(port, address=BUSY_ADDRESS) as client:
                response = client.send(build(number))
        except OSError:
            response = None
        if response is None or response.status != 200:
            time.sleep(RETRY_SECONDS)
        elif are_pages:
            with page_count.get_lock():
                page_count.value += 1


def build_page_request(number: int) -> bytes:
    """The request for a page that the service computes again."""
    path = HUB_PATHS[number % len(HUB_PATHS)]
    return build_request(path, HTML_TYPE, {"Cache-Control": "no-cache", "Connection": "close"})


def build_endless_query(number: int) -> bytes:
    """The request with a query that ends at the time limit."""
    query = f"SELECT (COUNT(*) AS ?n) {{ {ENDLESS_PATTERNS} }} #{number}-{time.time_ns()}"
    return build_request(f"/sparql?query={quote(query)}", JSON_TYPE, {"Connection": "close"})
