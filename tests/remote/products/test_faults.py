"""Two instances with an engine that is killed or paused, or has lost, truncated, slow or wrong responses.

No response may be wrong, no acknowledged write may be lost, and at the end both instances must have the same
data. The environment variable FAULT_SECONDS is the duration for each engine.
"""

import gc
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx2
import pyoxigraph as ox
import pytest

from tests.crash.load import GraphWriter, NumberWriter, PaperWriter, TitleWriter, Writer
from tests.fixtures.projections import StreamFollower, wait_until_current

from .conftest import fill_instance_folder, run_filled_engine, run_instance
from .engines import ENGINE_PARAMETERS, Engine
from .proxy import FAULTS, PASS, Proxy, run_proxy

FAULT_TEST_SECONDS = float(os.environ.get("FAULT_SECONDS", "30"))
SEED = int(os.environ.get("FAULT_SEED", str(time.time_ns() % 1_000_000)))
KILL, PAUSE, RESTART = "kill", "pause", "restart"  # the engine; RESTART starts it again immediately
ALL_FAULTS = (*FAULTS, KILL, PAUSE, RESTART)
MAX_FAULT_SECONDS, MAX_PAUSE_SECONDS = 4.0, 1.0  # of a fault, and between two
RECOVERY_TIMEOUT_SECONDS = 60.0


class Worker:
    """A thread that writes and one that reads, each with a random instance; HTTP errors are ignored.

    Its writer writes numbered states of some data, and can tell which state it reads.
    """

    def __init__(self, writer: Writer, clients: list[httpx2.Client], rng: random.Random) -> None:
        """Create the threads."""
        self.writer, self.clients, self.rng = writer, clients, rng
        self.errors: list[str] = []
        self.stopped = threading.Event()
        self.writes = self.refused_writes = self.reads = 0
        self.threads = [threading.Thread(target=self.write), threading.Thread(target=self.read)]

    def write(self) -> None:
        """Write states in order; after an error, continue from the state in the store."""
        while not self.stopped.is_set() and not self.errors:
            try:
                self.writer.write(self.rng.choice(self.clients))
                self.writes += 1
            except httpx2.HTTPError:
                self.refused_writes += 1
                self.resume_from_store()
            except AssertionError as error:
                self.errors.append(f"writing: {error}")

    def resume_from_store(self) -> None:
        """Continue from the state in the store, as soon as an instance responds."""
        while not self.stopped.is_set():
            try:
                client = self.rng.choice(self.clients)
                state = self.writer.read_state(client, self.writer.acknowledged)
                assert self.writer.acknowledged <= state <= self.writer.sent, (
                    f"{self.writer.name}: {self.writer.acknowledged} <= {state} <= {self.writer.sent}"
                )
            except httpx2.HTTPError:
                self.stopped.wait(0.05)
            except AssertionError as error:
                self.errors.append(f"resuming: {error}")
                return
            else:
                self.writer.acknowledged = self.writer.sent = state
                return

    def read(self) -> None:
        """Read and check states repeatedly."""
        while not self.stopped.is_set() and not self.errors:
            try:
                self.writer.check_state(self.rng.choice(self.clients))
                self.reads += 1
            except httpx2.HTTPError:
                self.stopped.wait(0.01)
            except AssertionError as error:
                self.errors.append(f"reading: {error}")


@contextmanager
def run_workers(clients: list[httpx2.Client], rng: random.Random) -> Iterator[list[Worker]]:
    """Run workers with several kinds of writers."""
    writers: list[Writer] = [
        GraphWriter("graph"),
        NumberWriter("mover"),
        TitleWriter("named"),
        PaperWriter("paper"),
    ]
    workers = [Worker(writer, clients, random.Random(rng.random())) for writer in writers]
    gc.collect()  # some objects of earlier tests may only be freed on the thread that created them
    threads = [thread for worker in workers for thread in worker.threads]
    for thread in threads:
        thread.start()
    try:
        yield workers
    finally:
        for worker in workers:
            worker.stopped.set()
        for thread in threads:
            thread.join()


def cause_fault(engine: Engine, proxy: Proxy, fault: str, rng: random.Random) -> None:
    """Cause a fault for a random time."""
    seconds = rng.uniform(0.2, MAX_FAULT_SECONDS)
    if fault in {KILL, RESTART}:
        engine.kill()
        time.sleep(seconds if fault == KILL else 0)
        engine.start()
    elif fault == PAUSE:
        engine.pause()
        time.sleep(seconds)
        engine.resume()
    else:
        share = rng.choice((0.03, 0.1, 1))  # of the requests
        proxy.is_affected = lambda _: rng.random() < share
        proxy.mode = fault
        time.sleep(seconds)
        proxy.mode = PASS


def wait_until_ready(clients: list[httpx2.Client]) -> float:
    """Wait until all instances are ready, and return the seconds that it took."""
    started_at = time.monotonic()
    while time.monotonic() - started_at < RECOVERY_TIMEOUT_SECONDS:
        with suppress(httpx2.HTTPError):
            if all(client.get("/ready").status_code == 200 for client in clients):
                return time.monotonic() - started_at
        time.sleep(0.05)
    raise AssertionError("not all instances are ready again")


def read_dump(client: httpx2.Client) -> set[str]:
    """The quads in the dump of an instance."""
    response = client.get("/dump.nq", headers={"Accept": "application/n-quads"})
    assert response.status_code == 200, response.text
    return set(map(str, ox.parse(response.content, ox.RdfFormat.N_QUADS)))


@pytest.fixture(scope="module", params=ENGINE_PARAMETERS)
def engine_and_instances(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Proxy, list[httpx2.Client]]]:
    """An engine, a proxy in front of it, and clients of two instances that use the proxy."""
    folder = tmp_path_factory.mktemp(request.param)
    with run_filled_engine(request.param, folder / "engine") as engine, run_proxy(engine.url) as (proxy, url):
        settings = engine.settings(url) | {"WGIG_REMOTE_SECONDS": "5"}
        for name in ("one", "two"):  # copying the store may take the engine longer
            fill_instance_folder(engine.name, folder / name)
        with run_instance(folder / "one", settings) as one, run_instance(folder / "two", settings) as two:
            yield engine, proxy, [one, two]


def test_unavailable_engine_is_reported(
    engine_and_instances: tuple[Engine, Proxy, list[httpx2.Client]],
) -> None:
    engine, _, instances = engine_and_instances
    wait_until_ready(instances)
    engine.kill()
    for client in instances:
        response = client.get("/ready")
        assert (response.status_code, "retry-after" in response.headers) == (503, True)
        assert client.get("/health").status_code == 200
        assert client.get("/papers").status_code == 503
        assert (
            client.put(
                "/graph/x", content="<urn:a> <urn:b> 1 .", headers={"Content-Type": "text/turtle"}
            ).status_code
            == 503
        )
    engine.start()
    wait_until_ready(instances)
    assert instances[0].get("/graph/x").status_code == 404


def test_data_is_correct_and_complete_after_faults(
    engine_and_instances: tuple[Engine, Proxy, list[httpx2.Client]],
) -> None:
    engine, proxy, instances = engine_and_instances
    rng = random.Random(SEED)
    print(f"FAULT_SEED={SEED}")
    wait_until_ready(instances)
    deadline = time.monotonic() + FAULT_TEST_SECONDS
    recovery_seconds: dict[str, float] = {}
    faults: list[str] = []  # those that follow, until all were caused
    with run_workers(instances, rng) as workers:
        while time.monotonic() < deadline and not any(worker.errors for worker in workers):
            faults = faults or rng.sample(ALL_FAULTS, len(ALL_FAULTS))
            fault = faults.pop()
            cause_fault(engine, proxy, fault, rng)
            recovery_seconds[fault] = max(recovery_seconds.get(fault, 0.0), wait_until_ready(instances))
            time.sleep(rng.uniform(0, MAX_PAUSE_SECONDS))
    for worker in workers:
        counts = f"{worker.writes} writes, {worker.refused_writes} refused, {worker.reads} reads"
        print(f"{worker.writer.name}: {counts}")
    print("recovered within", recovery_seconds)
    assert [error for worker in workers for error in worker.errors] == []
    assert all(worker.writes and worker.reads for worker in workers)
    for client in instances:
        wait_until_current(client)
        for worker in workers:
            worker.writer.check_state(client)
            worker.writer.check_after_crash(client)
        StreamFollower().check(client)
    assert read_dump(instances[0]) == read_dump(instances[1])
    response = instances[0].post("/sparql", data={"query": COUNT_QUERY}, headers={"Accept": "text/csv"})
    (count,) = response.text.split()[1:]
    assert int(count) == len(read_dump(instances[0]))


# The graph of the ledger is not in dumps.
COUNT_QUERY = (
    "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } FILTER(?g != <https://w3id.org/wgig/graph/state>) }"
)
