"""The parts of the shipped stack as processes: Virtuoso, two instances, and the balancer before them."""

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

import httpx
import pytest

from bench.compare import virtuoso
from bench.measure.server import free_port
from tests.deploy.balancing import balancer, wait
from tests.deploy.places import DEPLOY, document, need
from tests.remote.products.engines import VIRTUOSO, Engine

pytestmark = pytest.mark.long

STACK = document(DEPLOY / "compose.yaml")["services"]
WGIG = str(Path(sys.executable).with_name("wgig"))
BUFFERS = {"NumberOfBuffers": "20000", "MaxDirtyBuffers": "15000"}  # in the place of a gigabyte
GRACE = int(STACK["wgig-1"]["stop_grace_period"].removesuffix("s"))
BEGIN = 150  # seconds until both are ready, of which one fills the engine
PAUSE = 0.2  # seconds between two requests of one client, as the balancer lets thirty come in a second
FIGURES = "http://127.0.0.1:8404/metrics"  # of the balancer
UP = [f'haproxy_server_status{{proxy="instances",server="{name}",state="UP"}} 1' for name in ("one", "two")]
TURTLE, N_TRIPLES = {"Content-Type": "text/turtle"}, {"Accept": "application/n-triples"}


@pytest.fixture
def engine(tmp_path: Path, secrets: Path) -> Iterator[Engine]:
    """Virtuoso with the settings of the stack, its password, and the user of the service."""
    if not virtuoso.installed():
        pytest.skip("Virtuoso is not installed (Debian: virtuoso-opensource-7-bin).")
    one = Engine(VIRTUOSO, tmp_path / "engine")
    file = tmp_path / "engine" / "virtuoso.ini"
    settings = ConfigParser(interpolation=None)
    settings.optionxform = str  # type: ignore[assignment,method-assign]
    settings.read(file)
    for name, value in STACK["virtuoso"]["environment"].items():
        if found := re.fullmatch(r"VIRT_([A-Z]+)_([A-Z]+)", name):  # as the image reads them
            section = next(one for one in settings.sections() if one.upper() == found[1])
            setting = next(one for one in settings[section] if one.upper() == found[2])
            settings[section][setting] = BUFFERS.get(setting, value)
    with file.open("w") as written:
        settings.write(written)
    one.start()
    try:
        login = (secrets / "virtuoso_dba").read_text().strip()
        user = (secrets / "virtuoso_user.sql").read_text()
        step = f"exec={user} USER_SET_PASSWORD('dba', '{login}');"
        command = [virtuoso.SHELL, settings["Parameters"]["ServerPort"], "dba", "dba", step]
        subprocess.run(command, check=True, capture_output=True)
        yield one
    finally:
        one.kill()


class Instance:
    """An instance with the environment that the stack gives it, but for where the others are."""

    process: subprocess.Popen[bytes]

    def __init__(self, name: str, engine: Engine, secrets: Path, folder: Path) -> None:
        """It does not run yet."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        places = {
            "http://virtuoso:8890": engine.home,
            "/run/secrets": str(secrets),
            "/tokens": str(folder / "tokens"),
            STACK["balancer"]["networks"]["front"]["ipv4_address"]: "127.0.0.1",
            "${WGIG_CONTACT:-}": "",
        }
        self.environment = os.environ | {"WGIG_STORE": str(folder / name / "store")}
        for setting, value in STACK[name]["environment"].items():
            there = next((one for one in places if one in value), "")
            self.environment[setting] = value.replace(there, places.get(there, ""))

    def start(self) -> None:
        """Start it."""
        command = [WGIG, "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL)

    def wait_ready(self) -> None:
        """Wait until it is ready; one that gave up is started again, as the stack does."""

        def is_ready() -> bool:
            if self.process.poll():
                self.start()
            return httpx.get(f"{self.url}ready").status_code == 200

        wait(is_ready, BEGIN)

    def stop(self) -> None:
        """Stop it as the stack does."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(GRACE) == 0

    def token(self) -> str:
        """A new token to write graphs."""
        command = [WGIG, "token", "new", "--scope", "graphs"]
        made = subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True)
        return made.stdout.strip()


@pytest.fixture
def instances(engine: Engine, secrets: Path, tmp_path: Path) -> Iterator[list[Instance]]:
    """Both, started at once over an engine without data."""
    both = [Instance(name, engine, secrets, tmp_path) for name in ("wgig-1", "wgig-2")]
    for one in both:
        one.start()
    try:
        for one in both:
            one.wait_ready()
        yield both
    finally:
        for one in both:
            one.process.kill()
            one.process.wait()


class Clients:
    """Clients of the balancer: one writes a number and looks whether it is there, and others read."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        """Nothing is asked yet."""
        self.client, self.fields = client, {"Authorization": f"Bearer {token}"}
        self.done = 0
        self.wrong: list[str] = []
        self.over = threading.Event()

    def write(self, number: int) -> None:
        """Write a number, and find it."""
        said = f"<urn:stack> <urn:number> {number} ."
        answer = self.client.put("/graph/stack", content=said, headers={**TURTLE, **self.fields})
        assert answer.status_code in (201, 204), answer.text
        found = self.client.get("/graph/stack", headers=N_TRIPLES)
        assert f'"{number}"' in found.text, found.text

    def ask(self, number: int) -> None:
        """Read a page, or ask a query that nobody asked before."""
        query = f"SELECT ?s {{ ?s a <urn:nothing-{number}> }}"
        answer = (
            self.client.get("/papers") if number % 2 else self.client.get("/sparql", params={"query": query})
        )
        assert answer.status_code == 200, answer.text

    def work(self, step: Callable[[int], None]) -> None:
        """Do a step again and again, and note what goes wrong."""
        for number in count():
            if self.over.wait(PAUSE):
                return
            try:
                step(number)
                self.done += 1
            except (AssertionError, httpx.HTTPError) as error:
                self.wrong.append(repr(error))


@contextmanager
def at_work(client: httpx.Client, token: str) -> Iterator[Clients]:
    """Clients at work."""
    clients = Clients(client, token)
    threads = [
        threading.Thread(target=clients.work, args=(step,))
        for step in (clients.write, clients.ask, clients.ask)
    ]
    for one in threads:
        one.start()
    try:
        yield clients
    finally:
        clients.over.set()
        for one in threads:
            one.join()


def test_instances_come_and_go_under_load_and_nothing_fails(
    instances: list[Instance], certificate: Path
) -> None:
    need("haproxy")
    token = instances[0].token()
    with (
        balancer(certificate, *(one.url for one in instances)) as (client, _),
        at_work(client, token) as clients,
    ):
        for one in instances:
            one.stop()
            one.start()
            one.wait_ready()
            wait(lambda: all(line in httpx.get(FIGURES).text.splitlines() for line in UP))
    assert clients.wrong == []
    assert clients.done > 50
    for one in instances:
        number = httpx.get(f"{one.url}graph/stack", headers=N_TRIPLES).text
        assert number == httpx.get(f"{instances[0].url}graph/stack", headers=N_TRIPLES).text != ""
