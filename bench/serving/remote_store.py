"""The cost of a query through an instance with a shared store, compared with querying its engine directly.

An instance is a `wgig serve`; the engine is the SPARQL server that holds the data of all instances.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree

from aiohttp import ClientSession, web

from ..compare import virtuoso
from ..measure.client import Client, build_request
from ..measure.commands import WGIG, find_oxigraph, time_command
from ..measure.requests import RequestSeries, measure_in_turns
from ..measure.server import RunningServer, find_free_port, run_server
from .http import generated_file, repeat_request
from .queries import JSON, QUESTIONS_BY_NAME, Question

ENGINES = ("oxigraph serve", "Virtuoso")
THOUSAND_ROWS_QUESTION = Question(
    "1,000 rows",
    "SELECT ?thing_N ?is_N ?what_N WHERE { ?thing_N ?is_N ?what_N } LIMIT 1000",
    has_same_rows=False,
)
QUESTIONS = (
    QUESTIONS_BY_NAME["ASK"],
    QUESTIONS_BY_NAME["one resource"],
    THOUSAND_ROWS_QUESTION,
    QUESTIONS_BY_NAME["coverage matrix"],
    QUESTIONS_BY_NAME["three-way join, LIMIT 100"],
    QUESTIONS_BY_NAME["100,000 rows"],
)
MAX_SHORT_BYTES = 10_000  # of a short response
MAX_ADDED_SECONDS, MAX_TIME_RATIO = 0.0005, 1.1  # goals of short responses, and of others
SLOW_QUERY_SECONDS = 0.1  # of each query, with the slow engine
CONCURRENT_QUERIES, CLIENTS = 8, 48  # at most so many queries of an instance to its engine; of all instances
INDEXED_TEXT = b'"indexing": false, "comparing": false'  # in /ready, once index and change log are complete
QUERY_PATHS = {"oxigraph serve": "/query", "Virtuoso": "/sparql"}


@dataclass(frozen=True)
class SharedStoreMeasurement:
    """Median seconds of a query: to the engine, through an instance, and through it from the cache."""

    engine: str
    papers: int
    question: str
    size: int  # bytes of the result
    engine_seconds: float
    instance_seconds: float
    cached_seconds: float

    @property
    def meets_goal(self) -> bool:
        """Whether the instance adds no more than the goal."""
        if self.size <= MAX_SHORT_BYTES:
            return self.instance_seconds - self.engine_seconds <= MAX_ADDED_SECONDS
        return self.instance_seconds / self.engine_seconds <= MAX_TIME_RATIO


def compare_shared_store(scratch: Path, papers: int, seconds: float) -> list[SharedStoreMeasurement]:
    """All queries, with each installed engine."""
    file = generated_file(scratch, papers)
    measurements = []
    for engine in ENGINES:
        if engine == "Virtuoso" and not virtuoso.is_installed():
            continue
        folder = scratch / f"shared {engine}".replace(" ", "-")
        rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with (
            run_engine(engine, folder, file) as (direct, environment),
            run_instance(folder / "copy", environment) as instance,
        ):
            measurements += [
                measure_shared_query(engine, papers, question, (direct, instance), seconds)
                for question in QUESTIONS
            ]
    return measurements


def measure_shared_query(
    engine: str,
    papers: int,
    question: Question,
    servers: tuple[RunningServer, RunningServer],
    seconds: float,
) -> SharedStoreMeasurement:
    """One query, to the engine and to the instance in `servers`."""
    print(f"{engine}, {papers:,} papers: {question.name}", file=sys.stderr, flush=True)
    paths = (QUERY_PATHS[engine], "/sparql")
    series = {
        name: RequestSeries(server, partial(question.request, path, papers=papers))
        for name, server, path in zip(("direct", "through"), servers, paths, strict=True)
    }
    figures = {name: times.summarize() for name, times in measure_in_turns(series, seconds).items()}
    repeated = {"cached": RequestSeries(servers[1], repeat_request(question.request("/sparql", 0, papers)))}
    # A quarter of the time, because cached responses are fast.
    cached = measure_in_turns(repeated, seconds / 4)["cached"].summarize()
    return SharedStoreMeasurement(
        engine,
        papers,
        question.name,
        int(figures["through"]["bytes"]),
        figures["direct"]["p50"],
        figures["through"]["p50"],
        cached["p50"],
    )


@contextmanager
def run_engine(engine: str, folder: Path, file: Path) -> Iterator[tuple[RunningServer, Mapping[str, str]]]:
    """An engine filled with a file, and the settings of instances that use it."""
    if engine == "Virtuoso":
        virtuoso.load_file(folder / "engine", file)
        login = folder / "secret"
        login.write_text("dba:dba\n")
        login.chmod(0o600)
        with virtuoso.run_virtuoso(folder / "engine", file) as server:
            yield (
                server,
                {
                    "WGIG_REMOTE_QUERY": f"http://127.0.0.1:{server.port}/sparql-auth",
                    "WGIG_REMOTE_PROFILE": "virtuoso",
                    "WGIG_REMOTE_AUTH": f"digest:{login}",
                },
            )
        return
    time_command(find_oxigraph(), "load", "--location", folder / "engine", "--file", file)
    with run_oxigraph(folder / "engine") as server:
        yield (
            server,
            {
                "WGIG_REMOTE_QUERY": f"http://127.0.0.1:{server.port}/query",
                "WGIG_REMOTE_UPDATE": f"http://127.0.0.1:{server.port}/update",
                "WGIG_REMOTE_PROFILE": "oxigraph",
            },
        )


@contextmanager
def run_oxigraph(store: Path) -> Iterator[RunningServer]:
    """`oxigraph serve` on a folder."""
    command = [find_oxigraph(), "serve", "--location", str(store), "--union-default-graph"]
    with run_server(command, "--bind", "127.0.0.1:{port}", ready_path="/query?query=ASK%7B%7D") as server:
        yield server


@contextmanager
def run_instance(store: Path, environment: Mapping[str, str]) -> Iterator[RunningServer]:
    """An instance, once its search index and change log are complete."""
    with run_server(
        [*WGIG, "serve", "--store", str(store)],
        *("--port", "{port}"),
        ready_path="/ready",
        ready_text=INDEXED_TEXT,
        environment={"WGIG_DATA": "none", **environment},
    ) as server:
        yield server


def measure_instance_scaling(scratch: Path) -> dict[int, float]:
    """Queries per second of one instance and of two, with an engine that waits without using CPU.

    On two cores, such an engine shows the rate that two instances could reach with more cores.
    """
    folder = scratch / "shared slow"
    rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rates = {}
    with ExitStack() as stack:
        engine = stack.enter_context(run_oxigraph(folder / "engine"))
        proxy_port = stack.enter_context(run_slow_proxy(engine.port))
        environment = {
            "WGIG_REMOTE_QUERY": f"http://127.0.0.1:{proxy_port}/query",
            "WGIG_REMOTE_UPDATE": f"http://127.0.0.1:{engine.port}/update",
            "WGIG_REMOTE_PROFILE": "oxigraph",
            "WGIG_REMOTE_QUERIES": str(CONCURRENT_QUERIES),
        }
        instances = [stack.enter_context(run_instance(folder / name, environment)) for name in ("one", "two")]
        for count in (1, 2):
            rates[count] = measure_query_rate([instance.port for instance in instances[:count]])
    return rates


def measure_query_rate(ports: Sequence[int], seconds: float = 5.0) -> float:
    """Queries per second that all clients together get from these ports."""
    counts = [0] * CLIENTS
    end = time.perf_counter() + seconds

    def run_client(number: int) -> None:
        with Client(ports[number % len(ports)]) as client:
            while time.perf_counter() < end:
                # Different each time, so that no response is cached: ASK{?s_1_1 ?p "slow"}
                path = f"/sparql?query=ASK%7B%3Fs_{number}_{counts[number]}%20%3Fp%20%22slow%22%7D"
                assert client.send(build_request(path, JSON)).status == 200
                counts[number] += 1

    threads = [threading.Thread(target=run_client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


@contextmanager
def run_slow_proxy(engine_port: int) -> Iterator[int]:
    """The port of a proxy in front of an engine; it delays queries that contain "slow"."""
    started, stopping = threading.Event(), threading.Event()
    port = find_free_port()
    thread = threading.Thread(
        target=lambda: asyncio.run(forward_slowly(engine_port, port, started, stopping))
    )
    thread.start()
    started.wait()
    try:
        yield port
    finally:
        stopping.set()
        thread.join()


async def forward_slowly(
    engine_port: int, port: int, started: threading.Event, stopping: threading.Event
) -> None:
    """Forward requests to the engine until `stopping` is set."""

    async def forward(request: web.Request) -> web.Response:
        body = await request.read()
        if b'"slow"' in body:
            await asyncio.sleep(SLOW_QUERY_SECONDS)
        url = f"http://127.0.0.1:{engine_port}{request.raw_path}"
        headers = {
            name: request.headers[name] for name in ("Accept", "Content-Type") if name in request.headers
        }
        async with session.post(url, data=body, headers=headers) as response:
            return web.Response(
                body=await response.read(), status=response.status, content_type=response.content_type
            )

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with ClientSession() as session:
        started.set()
        await asyncio.to_thread(stopping.wait)
    await runner.cleanup()
