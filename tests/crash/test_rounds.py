"""Round after round, one process of the service is killed at a random moment while clients write and read.

`make crash` goes through 200 rounds. A round that fails is named with the seed of all: CRASH_SEED=… has the
same victims killed after as many writes, though the system may do other things meanwhile.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from wgig.backup.backups import STORE, backups
from wgig.backup.manifest import Manifest, check_files, content

from .family import descendants, family, kill, left_of, processor_seconds
from .load import PATIENCE, TOKEN, GraphWriter, Load, MovingWriter, PaperWriter, Writer, client_of

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "10"))
SEED = int(os.environ.get("CRASH_SEED", str(time.time_ns() % 1_000_000)))
READY = 3  # seconds from the start of a service that was killed to its first answer, on a machine of its own

# Whom a round kills, as often as it is named here.
VICTIMS = ("service", "service", "service", "reader", "holder", "checker", "backup", "backup")
DATA = {"none": 0.8, "shipped": 0.2}  # what the store is kept filled with, in which share of the rounds
ENVIRONMENT = os.environ | {"WGIG_TOKEN": TOKEN}
WGIG = (sys.executable, "-m", "wgig")


class Service:
    """`wgig serve` on the store in a folder."""

    def __init__(self, folder: Path, data: str) -> None:
        """Start it, and wait until it is ready, which takes so many `seconds` of the processor."""
        command = [*WGIG, "serve", "--port", "0", "--store", str(folder / "store")]
        self.process = subprocess.Popen(
            command, env=ENVIRONMENT | {"WGIG_DATA": data}, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.url = self.process.stdout.readline().split()[2]
        self.wait()
        self.seconds = processor_seconds(self.process.pid)

    def wait(self) -> None:
        """Wait until it says that it is ready. Raises AssertionError where it does not."""
        until = time.monotonic() + PATIENCE
        with client_of(self.url) as client:
            while time.monotonic() < until:
                with suppress(httpx.TransportError):
                    if client.get("/ready").status_code == 200:
                        return
        raise AssertionError("the service is not ready again")

    def check(self) -> None:
        """Have something checked that is no paper."""
        with client_of(self.url) as client:
            answer = client.post("/validate", content="No paper.", headers={"Content-Type": "text/markdown"})
        assert answer.status_code == 400, answer.text

    def kill(self, victim: str, chance: random.Random) -> None:
        """Kill it, or one of the processes below it."""
        members = {"service": [self.process.pid]} | family(self.process.pid)
        kill(chance.choice(members[victim]))

    def end(self) -> None:
        """Kill it. Raises AssertionError where a process of it remains."""
        members = descendants(self.process.pid)
        self.process.kill()
        self.process.communicate()
        assert not left_of(members)


class World:
    """A folder with a store and backups, and the writers that know what is to be in it."""

    def __init__(self, folder: Path, data: str) -> None:
        """Nothing is written yet, and no service was started. The store is kept filled with `data`."""
        self.folder, self.data = folder, data
        self.writers: list[Writer] = [
            *(GraphWriter(f"graph{number}") for number in range(3)),
            *(MovingWriter(f"mover{number}") for number in range(2)),
        ]
        self.most = 30  # writes that are acknowledged before a kill
        if data == "shipped":
            self.writers.append(PaperWriter("paper"))
            self.most = 3  # as each is followed by inference
        self.seconds: list[float] = []

    def settle(self, url: str) -> None:
        """Let each writer look whether all is as it must be."""
        with client_of(url) as client:
            for writer in self.writers:
                writer.settle(client)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, World]:
    """The worlds of all rounds: one without inference, and one with it."""
    return {data: World(tmp_path_factory.mktemp("world"), data) for data in DATA}


@contextmanager
def serving(world: World) -> Iterator[Service]:
    """A service that is running, in which all is as it must be after the round before."""
    service = Service(world.folder, world.data)
    try:
        world.seconds.append(service.seconds)
        world.settle(service.url)
        yield service
    finally:
        service.end()


@pytest.mark.parametrize(
    ("data", "round_"),
    [
        (data, f"seed {SEED} round {number}")
        for data, share in DATA.items()
        for number in range(round(ROUNDS * share))
    ],
)
def test_nothing_is_lost_or_halved_by_a_kill(worlds: dict[str, World], data: str, round_: str) -> None:
    with serving(worlds[data]) as service:
        go_round(worlds[data], service, random.Random(round_))


def go_round(world: World, service: Service, chance: random.Random) -> None:
    """Let all write and read, kill somebody, and look what is there then."""
    victim = chance.choice(VICTIMS)
    if victim == "checker":
        service.check()
    killed: list[str] = []
    load = Load(world.writers, service.url, lambda: bool(killed))
    try:
        load.wait(chance.randrange(world.most))
        if victim == "backup":
            take_backup(world.folder, chance)
        else:
            time.sleep(chance.uniform(0, 0.02))  # so that it is not always just after a write
            killed.append(victim)
            service.kill(victim, chance)
    finally:
        load.end()
    if victim != "service":  # one that was killed is asked by the next round
        service.wait()
        service.check()
        world.settle(service.url)


@pytest.mark.parametrize("data", DATA)
def test_all_is_there_after_the_last_round(worlds: dict[str, World], data: str) -> None:
    with serving(worlds[data]):
        assert any(one.acknowledged for one in worlds[data].writers)


@pytest.mark.parametrize("data", DATA)
def test_a_service_that_was_killed_is_ready_again_soon(worlds: dict[str, World], data: str) -> None:
    _, *seconds = worlds[data].seconds  # the first one was not killed
    assert max(seconds) <= READY


def take_backup(folder: Path, chance: random.Random) -> None:
    """Begin a backup of the service at work, and kill it at some moment, or let it come to its end."""
    command = [*WGIG, "backup", str(folder / "backups"), "--store", str(folder / "store")]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.2, 1.5))
        process.kill()
    for one in backups(folder / "backups"):
        manifest = Manifest.read(one)
        check_files(one / STORE, manifest.files)
        assert content(one / STORE) == manifest.content
