"""The balancer of the shipped stack, as it runs before two instances."""

import os
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from bench.measure.server import free_port
from tests.deploy.places import DEPLOY, need

CONFIGURATION = DEPLOY / "haproxy" / "haproxy.cfg"
PATIENCE = 30  # seconds until it sees what instances there are


@contextmanager
def balancer(certificate: Path, *instances: str) -> Iterator[tuple[httpx.Client, str]]:
    """A client of the balancer before two instances, and the address at which it has no TLS."""
    command = [need("haproxy"), "-db", "-f", str(CONFIGURATION)]
    plain, secure = free_port(), free_port()
    environment = os.environ | {
        "HTTP": f"127.0.0.1:{plain}",
        "HTTPS": f"127.0.0.1:{secure}",
        "CERTIFICATE": str(certificate),
    }
    environment |= {
        f"WGIG_{number}": httpx.URL(url).netloc.decode() for number, url in enumerate(instances, 1)
    }
    context = ssl.create_default_context(cafile=certificate)
    with (
        subprocess.Popen(command, env=environment) as process,
        httpx.Client(base_url=f"https://localhost:{secure}", verify=context, timeout=60) as client,
    ):
        try:
            wait(lambda: client.get("/ready").status_code == 200)
            yield client, f"http://127.0.0.1:{plain}"
        finally:
            process.kill()


def wait(holds: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until something holds, once there is somebody to ask."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if holds():
                return
        time.sleep(0.2)
    raise AssertionError("it never holds")
