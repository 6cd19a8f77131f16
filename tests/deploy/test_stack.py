"""The parts of the stack of deploy/compose.yaml as processes: Virtuoso, two instances, and the balancer."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx2
import pytest

from bench.compare import virtuoso
from bench.measure.server import find_free_port
from tests.deploy.balancing import run_balancer, wait_until
from tests.deploy.places import DEPLOY, find_tool, load_yaml
from tests.remote.products.engines import VIRTUOSO, Engine

pytestmark = pytest.mark.long

STACK = load_yaml(DEPLOY / "compose.yaml")["services"]
WGIG_PROGRAM = str(Path(sys.executable).with_name("wgig"))
SMALL_BUFFERS = {"NumberOfBuffers": "20000", "MaxDirtyBuffers": "15000"}  # instead of 1 GB
STOP_TIMEOUT_SECONDS = int(STACK["wgig-1"]["stop_grace_period"].removesuffix("s"))
START_TIMEOUT_SECONDS = 150  # until both instances are ready; one of them loads the graph into Virtuoso
PAUSE_SECONDS = 0.2  # between requests of a client; the balancer allows thirty requests per second
METRICS_URL = "http://127.0.0.1:8404/metrics"  # of the balancer
UP_LINES = [  # of the metrics while both instances are up
    f'haproxy_server_status{{proxy="instances",server="{name}",state="UP"}} 1' for name in ("one", "two")
]
TURTLE_HEADERS, N_TRIPLES_HEADERS = {"Content-Type": "text/turtle"}, {"Accept": "application/n-triples"}


@pytest.fixture
def engine(tmp_path: Path, secrets: Path) -> Iterator[Engine]:
    """Virtuoso with the settings of the stack, its password, and the user of the service."""
    if not virtuoso.is_installed():
        pytest.skip("Virtuoso is not installed (Debian: virtuoso-opensource-7-bin).")
    engine = Engine(VIRTUOSO, tmp_path / "engine")
    file = tmp_path / "engine" / "virtuoso.ini"
    settings = ConfigParser(interpolation=None)
    settings.optionxform = str  # type: ignore[assignment,method-assign]
    settings.read(file)
    for name, value in STACK["virtuoso"]["environment"].items():
        if match := re.fullmatch(r"VIRT_([A-Z]+)_([A-Z]+)", name):  # the image maps these to settings
            section = next(title for title in settings.sections() if title.upper() == match[1])
            setting = next(key for key in settings[section] if key.upper() == match[2])
            settings[section][setting] = SMALL_BUFFERS.get(setting, value)
    with file.open("w") as stream:
        settings.write(stream)
    engine.start()
    try:
        password = (secrets / "virtuoso_dba").read_text().strip()
        user = (secrets / "virtuoso_user.sql").read_text()
        statement = f"exec={user} USER_SET_PASSWORD('dba', '{password}');"
        command = [virtuoso.SHELL, settings["Parameters"]["ServerPort"], "dba", "dba", statement]
        subprocess.run(command, check=True, capture_output=True)
        yield engine
    finally:
        engine.kill()


class Instance:
    """An instance with the environment of the stack, except for hosts and folders."""

    process: subprocess.Popen[bytes]

    def __init__(self, name: str, engine: Engine, secrets: Path, folder: Path) -> None:
        """Prepare the environment; `start` starts the process."""
        self.port = find_free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        replacements = {
            "http://virtuoso:8890": engine.url,
            "/run/secrets": str(secrets),
            "/tokens": str(folder / "tokens"),
            STACK["balancer"]["networks"]["front"]["ipv4_address"]: "127.0.0.1",
            "${WGIG_CONTACT:-}": "",
        }
        self.environment = os.environ | {"WGIG_STORE": str(folder / name / "store")}
        for setting, value in STACK[name]["environment"].items():
            old = next((text for text in replacements if text in value), "")
            self.environment[setting] = value.replace(old, replacements.get(old, ""))

    def start(self) -> None:
        """Start the process."""
        command = [WGIG_PROGRAM, "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL)

    def wait_until_ready(self) -> None:
        """Wait until the instance is ready; if its process ended, start it again, as Docker does."""

        def is_ready() -> bool:
            if self.process.poll():
                self.start()
            return httpx2.get(f"{self.url}ready").status_code == 200

        wait_until(is_ready, START_TIMEOUT_SECONDS)

    def stop(self) -> None:
        """Stop the process as Docker does."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_TIMEOUT_SECONDS) == 0

    def create_token(self) -> str:
        """A new token that can write graphs."""
        command = [WGIG_PROGRAM, "token", "new", "--scope", "graphs"]
        process = subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True)
        return process.stdout.strip()


@pytest.fixture
def instances(engine: Engine, secrets: Path, tmp_path: Path) -> Iterator[list[Instance]]:
    """Both instances, started concurrently with an empty engine."""
    instances = [Instance(name, engine, secrets, tmp_path) for name in ("wgig-1", "wgig-2")]
    for instance in instances:
        instance.start()
    try:
        for instance in instances:
            instance.wait_until_ready()
        yield instances
    finally:
        for instance in instances:
            instance.process.kill()
            instance.process.wait()


class Clients:
    """Clients of the balancer: one writes numbers and reads them back, others read pages and send queries."""

    def __init__(self, client: httpx2.Client, token: str) -> None:
        """Take an HTTP client and a token for writing."""
        self.client, self.token_headers = client, {"Authorization": f"Bearer {token}"}
        self.step_count = 0
        self.failures: list[str] = []
        self.stopping = threading.Event()

    def write(self, number: int) -> None:
        """Write a number, and read it back."""
        text = f"<urn:stack> <urn:number> {number} ."
        response = self.client.put(
            "/graph/stack", content=text, headers={**TURTLE_HEADERS, **self.token_headers}
        )
        assert response.status_code in (201, 204), response.text
        graph = self.client.get("/graph/stack", headers=N_TRIPLES_HEADERS)
        assert f'"{number}"' in graph.text, graph.text

    def read(self, number: int) -> None:
        """Read a page, or send a query that is not cached."""
        query = f"SELECT ?s {{ ?s a <urn:nothing-{number}> }}"
        response = (
            self.client.get("/papers") if number % 2 else self.client.get("/sparql", params={"query": query})
        )
        assert response.status_code == 200, response.text

    def repeat_step(self, step: Callable[[int], None]) -> None:
        """Repeat a step until the clients are stopped, and record failures."""
        for number in count():
            if self.stopping.wait(PAUSE_SECONDS):
                return
            try:
                step(number)
                self.step_count += 1
            except (AssertionError, httpx2.HTTPError) as error:
                self.failures.append(repr(error))


@contextmanager
def run_clients(client: httpx2.Client, token: str) -> Iterator[Clients]:
    """A writing client and two reading ones, on threads."""
    clients = Clients(client, token)
    threads = [
        threading.Thread(target=clients.repeat_step, args=(step,))
        for step in (clients.write, clients.read, clients.read)
    ]
    for thread in threads:
        thread.start()
    try:
        yield clients
    finally:
        clients.stopping.set()
        for thread in threads:
            thread.join()


def test_no_request_fails_while_instances_are_restarted(instances: list[Instance], certificate: Path) -> None:
    find_tool("haproxy")
    token = instances[0].create_token()
    with (
        run_balancer(certificate, *(instance.url for instance in instances)) as (client, _),
        run_clients(client, token) as clients,
    ):
        for instance in instances:
            instance.stop()
            instance.start()
            instance.wait_until_ready()
            wait_until(lambda: all(line in httpx2.get(METRICS_URL).text.splitlines() for line in UP_LINES))
    assert clients.failures == []
    assert clients.step_count > 50
    first, second = (
        httpx2.get(f"{instance.url}graph/stack", headers=N_TRIPLES_HEADERS).text for instance in instances
    )
    assert first == second != ""
