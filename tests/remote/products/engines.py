"""SPARQL engines for a shared store, each started in a temporary folder.

In parameters of tests, `embedded` stands for the store of an instance that uses no engine.
"""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import httpx2
import pytest

from bench.compare import virtuoso
from bench.measure.server import find_free_port

EMBEDDED, OXIGRAPH, VIRTUOSO = "embedded", "oxigraph", "virtuoso"
SHARED_ENGINES = (OXIGRAPH, VIRTUOSO)
ENGINE_PARAMETERS = [pytest.param(name, marks=pytest.mark.long) for name in SHARED_ENGINES]
START_TIMEOUT_SECONDS = 60


class Engine:
    """An engine in a folder, which always listens on the same port."""

    def __init__(self, name: str, folder: Path, copied_folder: Path | None = None) -> None:
        """Create the folder, empty or as that of a stopped engine, without starting the engine."""
        self.name, self.folder, self.port = name, folder, find_free_port()
        self.process: subprocess.Popen[bytes] | None = None
        if copied_folder:
            shutil.copytree(copied_folder, folder)
        else:
            folder.mkdir()
        self.command = (
            oxigraph_command(folder, self.port) if name == OXIGRAPH else virtuoso_command(folder, self.port)
        )

    def start(self) -> None:
        """Start the engine, and wait until it responds."""
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            try:
                # Virtuoso refuses the query with status 401, as it has no password.
                if httpx2.get(f"{self.url}{self.path}", params={"query": "ASK {}"}).status_code < 500:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
        self.fail()

    def fail(self) -> NoReturn:
        """Fail the test."""
        raise AssertionError(f"{self.name} does not respond")

    def kill(self) -> None:
        """Kill the process."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """Let the process end with all data in its files."""
        assert self.process
        self.process.terminate()
        self.process.wait()

    def pause(self) -> None:
        """Pause the process until `resume` is called."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Continue the process."""
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    @property
    def url(self) -> str:
        """The URL of the engine, without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def path(self) -> str:
        """The path of the query endpoint."""
        return "/query" if self.name == OXIGRAPH else "/sparql-auth"

    def settings(self, url: str = "") -> dict[str, str]:
        """The settings of an instance that uses the engine, or a proxy of it at `url`."""
        url = url or self.url
        settings = {"WGIG_REMOTE_QUERY": f"{url}{self.path}", "WGIG_REMOTE_PROFILE": self.name}
        if self.name == OXIGRAPH:
            return settings | {"WGIG_REMOTE_UPDATE": f"{url}/update"}
        return settings | {"WGIG_REMOTE_AUTH": f"digest:{self.folder / 'secret'}"}


@contextmanager
def run_engine(name: str, folder: Path, copied_folder: Path | None = None) -> Iterator[Engine]:
    """Run an engine in a new folder, and yield it; skip the test if it is not installed."""
    if name == VIRTUOSO and not virtuoso.is_installed():
        pytest.skip("Virtuoso is not installed (Debian: virtuoso-opensource-7-bin).")
    engine = Engine(name, folder, copied_folder)
    engine.start()
    try:
        yield engine
    finally:
        engine.kill()


def oxigraph_command(folder: Path, port: int) -> list[str]:
    """The command that runs Oxigraph with a store in a folder."""
    script = str(Path(sys.executable).with_name("oxigraph"))
    return [script, "serve", "--location", str(folder / "store"), "--bind", f"127.0.0.1:{port}"]


def virtuoso_command(folder: Path, port: int) -> list[str]:
    """The command that runs Virtuoso with a small database in a folder."""
    (folder / "secret").write_text("dba:dba\n")
    (folder / "secret").chmod(0o600)
    settings = virtuoso.SETTINGS.format(folder=folder, data=folder, sql=find_free_port(), http=port)
    for benchmark_setting, test_setting in TEST_SETTINGS.items():
        assert benchmark_setting in settings
        settings = settings.replace(benchmark_setting, test_setting)
    (folder / "virtuoso.ini").write_text(settings)
    return [virtuoso.SERVER, "+foreground", "+configfile", str(folder / "virtuoso.ini")]


# Settings of the benchmark, and those for tests, with less memory and more connections.
TEST_SETTINGS = {
    "NumberOfBuffers      = 170000": "NumberOfBuffers      = 20000",
    "MaxDirtyBuffers      = 130000": "MaxDirtyBuffers      = 15000",
    "FileExtend         = 200": "FileExtend         = 50",
    "MaxQueryMem          = 2G": "MaxQueryMem          = 200M",
    "MaxClientConnections = 10": "MaxClientConnections = 40",
    "MaxKeepAlives        = 10": "MaxKeepAlives        = 40",
}
