"""A server as a process: started on a free port, ready with its first answer, stopped afterwards."""

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

from .client import NONE
from .commands import WGIG

GRACE = 30  # seconds
PATIENCE = 600  # seconds; a large store in memory takes minutes

# True in every store that holds the shipped data: the answer shows that it is all there.
QUESTION = "/sparql?" + urlencode(
    {"query": "ASK { GRAPH ?graph { ?issue a <https://w3id.org/wgig/ontology#Issue> } }"}
)


def fill(store: Path) -> None:
    """Make a store that holds the shipped data."""
    first_answer([*WGIG, "serve", "--store", str(store)], "--port", "{port}")


def first_answer(server: Sequence[str], *listen: str) -> float:
    """Seconds from the start of a server to its first answer over HTTP; then it is stopped."""
    with running(server, *listen) as one:
        return one.seconds


class Running(NamedTuple):
    """A server that answers: its process, its port, the question, and the seconds until its first answer."""

    process: int
    port: int
    question: str
    seconds: float


@contextmanager
def running(
    server: Sequence[str],
    *listen: str,
    question: str = QUESTION,
    sign: bytes = b"true",
    port: int = 0,
    environment: Mapping[str, str] = NONE,
) -> Iterator[Running]:
    """A server whose answer to a question over HTTP holds the sign; it is stopped afterwards.

    `{port}` in `listen` is replaced by the port, which is a free one where none is given.
    """
    port = port or free_port()
    start = time.perf_counter()
    words = [*server, *(word.format(port=port) for word in listen)]
    with (
        # A pipe that nobody reads would stop a server that says much.
        TemporaryFile() as said,
        subprocess.Popen(
            words, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=said
        ) as process,
    ):
        try:
            while not answers(port, question, sign):
                seconds = time.perf_counter() - start
                if process.poll() is not None or seconds > PATIENCE:
                    process.kill()
                    said.seek(0)
                    last = said.read()[-2000:].decode(errors="replace")
                    raise SystemExit(f"{' '.join(server)} gave no answer within {seconds:.0f} s:\n{last}")
                time.sleep(0.002)
            yield Running(process.pid, port, question, time.perf_counter() - start)
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server in good order, or without it when it takes too long."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:  # such as one whose only thread is busy with a query
        process.kill()


def answers(port: int, question: str, sign: bytes) -> bool:
    """Whether the sign is in the answer of the server."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", question, headers={"Accept": "application/sparql-results+json"})
        return sign in connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
