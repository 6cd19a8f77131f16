"""Two instances over an engine that is killed, paused, cut off, slow, or wrong, while they are used.

No answer is wrong, and no write that was acknowledged is lost; afterwards all agree. `FAULT_SECONDS` is for
how long that is tried with each engine.
"""

import gc
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pyoxigraph as ox
import pytest

from tests.crash.load import GraphWriter, MovingWriter, NameWriter, PaperWriter, Writer
from tests.fixtures.projections import Follower, wait_in_step

from .conftest import instance
from .engines import LONG, Engine, running
from .proxy import FAULTS, PASS, Proxy, before

SECONDS = float(os.environ.get("FAULT_SECONDS", "45"))
SEED = int(os.environ.get("FAULT_SEED", str(time.time_ns() % 1_000_000)))
KILL, PAUSE, RESTART = "kill", "pause", "restart"
LONGEST = 4.0  # seconds of one fault
RECOVERY = 60.0  # seconds


class Worker:
    """A writer and a reader of what it writes, each through either instance; errors are passed over."""

    def __init__(self, writer: Writer, clients: list[httpx.Client], chance: random.Random) -> None:
        """Nothing is written yet."""
        self.writer, self.clients, self.chance = writer, clients, chance
        self.wrong: list[str] = []
        self.over = threading.Event()
        self.done = self.refused = self.seen = 0
        self.threads = [threading.Thread(target=self.write), threading.Thread(target=self.read)]

    def write(self) -> None:
        """Write one state after the other; after an error, go on from the state that is there."""
        while not self.over.is_set() and not self.wrong:
            try:
                self.writer.write(self.chance.choice(self.clients))
                self.done += 1
            except httpx.HTTPError:
                self.refused += 1
                self.settle()
            except AssertionError as error:
                self.wrong.append(f"writing: {error}")

    def settle(self) -> None:
        """Look what is there, as soon as somebody can tell."""
        while not self.over.is_set():
            try:
                one = self.chance.choice(self.clients)
                state = self.writer.found(one, self.writer.acknowledged)
                assert self.writer.acknowledged <= state <= self.writer.sent, (
                    f"{self.writer.name}: {self.writer.acknowledged} <= {state} <= {self.writer.sent}"
                )
            except httpx.HTTPError:
                self.over.wait(0.05)
            except AssertionError as error:
                self.wrong.append(f"settling: {error}")
                return
            else:
                self.writer.acknowledged = self.writer.sent = state
                return

    def read(self) -> None:
        """Look again and again."""
        while not self.over.is_set() and not self.wrong:
            try:
                self.writer.look(self.chance.choice(self.clients))
                self.seen += 1
            except httpx.HTTPError:
                self.over.wait(0.01)
            except AssertionError as error:
                self.wrong.append(f"reading: {error}")


@contextmanager
def at_work(clients: list[httpx.Client], chance: random.Random) -> Iterator[list[Worker]]:
    """Writers and readers at work."""
    writers: list[Writer] = [
        GraphWriter("graph"),
        MovingWriter("mover"),
        NameWriter("named"),
        PaperWriter("paper"),
    ]
    workers = [Worker(one, clients, random.Random(chance.random())) for one in writers]
    gc.collect()  # what earlier tests left of the engine may only be freed on the thread that made it
    for thread in (thread for one in workers for thread in one.threads):
        thread.start()
    try:
        yield workers
    finally:
        for one in workers:
            one.over.set()
        for thread in (thread for one in workers for thread in one.threads):
            thread.join()


def befall(engine: Engine, proxy: Proxy, fault: str, chance: random.Random) -> None:
    """Let something happen for a while."""
    seconds = chance.uniform(0.2, LONGEST)
    if fault in {KILL, RESTART}:
        engine.kill()
        time.sleep(seconds if fault == KILL else 0)
        engine.start()
    elif fault == PAUSE:
        engine.pause()
        time.sleep(seconds)
        engine.go_on()
    else:
        share = chance.choice((0.03, 0.1, 1))
        proxy.chosen = lambda _: chance.random() < share
        proxy.mode = fault
        time.sleep(seconds)
        proxy.mode = PASS


def wait_ready(clients: list[httpx.Client]) -> float:
    """Wait until all say that they are ready; the seconds that took."""
    began = time.monotonic()
    while time.monotonic() - began < RECOVERY:
        with suppress(httpx.HTTPError):
            if all(one.get("/ready").status_code == 200 for one in clients):
                return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError("not all are ready again")


def dump(client: httpx.Client) -> set[str]:
    """All quads, by an instance."""
    answer = client.get("/dump.nq", headers={"Accept": "application/n-quads"})
    assert answer.status_code == 200, answer.text
    return set(map(str, ox.parse(answer.content, ox.RdfFormat.N_QUADS)))


@pytest.fixture(scope="module", params=LONG)
def clients(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Proxy, list[httpx.Client]]]:
    """Two instances over an engine behind a proxy."""
    folder = tmp_path_factory.mktemp(request.param)
    short = {"WGIG_REMOTE_SECONDS": "5"}
    with running(request.param, folder / "engine") as engine, before(engine.home) as (proxy, home):
        settings = engine.settings(home) | short
        with instance(folder / "one", settings) as one, instance(folder / "two", settings) as two:
            yield engine, proxy, [one, two]


def test_what_is_down_is_told(clients: tuple[Engine, Proxy, list[httpx.Client]]) -> None:
    engine, _, both = clients
    wait_ready(both)
    engine.kill()
    for client in both:
        answer = client.get("/ready")
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert client.get("/health").status_code == 200
        assert client.get("/papers").status_code == 503
        assert (
            client.put(
                "/graph/x", content="<urn:a> <urn:b> 1 .", headers={"Content-Type": "text/turtle"}
            ).status_code
            == 503
        )
    engine.start()
    wait_ready(both)
    assert both[0].get("/graph/x").status_code == 404


def test_nothing_is_wrong_and_nothing_is_lost(clients: tuple[Engine, Proxy, list[httpx.Client]]) -> None:
    engine, proxy, both = clients
    chance = random.Random(SEED)
    print(f"FAULT_SEED={SEED}")
    wait_ready(both)
    until = time.monotonic() + SECONDS
    happened: list[tuple[str, float]] = []
    with at_work(both, chance) as workers:
        while time.monotonic() < until and not any(one.wrong for one in workers):
            fault = chance.choice((*FAULTS, KILL, PAUSE, RESTART))
            befall(engine, proxy, fault, chance)
            happened.append((fault, wait_ready(both)))
            time.sleep(chance.uniform(0, 3))
    for one in workers:
        print(f"{one.writer.name}: {one.done} written, {one.refused} refused, {one.seen} seen")
    print("recovered within", {fault: max(s for f, s in happened if f == fault) for fault, _ in happened})
    assert [wrong for one in workers for wrong in one.wrong] == []
    assert all(one.done and one.seen for one in workers)
    for client in both:
        wait_in_step(client)
        for one in workers:
            one.writer.look(client)
            one.writer.settle(client)
        Follower().check(client)
    assert dump(both[0]) == dump(both[1])
    (count,) = both[0].post("/sparql", data={"query": COUNT}, headers={"Accept": "text/csv"}).text.split()[1:]
    assert int(count) == len(dump(both[0]))


COUNT = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } FILTER(?g != <https://w3id.org/wgig/graph/state>) }"
