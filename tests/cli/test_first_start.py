"""What the first start of a service does, and what it leaves until it is needed, as that takes memory."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from wgig.store.position import EnginePosition

from tests.crash.family import list_processes_by_type
from tests.fixtures.processes import RunningService
from tests.fixtures.projections import wait_until_current

pytestmark = pytest.mark.slow


@pytest.fixture
def first_service(tmp_path: Path) -> Iterator[RunningService]:
    """A service that has just filled its store."""
    command = [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", str(tmp_path)]
    with subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield RunningService(process.stdout.readline().split()[2], process)
        finally:
            process.kill()


def test_new_store_is_described_before_it_is_served_and_checks_start_when_needed(
    first_service: RunningService, tmp_path: Path
) -> None:
    position = EnginePosition.read(tmp_path)
    assert position
    assert position.is_described
    with httpx2.Client(base_url=first_service.url, timeout=30) as client:
        wait_until_current(client)
        assert not list_processes_by_type(first_service.process.pid)["checker"]
        headers = {"Content-Type": "text/markdown"}
        assert client.post("/validate", content="No paper.", headers=headers).status_code == 400
        assert len(list_processes_by_type(first_service.process.pid)["checker"]) == 1
