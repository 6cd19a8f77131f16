"""Fixtures: engines, and instances of wgig that share a store in an engine."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import pytest

from tests.fixtures.processes import copy_filled_store, list_sockets

from .engines import EMBEDDED, ENGINE_PARAMETERS, Engine, run_engine

TOKEN = "let me in"


@contextmanager
def run_instance(
    folder: Path, settings: Mapping[str, str], last_signal: signal.Signals = signal.SIGTERM
) -> Iterator[httpx2.Client]:
    """Run an instance, and yield a client of it; `folder` is for its store or its copy of a shared store."""
    script = str(Path(sys.executable).with_name("wgig"))
    command = [script, "serve", "--port", "0", "--store", str(folder)]
    environment = os.environ | {"WGIG_TOKEN": TOKEN, **settings}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            match = next(filter(None, (re.search(r"http://\S+", line) for line in process.stdout)), None)
            assert match, "the instance did not start"
            headers = {"Authorization": f"Bearer {TOKEN}"}
            with httpx2.Client(base_url=match[0], headers=headers, timeout=60) as client:
                yield client
        finally:
            process.send_signal(last_signal)


@cache
def filled_folder(name: str) -> TemporaryDirectory[str]:
    """A folder with an engine that has the bundled graphs, which an instance takes half a minute to write."""
    folder = TemporaryDirectory(prefix=f"wgig-{name}-")
    with run_engine(name, Path(folder.name) / "engine") as engine:
        with run_instance(Path(folder.name) / "copy", engine.settings()) as client:
            while client.get("/ready").status_code != 200:
                time.sleep(0.05)  # leaves the core to the instance and the engine
        engine.stop()
    return folder


def fill_instance_folder(name: str, folder: Path) -> None:
    """Fill a folder with the copy of the store of an instance that used the engine of `run_filled_engine`.

    An instance with it starts in a few seconds even on a busy machine, as it need not copy the store.
    """
    shutil.copytree(Path(filled_folder(name).name) / "copy", folder, ignore=list_sockets)


@contextmanager
def run_filled_engine(name: str, folder: Path) -> Iterator[Engine]:
    """Run an engine with the bundled graphs, and yield it."""
    with run_engine(name, folder, Path(filled_folder(name).name) / "engine") as engine:
        yield engine


@pytest.fixture(scope="module", params=[EMBEDDED, *ENGINE_PARAMETERS])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx2.Client]:
    """A client, with a token, of an instance with the bundled data, in an embedded or a shared store.

    The instance is killed: after a deletion of all data, SIGTERM would let it update all that depends on it.
    """
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == EMBEDDED:
        copy_filled_store(folder / "store")
        with run_instance(folder / "store", {}, signal.SIGKILL) as client:
            yield client
        return
    fill_instance_folder(request.param, folder / "copy")
    with (
        run_filled_engine(request.param, folder / "engine") as engine,
        run_instance(folder / "copy", engine.settings(), signal.SIGKILL) as client,
    ):
        yield client


@pytest.fixture(scope="module", params=ENGINE_PARAMETERS)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A running engine of each kind."""
    with run_engine(request.param, tmp_path_factory.mktemp(request.param) / "engine") as engine:
        yield engine
