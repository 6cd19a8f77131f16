"""Services over engines: one on the shipped data for many tests, and others as a test wants them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from .engines import EMBEDDED, LONG, Engine, running

TOKEN = "let me in"


@contextmanager
def instance(folder: Path, settings: Mapping[str, str]) -> Iterator[httpx.Client]:
    """A client of a service with these settings, whose copy is in a folder."""
    script = str(Path(sys.executable).with_name("wgig"))
    command = [script, "serve", "--port", "0", "--store", str(folder)]
    environment = os.environ | {"WGIG_TOKEN": TOKEN, **settings}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            found = next(filter(None, (re.search(r"http://\S+", line) for line in process.stdout)), None)
            assert found, "the service did not start"
            headers = {"Authorization": f"Bearer {TOKEN}"}
            with httpx.Client(base_url=found[0], headers=headers, timeout=60) as client:
                yield client
        finally:
            process.terminate()


@pytest.fixture(scope="module", params=[EMBEDDED, *LONG])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client that may write, of a service on the shipped data, over each kind of store."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == EMBEDDED:
        with instance(folder / "store", {}) as client:
            yield client
        return
    with (
        running(request.param, folder / "engine") as one,
        instance(folder / "copy", one.settings()) as client,
    ):
        yield client


@pytest.fixture(scope="module", params=LONG)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that runs, of each kind."""
    with running(request.param, tmp_path_factory.mktemp(request.param) / "engine") as one:
        yield one
