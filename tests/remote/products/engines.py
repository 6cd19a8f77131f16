"""Engines that hold a shared store, each started in a folder of its own by whoever runs the tests."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from bench.compare import virtuoso
from bench.measure.server import free_port

EMBEDDED, OXIGRAPH, VIRTUOSO = "embedded", "oxigraph", "virtuoso"
SHARED = (OXIGRAPH, VIRTUOSO)
LONG = [pytest.param(name, marks=pytest.mark.long) for name in SHARED]  # the same, of tests
PATIENCE = 60  # seconds until an engine answers


class Engine:
    """An engine in a folder, which listens on the same port each time that it is started."""

    def __init__(self, name: str, folder: Path) -> None:
        """It is not running yet."""
        self.name, self.folder, self.port = name, folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        self.command = oxigraph(folder, self.port) if name == OXIGRAPH else of_virtuoso(folder, self.port)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.home}{self.path}", params={"query": "ASK {}"}).status_code < 500:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        self.fail()

    def fail(self) -> NoReturn:
        """Say that it does not answer."""
        raise AssertionError(f"{self.name} does not answer")

    def kill(self) -> None:
        """End it at once."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def pause(self) -> None:
        """Have it do nothing, until it is to go on."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    @property
    def home(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def path(self) -> str:
        """Where its queries go."""
        return "/query" if self.name == OXIGRAPH else "/sparql-auth"

    def settings(self, home: str = "") -> dict[str, str]:
        """The settings of a service over it, or over what stands before it."""
        home = home or self.home
        given = {"WGIG_REMOTE_QUERY": f"{home}{self.path}", "WGIG_REMOTE_PROFILE": self.name}
        if self.name == OXIGRAPH:
            return given | {"WGIG_REMOTE_UPDATE": f"{home}/update"}
        return given | {"WGIG_REMOTE_AUTH": f"digest:{self.folder / 'secret'}"}


@contextmanager
def running(name: str, folder: Path) -> Iterator[Engine]:
    """An engine that runs; the test is skipped where it is not installed."""
    if name == VIRTUOSO and not virtuoso.installed():
        pytest.skip("Virtuoso is not installed (Debian: virtuoso-opensource-7-bin).")
    engine = Engine(name, folder)
    engine.start()
    try:
        yield engine
    finally:
        engine.kill()


def oxigraph(folder: Path, port: int) -> list[str]:
    """The command that serves an Oxigraph store in a folder."""
    script = str(Path(sys.executable).with_name("oxigraph"))
    return [script, "serve", "--location", str(folder / "store"), "--bind", f"127.0.0.1:{port}"]


def of_virtuoso(folder: Path, port: int) -> list[str]:
    """The command that serves a Virtuoso database in a folder, small as that of a test."""
    (folder / "secret").write_text("dba:dba\n")
    (folder / "secret").chmod(0o600)
    settings = virtuoso.SETTINGS.format(folder=folder, data=folder, sql=free_port(), http=port)
    for large, small in SMALL.items():
        assert large in settings
        settings = settings.replace(large, small)
    (folder / "virtuoso.ini").write_text(settings)
    return [virtuoso.SERVER, "+foreground", "+configfile", str(folder / "virtuoso.ini")]


SMALL = {
    "NumberOfBuffers      = 170000": "NumberOfBuffers      = 20000",
    "MaxDirtyBuffers      = 130000": "MaxDirtyBuffers      = 15000",
    "FileExtend         = 200": "FileExtend         = 50",
    "MaxQueryMem          = 2G": "MaxQueryMem          = 200M",
    "MaxClientConnections = 10": "MaxClientConnections = 40",
    "MaxKeepAlives        = 10": "MaxKeepAlives        = 40",
}
