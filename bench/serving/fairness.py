"""The time of ASK for one client while another client, with 20 connections, sends all that is expensive.

Half of its connections send queries that would never end, the others request lists and pages of resources to
which many statements link, each computed again. The clients have different addresses of this machine.
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
from .things import listed_papers_file, make_listing_peer

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

    PageCount = Synchronized[int]

FRONT_COUNTS = (1, 2)
CONNECTIONS = 20
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
    is_busy: bool  # whether the other client sends requests
    requests: int
    refused: int  # with another status than 200
    p50: float
    p99: float
    maximum: float
    pages_per_second: float  # of the other client

    @property
    def goal(self) -> float | None:
        """The maximum of `p99`; None without the other client."""
        return MAX_P99_SECONDS if self.is_busy else None


def compare_ask_times(
    scratch: Path, papers: int, seconds: float, settings: Mapping[str, str]
) -> list[AskTimes]:
    """The times of ASK, with and without the other client, with each number of front processes."""
    file = listed_papers_file(scratch, papers)
    measurements = []
    for fronts in FRONT_COUNTS:
        peer = make_listing_peer({**settings, "WGIG_WORKERS": str(fronts)})
        with peer.serve(peer.filled_store(scratch, file), file) as server:
            measurements.append(measure_ask(server.port, fronts, seconds, None))
            with run_busy_client(server.port) as page_count:
                time.sleep(WARM_UP_SECONDS)
                measurements.append(measure_ask(server.port, fronts, seconds, page_count))
    return measurements


def measure_ask(port: int, fronts: int, seconds: float, page_count: "PageCount | None") -> AskTimes:
    """Send ASK with different queries for some seconds, while the other client receives pages, if it does."""
    times, refused, start = list[float](), 0, time.perf_counter()
    pages_before = page_count.value if page_count else 0
    with Client(port, address=ASKING_ADDRESS) as client:
        while time.perf_counter() < start + seconds:
            query = f"ASK {{ ?paper a <http://example.org/{time.time_ns()}> }}"
            response = client.send(build_request(f"/sparql?query={quote(query)}", JSON_TYPE))
            times.append(response.seconds)
            refused += response.status != 200
            time.sleep(PAUSE_SECONDS)
    pages = page_count.value - pages_before if page_count else 0
    return AskTimes(
        fronts,
        page_count is not None,
        len(times),
        refused,
        compute_quantile(times, 0.5),
        compute_quantile(times, 0.99),
        max(times),
        pages / (time.perf_counter() - start),
    )


@contextmanager
def run_busy_client(port: int) -> Iterator["PageCount"]:
    """Run the other client in a process of its own. Yields the number of pages that it has received."""
    context = multiprocessing.get_context("spawn")
    page_count = context.Value("q", 0)
    process = context.Process(target=send_expensive_requests, args=(port, page_count), daemon=True)
    process.start()
    try:
        yield page_count
    finally:
        process.kill()
        process.join()


def send_expensive_requests(port: int, page_count: "PageCount") -> None:
    """Keep all connections busy, until this process is killed."""
    threads = [
        threading.Thread(target=repeat_requests, args=(port, number, page_count))
        for number in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()


def repeat_requests(port: int, number: int, page_count: "PageCount") -> None:
    """Send one request after another: pages on connections with an even number, queries on the others."""
    for index in count(number):
        try:
            with Client(port, address=BUSY_ADDRESS) as client:
                is_page = number % 2 == 0
                response = client.send(build_page_request(index) if is_page else build_endless_query(index))
                if response.status != 200:
                    time.sleep(RETRY_SECONDS)
                elif is_page:
                    with page_count.get_lock():
                        page_count.value += 1
        except OSError:
            time.sleep(RETRY_SECONDS)


def build_page_request(number: int) -> bytes:
    """The request for a page that the service computes again."""
    path = HUB_PATHS[number % len(HUB_PATHS)]
    return build_request(path, HTML_TYPE, {"Cache-Control": "no-cache", "Connection": "close"})


def build_endless_query(number: int) -> bytes:
    """The request with a query that ends at the time limit."""
    query = f"SELECT (COUNT(*) AS ?n) {{ {ENDLESS_PATTERNS} }} #{number}-{time.time_ns()}"
    return build_request(f"/sparql?query={quote(query)}", JSON_TYPE, {"Connection": "close"})
