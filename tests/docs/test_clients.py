"""What the page about clients shows is what happens, and the notebook shows what it finds."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from nbclient import NotebookClient
from wgig.cli.mcp.server import RESOURCE_DESCRIPTIONS, build_mcp_server
from wgig.cli.mcp.tools import CallBudget
from wgig.client.connection import Connection
from wgig.client.graph import Graph
from wgig.settings import CHECKOUT_FOLDER, SHIPPED_FOLDER

from tests.docs.blocks import DOCS, HERE, blocks, calls, page

PAGE = page("how-to/clients.md")
README = (CHECKOUT_FOLDER / "README.md").read_text(encoding="utf-8")
NOTEBOOK = DOCS / "tutorials" / "questions.ipynb"
PYTHON = blocks(PAGE, "python")
*STARTING, OVER_HTTP = blocks(PAGE, "json")
TOOLS = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def service(
    serving: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("clients") / "store") as url:
        yield url


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a server, with a store of its own."""
    return {**os.environ, "WGIG_STORE": str(tmp_path / "store")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a paper in it."""
    monkeypatch.chdir(tmp_path)
    text = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text("utf-8")
    text = re.sub(r"### Threats\n\n.*?\n\n", "", text, flags=re.DOTALL)
    (tmp_path / "spam.md").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_page_runs_from_top_to_bottom(
    service: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (folder / "spam.md").exists()
    names: dict[str, Any] = {}
    for block in PYTHON:
        exec(block.replace(HERE, service), names)
    printed = capsys.readouterr().out
    names["graph"].close()
    assert "Remove the comma." in printed
    assert "@misc{wgig-query-" in printed
    assert len(names["titles"]) > 15


def test_the_readme_shows_what_works(service: str, folder: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, Any] = {}
    exec(block.replace(HERE, service), names)
    assert (folder / "spam.md").exists()
    assert names["table"]["days_late"].max() == 7
    assert names["report"].papers


def test_a_program_that_starts_the_server_is_told_so(service: str, environment: dict[str, str]) -> None:
    for one in STARTING:
        server = told(one.replace(HERE, service))
        assert server["command"] == "wgig"
        command = [sys.executable, "-m", "wgig", *server["args"]]
        started = StdioServerParameters(command=command[0], args=command[1:], env=environment)
        assert tools(stdio_client(started)) == TOOLS


def test_a_program_that_speaks_http_is_told_the_address(environment: dict[str, str]) -> None:
    (command,) = calls(PAGE, "wgig")
    port = command.split()[-1]
    assert told(OVER_HTTP)["url"] == f"http://127.0.0.1:{port}/mcp"
    words = [sys.executable, "-m", "wgig", *command.replace(port, "0").split()]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr
        try:
            address = next(found[0] for line in process.stderr if (found := re.search(r"http://\S+", line)))
            listed = tools(address)
        finally:
            process.terminate()
    assert listed == TOOLS
    assert urlsplit(address).path == "/mcp"


def told(configuration: str) -> dict[str, Any]:
    """What a configuration says of its one server."""
    (server,) = json.loads(configuration)["mcpServers"].values()
    found: dict[str, Any] = server
    return found


def tools(server: Any) -> list[str]:
    """The tools that a client of the protocol finds at a server."""

    async def once() -> list[str]:
        async with Client(server) as client:
            return [one.name for one in (await client.list_tools()).tools]

    return asyncio.run(once())


def test_the_page_lists_the_tools_and_the_budget() -> None:
    server = build_mcp_server(Graph(Connection(HERE)), CallBudget())
    assert [one.name for one in asyncio.run(server.list_tools())] == TOOLS
    assert {f"wgig://{name}" for name in RESOURCE_DESCRIPTIONS} == set(re.findall(r"wgig://\w+", PAGE))
    assert f"to {CallBudget().bytes // 1024} KiB, a table to {CallBudget().rows} rows" in PAGE


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_the_calls_of_the_page_give_the_same_digest(service: str) -> None:
    cite, digest = (
        subprocess.run(
            ["bash", "-c", f"curl {call.replace(HERE, service)}"], capture_output=True, text=True, check=True
        )
        for call in calls(PAGE, "curl")
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
    path = os.pathsep.join([str(CHECKOUT_FOLDER / "service"), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    read: Any = nbformat.read
    kept, run = (read(NOTEBOOK, as_version=4) for _ in range(2))
    NotebookClient(run, timeout=60, kernel_name="python3").execute()
    renew = "If it is right by the facts: jupyter execute --inplace docs/tutorials/questions.ipynb"
    assert [printed(cell) for cell in run.cells] == [printed(cell) for cell in kept.cells], renew
    assert sum(map(len, map(printed, kept.cells))) >= 9
