"""Run a server as a process: start it on a free port, wait until it is ready, stop it afterwards."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple
from urllib.parse import urlencode

from .commands import WGIG
from .processes import measure_cpu_seconds

STOP_TIMEOUT_SECONDS = 30
START_TIMEOUT_SECONDS = 600  # a large store in memory takes minutes
MAX_IDLE_CPU_SHARE, IDLE_SECONDS = 0.02, 2.0  # of a core, by an idle server, over so many seconds
NO_VARIABLES: Mapping[str, str] = {}  # added to the environment

# A query that is true in every store with the shipped data.
SHIPPED_DATA_PATH = "/sparql?" + urlencode(
    {"query": "ASK { GRAPH ?graph { ?issue a <https://w3id.org/wgig/ontology#Issue> } }"}
)


def fill_store(store: Path) -> None:
    """Create a store with the shipped data."""
    time_first_response([*WGIG, "serve", "--store", str(store)], "--port", "{port}")


def time_first_response(command: Sequence[str], *listen_options: str) -> float:
    """Seconds from the start of a server to its first HTTP response; the server is then stopped."""
    with run_server(command, *listen_options) as server:
        return server.start_seconds


class RunningServer(NamedTuple):
    """A server that responds."""

    pid: int
    port: int
    ready_path: str  # a path to which it responds quickly
    start_seconds: float  # until its first response


@contextmanager
def run_server(
    command: Sequence[str],
    *listen_options: str,
    ready_path: str = SHIPPED_DATA_PATH,
    ready_text: bytes = b"true",
    port: int = 0,
    environment: Mapping[str, str] = NO_VARIABLES,
) -> Iterator[RunningServer]:
    """A server, from the time when the response to `ready_path` contains `ready_text` to the end of `with`.

    `{port}` in `listen_options` is replaced by the port; `port` 0 means any free port.
    """
    port = port or find_free_port()
    start = time.perf_counter()
    arguments = [*command, *(option.format(port=port) for option in listen_options)]
    with (
        # If stderr were a pipe that nobody reads, a server with much output would block.
        TemporaryFile() as stderr,
        subprocess.Popen(
            arguments, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=stderr
        ) as process,
    ):
        try:
            while not response_contains(port, ready_path, ready_text):
                seconds = time.perf_counter() - start
                if process.poll() is not None or seconds > START_TIMEOUT_SECONDS:
                    process.kill()
                    stderr.seek(0)
                    output = stderr.read()[-2000:].decode(errors="replace")
                    raise SystemExit(f"{' '.join(command)} did not respond within {seconds:.0f} s:\n{output}")
                time.sleep(0.002)
            yield RunningServer(process.pid, port, ready_path, time.perf_counter() - start)
        finally:
            stop_process(process)


def wait_until_idle(server: RunningServer) -> None:
    """Wait until a server has finished the work that follows its start, such as building indexes."""
    cpu_seconds = IDLE_SECONDS
    while cpu_seconds > MAX_IDLE_CPU_SHARE * IDLE_SECONDS:
        before = measure_cpu_seconds(server.pid)
        time.sleep(IDLE_SECONDS)
        cpu_seconds = measure_cpu_seconds(server.pid) - before


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """Send SIGTERM to a server, and kill it if it does not end in time."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:  # such as one whose only thread is busy with a query
        process.kill()


def response_contains(port: int, path: str, text: bytes) -> bool:
    """Whether a server responds to GET with a body that contains a text."""
    connection = HTTPConnection("127.0.0.1", port, timeout=START_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"Accept": "application/sparql-results+json"})
        return text in connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def find_free_port() -> int:
    """A port on which no process listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
