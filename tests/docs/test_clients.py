"""The code on the page about clients runs, and the notebook has current outputs."""

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
from wgig.settings import CHECKOUT_FOLDER, SHIPPED_FOLDER
from wgig_client.client import GraphClient
from wgig_client.connection import Connection

from tests.docs.blocks import DOCS, SHOWN_URL, find_calls, find_code_blocks, read_docs_page

PAGE = read_docs_page("how-to/clients.md")
README = (CHECKOUT_FOLDER / "README.md").read_text(encoding="utf-8")
NOTEBOOK = DOCS / "tutorials" / "questions.ipynb"
PYTHON_BLOCKS = find_code_blocks(PAGE, "python")
*STDIO_CONFIGURATIONS, HTTP_CONFIGURATION = find_code_blocks(PAGE, "json")
TOOL_NAMES = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def service(
    start_service: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with start_service(tmp_path_factory.mktemp("clients") / "store") as url:
        yield url


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a server with a new store."""
    return {**os.environ, "WGIG_STORE": str(tmp_path / "store")}


@pytest.fixture
def folder_with_paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to a folder with an incomplete paper `spam.md`, which the code checks."""
    monkeypatch.chdir(tmp_path)
    text = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text("utf-8")
    text = re.sub(r"### Threats\n\n.*?\n\n", "", text, flags=re.DOTALL)
    (tmp_path / "spam.md").write_text(text, encoding="utf-8")


@pytest.mark.usefixtures("folder_with_paper")
def test_the_python_code_of_the_page_runs_from_top_to_bottom(
    service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace: dict[str, Any] = {}
    for block in PYTHON_BLOCKS:
        exec(block.replace(SHOWN_URL, service), namespace)
    printed = capsys.readouterr().out
    namespace["graph"].close()
    assert "Remove the comma." in printed
    assert "@misc{wgig-query-" in printed
    assert len(namespace["titles"]) > 15


@pytest.mark.usefixtures("folder_with_paper")
def test_the_code_in_the_readme_runs(service: str) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(block.replace(SHOWN_URL, service), namespace)
    assert namespace["table"]["days_late"].max() == 7  # in the shipped data
    assert namespace["report"].papers


def test_a_client_can_start_the_server_as_configured(service: str, environment: dict[str, str]) -> None:
    for configuration in STDIO_CONFIGURATIONS:
        server = parse_server(configuration.replace(SHOWN_URL, service))
        assert server["command"] == "wgig"
        arguments = ["-m", "wgig", *server["args"]]
        parameters = StdioServerParameters(command=sys.executable, args=arguments, env=environment)
        assert list_tool_names(stdio_client(parameters)) == TOOL_NAMES


def test_a_client_can_use_http_as_configured(environment: dict[str, str]) -> None:
    (command,) = find_calls(PAGE, "wgig")
    port = command.split()[-1]
    assert parse_server(HTTP_CONFIGURATION)["url"] == f"http://127.0.0.1:{port}/mcp"
    arguments = [sys.executable, "-m", "wgig", *command.replace(port, "0").split()]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr
        try:
            url = next(match[0] for line in process.stderr if (match := re.search(r"http://\S+", line)))
            tools = list_tool_names(url)
        finally:
            process.terminate()
    assert tools == TOOL_NAMES
    assert urlsplit(url).path == "/mcp"


def parse_server(configuration: str) -> dict[str, Any]:
    """The only server in a configuration."""
    servers: dict[str, dict[str, Any]] = json.loads(configuration)["mcpServers"]
    (server,) = servers.values()
    return server


def list_tool_names(server: Any) -> list[str]:
    """The tools that an MCP client finds at a server."""

    async def list_tools() -> list[str]:
        async with Client(server) as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    return asyncio.run(list_tools())


def test_the_page_lists_the_tools_and_the_budget() -> None:
    server = build_mcp_server(GraphClient(Connection(SHOWN_URL)), CallBudget())
    assert [tool.name for tool in asyncio.run(server.list_tools())] == TOOL_NAMES
    assert {f"wgig://{name}" for name in RESOURCE_DESCRIPTIONS} == set(re.findall(r"wgig://\w+", PAGE))
    assert f"to {CallBudget().bytes // 1024} KiB, a table to {CallBudget().rows} rows" in PAGE


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_both_commands_on_the_page_return_the_same_digest(service: str) -> None:
    cite, digest = (
        subprocess.run(
            ["bash", "-c", f"curl {call.replace(SHOWN_URL, service)}"],
            capture_output=True,
            text=True,
            check=True,
        )
        for call in find_calls(PAGE, "curl")
    )
    assert digest.stdout.split()[0] in cite.stdout


def list_outputs(cell: Any) -> list[str]:
    """The outputs of a cell, as text."""
    return [output.get("text") or output["data"]["text/plain"] for output in cell.get("outputs", [])]


def test_the_notebook_has_current_outputs(
    service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WGIG_URL", service)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    path = os.pathsep.join([str(CHECKOUT_FOLDER / "service"), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    read: Any = nbformat.read
    saved, executed = (read(NOTEBOOK, as_version=4) for _ in range(2))
    NotebookClient(executed, timeout=60, kernel_name="python3").execute()
    advice = "If the new outputs are correct: jupyter execute --inplace docs/tutorials/questions.ipynb"
    assert list(map(list_outputs, executed.cells)) == list(map(list_outputs, saved.cells)), advice
    assert sum(len(list_outputs(cell)) for cell in saved.cells) >= 12
