"""The time to write a paper, checked and durable, and the crowd: many concurrent writers and readers.

Also the CPU of a write with all that follows the response, and the rate of one and of many writers.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

from wgig.papers import readers
from wgig.shacl.check import check_document

from ..checking.check import TURTLE, generate_turtle_papers
from ..compare.peers import OURS, OXIGRAPH, Peer, load_with_shipped_graphs, make_own_peer, make_oxigraph_peer
from ..measure.processes import measure_cpu_seconds
from ..measure.requests import RequestSeries, measure_in_turns
from ..measure.server import RunningServer, wait_until_idle
from ..serving import concurrency
from ..serving.http import generated_file

WRITES_SEED = 2  # another seed than that of the papers in the store
# Papers written one after the other, then with a pause after each, then by one writer, then by MANY_WRITERS.
WRITTEN_PAPERS, FOLLOWED_PAPERS, RATED_PAPERS = 200, 6, (30, 100)
MANY_WRITERS = 50
# Seconds of the pause, and until everything follows: descriptions are updated 2 s after the last write.
PAUSE_SECONDS, FOLLOW_SECONDS = 1.0, 4.0
# Goals of ours; the ratios are those of p95 to that of the peer, and of MANY_WRITERS to one writer.
MAX_PUT_SECONDS, MAX_P95_RATIO, MAX_TOTAL_CPU_SECONDS = 0.013, 5.0, 0.035
MIN_WRITERS_RATIO, MIN_RATE = 3.0, 50.0
TOKEN = "of-the-benchmark"  # for writing to ours
OWN_PEER_NAME = f"{OURS}, papers checked"
GRAPH_STORE_PATHS = {OWN_PEER_NAME: "/graphs", OXIGRAPH: "/store"}

WRITE_BUDGET_FACTOR = 5  # times the seconds for a query, because the goal is the 95th percentile
IGNORE_SOCKETS = ignore_patterns("control")  # of a running service, for copies of its store

# The figures of writing a paper, by the name of the server: those of RequestTimes.summarize, and these.
TOTAL_CPU = "cpu with all that follows"  # seconds per paper
ONE_WRITER_RATE, MANY_WRITERS_RATE = "rate of one writer", f"rate of {MANY_WRITERS} writers"  # papers/s
PutFigures = dict[str, dict[str, float]]


def compare_writes(scratch: Path, papers: int, seconds: float, settings: Mapping[str, str]) -> PutFigures:
    """Writes of new papers to ours (with the shipped graphs) and to the peer, stores with so many papers."""
    counts = (WRITTEN_PAPERS, FOLLOWED_PAPERS, *RATED_PAPERS)
    numbers, texts = iter(range(sum(counts))), generate_conforming_papers(sum(counts))
    _, followed, one_writer, many_writers = (list(islice(numbers, count)) for count in counts)
    with ExitStack() as stack:
        servers = {
            peer.name: stack.enter_context(serve_copy(peer, scratch, papers))
            for peer in (make_writable_peer(settings), make_oxigraph_peer())
        }
        series = {
            name: RequestSeries(server, partial(build_put_request, GRAPH_STORE_PATHS[name], texts), 201)
            for name, server in servers.items()
        }
        for server in servers.values():
            wait_until_idle(server)  # the service builds its indexes after its first response
        # Of the WRITTEN_PAPERS writes, request 0 is not counted.
        times = measure_in_turns(series, WRITE_BUDGET_FACTOR * seconds, max_requests=WRITTEN_PAPERS - 1)
        return {
            name: server_times.summarize()
            | {
                TOTAL_CPU: measure_following_cpu(series[name], followed),
                ONE_WRITER_RATE: measure_write_rate(series[name], one_writer, 1),
                MANY_WRITERS_RATE: measure_write_rate(series[name], many_writers, MANY_WRITERS),
            }
            for name, server_times in times.items()
        }


def measure_crowd(scratch: Path, papers: int, settings: Mapping[str, str]) -> concurrency.CrowdResult:
    """The crowd on ours, a store with so many papers."""
    texts = generate_conforming_papers(concurrency.WRITERS)
    with serve_copy(make_writable_peer(settings), scratch, papers) as server:
        return concurrency.run_crowd(server.port, TOKEN, texts)


@contextmanager
def serve_copy(peer: Peer, scratch: Path, papers: int) -> Iterator[RunningServer]:
    """A server with a copy of its filled store, so that the next run finds the store unchanged."""
    file = generated_file(scratch, papers)
    with TemporaryDirectory(dir=scratch) as folder:
        store = copytree(peer.filled_store(scratch, file), Path(folder) / "store", ignore=IGNORE_SOCKETS)
        with peer.serve(store, file) as server:
            yield server


def measure_following_cpu(series: RequestSeries, numbers: Sequence[int]) -> float:
    """CPU seconds of a write and all that follows it, without those of an idle server.

    The papers are written one a second.
    """

    def measure(requests: Sequence[bytes]) -> float:
        before = measure_cpu_seconds(series.server.pid)
        for request in requests:
            send_write(series, request)
            time.sleep(PAUSE_SECONDS)
        time.sleep(FOLLOW_SECONDS)
        return measure_cpu_seconds(series.server.pid) - before

    time.sleep(FOLLOW_SECONDS)  # what follows earlier writes
    wait_until_idle(series.server)
    writing, idle = measure([series.request(number) for number in numbers]), measure([])
    idle_share = (len(numbers) * PAUSE_SECONDS + FOLLOW_SECONDS) / FOLLOW_SECONDS
    return (writing - idle * idle_share) / len(numbers)


def measure_write_rate(series: RequestSeries, numbers: Sequence[int], writers: int) -> float:
    """Papers per second by so many concurrent writers; each sends its papers one after the other."""

    def write_papers(requests: Sequence[bytes]) -> None:
        for request in requests:
            send_write(series, request)

    requests = [series.request(number) for number in numbers]
    start = time.perf_counter()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write_papers, (requests[first::writers] for first in range(writers))))
    return len(requests) / (time.perf_counter() - start)


def send_write(series: RequestSeries, request: bytes) -> None:
    """Send a write, again when the server is busy. Raises SystemExit if it is refused."""
    while (
        response := concurrency.send_once(series.server.port, request)
    ).status in concurrency.BUSY_STATUSES:
        time.sleep(concurrency.RETRY_SECONDS)
    if response.status != series.status:
        raise SystemExit(f"A write was refused: {concurrency.describe_refusal(response)}")


def make_writable_peer(settings: Mapping[str, str]) -> Peer:
    """Our service with the shipped graphs, the papers and all inferred statements, and with a token."""
    peer = make_own_peer(OWN_PEER_NAME, {"WGIG_DATA": "shipped", "WGIG_TOKEN": TOKEN, **settings})
    return replace(peer, load=load_with_shipped_graphs)


def generate_conforming_papers(count: int) -> list[bytes]:
    """Papers as Turtle that conform to the template; others could be refused."""
    texts = generate_turtle_papers(2 * count, WRITES_SEED)
    conforming = (
        text
        for text in texts
        if check_document(readers.read_paper_document("paper.ttl", text, TURTLE)).conforms
    )
    return list(islice(conforming, count))


def build_put_request(path: str, texts: Sequence[bytes], number: int) -> bytes:
    """The request that writes paper `number` into its graph."""
    text = texts[number]
    return concurrency.build_graph_put(path, TOKEN, concurrency.find_paper_graph(text), text)
