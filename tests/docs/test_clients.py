"""What the page about clients shows is what happens, and the notebook shows what it finds."""

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from wgig.cli import parser
from wgig.client import Graph
from wgig.client.connection import Connection
from wgig.mcp.budget import Budget
from wgig.mcp.server import RESOURCES, server_of
from wgig.settings import CHECKOUT, SHIPPED

PAGE = (CHECKOUT / "docs" / "clients.md").read_text(encoding="utf-8")
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
NOTEBOOK = CHECKOUT / "docs" / "questions.ipynb"
HERE = "http://127.0.0.1:8000/"
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def service(
    serving: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("clients") / "store") as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a paper in it."""
    monkeypatch.chdir(tmp_path)
    text = (SHIPPED / "data/examples/community-networks.md").read_text("utf-8")
    text = re.sub(r"### Threats\n\n.*?\n\n", "", text, flags=re.DOTALL)
    (tmp_path / "spam.md").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_page_runs_from_top_to_bottom(
    service: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(PYTHON) == 7
    assert (folder / "spam.md").exists()
    names: dict[str, Any] = {}
    for block in PYTHON:
        exec(block.replace(HERE, service), names)
    printed = capsys.readouterr().out
    names["graph"].close()
    assert "Take out the comma." in printed
    assert "@misc{wgig-query-" in printed
    assert len(names["titles"]) > 15


def test_the_readme_shows_what_works(service: str, folder: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, Any] = {}
    exec(block.replace(HERE, service), names)
    assert (folder / "spam.md").exists()
    assert names["table"]["days_late"].max() == 7
    assert names["report"].papers


@pytest.mark.parametrize("command", re.findall(r"^wgig (.*)$", PAGE, re.MULTILINE))
def test_a_command_can_be_called_as_shown(command: str) -> None:
    parser().parse_args(shlex.split(command))


def test_the_configuration_calls_a_command_that_there_is() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (server,) = json.loads(shown)["mcpServers"].values()
    assert server["command"] == "wgig"
    parser().parse_args(server["args"])


def test_the_page_lists_the_tools_and_the_budget() -> None:
    server = server_of(Graph(Connection(HERE)), Budget())
    tools = asyncio.run(server.list_tools())
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [one.name for one in tools]
    assert {f"wgig://{name}" for name in RESOURCES} == set(re.findall(r"wgig://\w+", PAGE))
    assert f"within {Budget().bytes // 1024} KiB, a table within {Budget().rows} rows" in PAGE


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_the_calls_of_the_page_give_the_same_digest(service: str) -> None:
    cite, digest = (
        subprocess.run(
            ["bash", "-c", call.replace(HERE, service)], capture_output=True, text=True, check=True
        )
        for call in re.findall(r"^curl .*$", PAGE, re.MULTILINE)
    )
    assert digest.stdout.split()[0] in cite.stdout


def printed(cell: Any) -> list[str]:
    """What a cell shows, as text."""
    return [one.get("text") or one["data"]["text/plain"] for one in cell.get("outputs", [])]


def test_the_notebook_shows_what_it_finds(
    service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WGIG_URL", service)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    path = os.pathsep.join([str(CHECKOUT / "service"), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    read: Any = nbformat.read
    kept, run = (read(NOTEBOOK, as_version=4) for _ in range(2))
    NotebookClient(run, timeout=60, kernel_name="python3").execute()
    renew = "If it is right by the facts: jupyter execute --inplace docs/questions.ipynb"
    assert [printed(cell) for cell in run.cells] == [printed(cell) for cell in kept.cells], renew
    assert sum(map(len, map(printed, kept.cells))) >= 9
