"""The load balancer of deploy/ (HAProxy), running in front of instances of the service."""

import os
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2

from bench.measure.server import find_free_port
from tests.deploy.places import DEPLOY, find_tool

CONFIGURATION_FILE = DEPLOY / "haproxy" / "haproxy.cfg"
WAIT_TIMEOUT_SECONDS = 30


@contextmanager
def run_balancer(certificate: Path, *instances: str) -> Iterator[tuple[httpx2.Client, str]]:
    """A client of the balancer in front of these instances (URLs), and the balancer's URL without TLS."""
    command = [find_tool("haproxy"), "-db", "-f", str(CONFIGURATION_FILE)]
    plain_port, secure_port = find_free_port(), find_free_port()
    environment = os.environ | {
        "HTTP": f"127.0.0.1:{plain_port}",
        "HTTPS": f"127.0.0.1:{secure_port}",
        "CERTIFICATE": str(certificate),
    }
    environment |= {
        f"WGIG_{number}": httpx2.URL(url).netloc.decode() for number, url in enumerate(instances, 1)
    }
    context = ssl.create_default_context(cafile=certificate)
    with (
        subprocess.Popen(command, env=environment) as process,
        httpx2.Client(base_url=f"https://localhost:{secure_port}", verify=context, timeout=60) as client,
    ):
        try:
            wait_until(lambda: client.get("/ready").status_code == 200)
            yield client, f"http://127.0.0.1:{plain_port}"
        finally:
            process.kill()


def wait_until(condition: Callable[[], bool], timeout_seconds: float = WAIT_TIMEOUT_SECONDS) -> None:
    """Wait until a condition holds. It does not hold if it raises httpx2.TransportError."""
    end = time.monotonic() + timeout_seconds
    while time.monotonic() < end:
        with suppress(httpx2.TransportError):
            if condition():
                return
        time.sleep(0.2)
    raise AssertionError(f"The condition did not hold within {timeout_seconds} s.")
