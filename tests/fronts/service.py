"""A service with three front processes, and connections to all of them."""

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from wgig.settings import Settings

from tests.crash.family import find_descendants
from tests.fixtures.processes import RunningService, run_service

TOKEN = "let me in"
FRONT_COUNT = 3
CONNECT_SECONDS = 10  # until all front processes have accepted a connection
STOP_SECONDS = 60
GRAPH = f"{Settings.base}graph/test"
WRITE_HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/sparql-update"}


class FrontClients:
    """A client for each front process of a service."""

    def __init__(self, service: RunningService) -> None:
        """Connect until there is a connection to each front process."""
        self.url, self.process_id = service.url, service.process.pid
        self.by_front: dict[str, httpx2.Client] = {}
        self.connect()

    def connect(self) -> None:
        """Connect to the front processes to which there is no connection."""
        deadline = time.monotonic() + CONNECT_SECONDS
        while time.monotonic() < deadline:
            if len(self.by_front) == FRONT_COUNT:
                return
            client = httpx2.Client(base_url=self.url, timeout=30)
            if self.by_front.setdefault(find_front(client), client) is not client:
                client.close()
        raise AssertionError(f"connections were accepted by {len(self.by_front)} front processes only")

    def reconnect(self) -> None:
        """Connect again to front processes that may be others."""
        self.close()
        self.connect()

    def close(self) -> None:
        """Close the connections."""
        for client in self:
            client.close()
        self.by_front = {}

    def choose_two(self) -> tuple[httpx2.Client, httpx2.Client]:
        """Two clients of different front processes."""
        first, second = random.sample([*self.by_front.values()], 2)
        return first, second

    def __iter__(self) -> Iterator[httpx2.Client]:
        """The clients."""
        return iter([*self.by_front.values()])

    def list_children(self) -> list[int]:
        """The process IDs of the writer and the front processes, the writer first."""
        return [*self.list_processes("writer"), *self.list_processes("front")]

    def list_processes(self, name: str) -> list[int]:
        """The process IDs of the processes of the service with a name: writer, front, forker or worker."""
        return [
            process.pid for process in find_descendants(self.process_id) if process.name == f"wgig-{name}"
        ]


def find_front(client: httpx2.Client) -> str:
    """The name of the front process of a connection: the first part of its request IDs."""
    return client.get("/sparql?query=ASK{}").headers["X-Request-Id"].partition("-")[0]


@contextmanager
def run_fronts(folder: Path, **settings: str) -> Iterator[tuple[RunningService, FrontClients]]:
    """Run a service with front processes, and connect to them."""
    settings = {"WGIG_WORKERS": str(FRONT_COUNT), "WGIG_TOKEN": TOKEN, **settings}
    with run_service(folder, **settings) as service:
        clients = FrontClients(service)
        try:
            yield service, clients
        finally:
            clients.close()
            service.process.send_signal(signal.SIGCONT)  # a test that failed may have stopped it
            service.process.terminate()
            service.process.wait(STOP_SECONDS)


def write_number(client: httpx2.Client, number: int) -> httpx2.Response:
    """Replace the number in the store."""
    headers = WRITE_HEADERS | {"Content-Type": "text/turtle"}
    content = f"<x:s> <x:p> {number} ."
    return client.put("/graphs", params={"graph": GRAPH}, content=content, headers=headers)


def read_number(client: httpx2.Client) -> int:
    """The number in the store."""
    response = client.get("/sparql?query=SELECT ?o {<x:s> <x:p> ?o}", headers={"Accept": "text/csv"})
    assert response.status_code == 200, response.text
    return int(response.text.split()[1])
