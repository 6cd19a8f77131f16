"""A service, the folder of its store, and the writers, which check that the store is in a permitted state."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
from wgig.seed import open_filled_store
from wgig.settings import Settings
from wgig.store.backup.manifest import BackupManifest, StoreContent, check_file_checksums, read_store_content
from wgig.store.files import BACKUP_STORE_FOLDER
from wgig.store.folder import CHANGE_LOG_FILE
from wgig.store.resource_versions.states import get_derived_graphs
from wgig.store.store import Store

from tests.fixtures.processes import copy_filled_store
from tests.fixtures.projections import StreamFollower, check_statistics, wait_until_current

from .family import (
    EXIT_SECONDS,
    find_descendants,
    is_halted,
    kill_process,
    list_processes_by_type,
    read_cpu_seconds,
    wait_for_exit,
)
from .load import (
    RESPONSE_TIMEOUT_SECONDS,
    WRITE_TOKEN,
    GraphWriter,
    NumberWriter,
    PaperWriter,
    TitleWriter,
    Writer,
    make_client,
)

ROUND_COUNT = int(os.environ.get("CRASH_ROUNDS", "6"))
SEED = int(os.environ.get("CRASH_SEED", str(time.time_ns() % 1_000_000)))
DATA_SHARES = {"none": 0.8, "shipped": 0.2}  # value of WGIG_DATA: share of the rounds
ENVIRONMENT = os.environ | {"WGIG_TOKEN": WRITE_TOKEN}
DERIVED_GRAPHS = get_derived_graphs(Settings.base)
WGIG_COMMAND = (sys.executable, "-m", "wgig")


class Service:
    """`wgig serve` on the store in a folder."""

    def __init__(self, folder: Path, data: str) -> None:
        """Start the service, and wait until it is ready. `start_seconds` is the CPU time of the start."""
        command = [*WGIG_COMMAND, "serve", "--port", "0", "--store", str(folder / "store")]
        self.process = subprocess.Popen(
            command, env=ENVIRONMENT | {"WGIG_DATA": data}, stdout=subprocess.PIPE, text=True
        )
        self.halted_processes = list[int]()
        assert self.process.stdout
        self.url = self.process.stdout.readline().split()[2]  # of "Serving on URL (…)"
        self.wait()
        self.start_seconds = read_cpu_seconds(self.process.pid)

    def wait(self) -> None:
        """Wait until it is ready. Raises AssertionError after the timeout."""
        deadline = time.monotonic() + RESPONSE_TIMEOUT_SECONDS
        with make_client(self.url) as client:
            while time.monotonic() < deadline:
                with suppress(httpx2.TransportError):
                    if client.get("/ready").status_code == 200:
                        return
        raise AssertionError("the service is not ready")

    def start_check_worker(self) -> None:
        """Send a text that is no paper to /validate, so that a check worker runs."""
        with make_client(self.url) as client:
            response = client.post(
                "/validate", content="No paper.", headers={"Content-Type": "text/markdown"}
            )
        assert response.status_code == 400, response.text

    def kill(self, victim: str, chance: random.Random) -> None:
        """Kill the service, or a random one of its processes of the type `victim`."""
        processes = {"service": [self.process.pid]} | list_processes_by_type(self.process.pid)
        kill_process(chance.choice(processes[victim]))

    @property
    def own_processes(self) -> list[int]:
        """The process that was started, and with front processes those that depend on it only by a signal."""
        processes = list_processes_by_type(self.process.pid)
        return [self.process.pid, *processes["writer"], *processes["front"]]

    def halt(self) -> None:
        """Stop all its threads (SIGSTOP), until it is killed."""
        self.halted_processes = self.own_processes
        for process in self.halted_processes:
            os.kill(process, signal.SIGSTOP)
        deadline = time.monotonic() + EXIT_SECONDS
        while not all(map(is_halted, self.halted_processes)):
            assert time.monotonic() < deadline, "the service does not halt"

    def kill_halted(self) -> None:
        """Kill what was halted; it would ignore other signals."""
        for process in self.halted_processes:
            kill_process(process)

    def end(self) -> None:
        """Kill it. Raises AssertionError if one of its processes remains."""
        processes = find_descendants(self.process.pid)
        self.process.kill()
        self.kill_halted()
        self.process.communicate()
        assert not wait_for_exit(processes)


class Scenario:
    """A folder with a store and backups, and the writers, which check the state of the store."""

    def __init__(self, folder: Path, data: str) -> None:
        """Start without any write or service; `data`, the value of WGIG_DATA, is in the store."""
        self.folder, self.data = folder, data
        self.writers: list[Writer] = [
            *(GraphWriter(f"graph{number}") for number in range(3)),
            *(NumberWriter(f"mover{number}") for number in range(2)),
            TitleWriter("named"),
        ]
        self.follower = StreamFollower()
        self.max_writes = 30  # maximum number of acknowledged writes before a kill
        if data == "shipped":
            copy_filled_store(folder / "store")
            self.writers.append(PaperWriter("paper"))
            self.max_writes = 3  # as inference follows each write
        self.start_seconds: list[float] = []  # of each start of the service

    def check_store(self, url: str) -> None:
        """Check the state of each writer, and the data derived from the quads."""
        with make_client(url) as client:
            wait_until_current(client)
            for writer in self.writers:
                writer.check_after_crash(client)
            self.follower.check(client)
            assert len(self.follower.names) <= 1, "a new event stream was started"
            if self.data == "shipped":
                check_statistics(client)


@contextmanager
def run_scenario(scenario: Scenario) -> Iterator[Service]:
    """A running service, after a check that the earlier rounds left it in a permitted state."""
    service = Service(scenario.folder, scenario.data)
    try:
        scenario.start_seconds.append(service.start_seconds)
        scenario.check_store(service.url)
        yield service
    finally:
        service.end()


def check_replay(folder: Path, data: str, scratch: Path) -> None:
    """Compare the stated quads of a store that a killed service left with a replay of its log from nothing.

    Works on copies, so that the next round finds the store as it was left.
    """
    copy, replayed = scratch / "copy", scratch / "replayed"
    shutil.copytree(folder / "store", copy, ignore=shutil.ignore_patterns("control"))
    replayed.mkdir()
    store = open_filled_store(Settings(store=copy, data=data), lambda _: None)
    quads = {quad for quad in store.match() if quad.graph_name not in DERIVED_GRAPHS}
    store.close()
    for path in copy.glob(f"{CHANGE_LOG_FILE}*"):
        shutil.copy(path, replayed)
    assert set(Store.open(replayed).match()) == quads
    for path in (copy, replayed):
        shutil.rmtree(path, ignore_errors=True)


def check_backup(backup: Path) -> StoreContent:
    """The content of a backup. Raises DamagedBackupError or AssertionError if its manifest is wrong."""
    manifest = BackupManifest.read(backup)
    check_file_checksums(backup / BACKUP_STORE_FOLDER, manifest.files)
    assert read_store_content(backup / BACKUP_STORE_FOLDER) == manifest.content
    return manifest.content
