"""A service, a folder that it serves, and the writers that know what is to be in it."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from wgig.store.backup.backup import BACKUP_STORE_FOLDER
from wgig.store.backup.manifest import BackupManifest, StoreContent, check_file_checksums, read_store_content

from tests.fixtures.projections import Follower, check_figures, wait_in_step

from .family import GONE, descendants, family, is_halted, kill, left_of, processor_seconds
from .load import PATIENCE, TOKEN, GraphWriter, MovingWriter, NameWriter, PaperWriter, Writer, client_of

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "10"))
SEED = int(os.environ.get("CRASH_SEED", str(time.time_ns() % 1_000_000)))
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

    def halt(self) -> None:
        """Have it do nothing any more, in the midst of whatever it does, until it is killed."""
        self.process.send_signal(signal.SIGSTOP)
        until = time.monotonic() + GONE
        while not is_halted(self.process.pid):
            assert time.monotonic() < until, "the service does not halt"

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
            NameWriter("named"),
        ]
        self.follower = Follower()
        self.most = 30  # writes that are acknowledged before a kill
        if data == "shipped":
            self.writers.append(PaperWriter("paper"))
            self.most = 3  # as each is followed by inference
        self.seconds: list[float] = []

    def settle(self, url: str) -> None:
        """Let each writer look whether all is as it must be, and see what is kept beside the quads."""
        with client_of(url) as client:
            wait_in_step(client)
            for writer in self.writers:
                writer.settle(client)
            self.follower.check(client)
            assert len(self.follower.names) <= 1, "the event stream began anew"
            if self.data == "shipped":
                check_figures(client)


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


def check_whole(backup: Path) -> StoreContent:
    """What a backup holds. Raises DamagedError or AssertionError where that is not what it says of itself."""
    manifest = BackupManifest.read(backup)
    check_file_checksums(backup / BACKUP_STORE_FOLDER, manifest.files)
    assert read_store_content(backup / BACKUP_STORE_FOLDER) == manifest.content
    return manifest.content
