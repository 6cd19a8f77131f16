"""A command imports what it needs: heavy packages that it does not need would be its slow start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from wgig.cli.main import COMMAND_RUNNERS
from wgig.cli.parser import CLI_COMMANDS
from wgig.settings import SHIPPED_FOLDER

WEB = {"fastapi", "starlette", "uvicorn", "jinja2"}
CLIENTS = {"httpx", "aiohttp"}
ENGINES = {"pyoxigraph", "shifty", "pyshacl", "rdflib"}
WRITERS = {"rich", "pyarrow", "icalendar"}
PAPER = str(SHIPPED_FOLDER / "data" / "examples" / "community-networks.ttl")
PRINT_MODULES = """
import sys
from wgig.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "unneeded"),
    [
        (["--help"], WEB | CLIENTS | ENGINES | WRITERS | {"asyncio", "babel", "difflib", "wgig.settings"}),
        (["check", "--help"], WEB | CLIENTS | ENGINES | WRITERS | {"asyncio", "babel", "wgig.settings"}),
        (["queries"], WEB | CLIENTS | WRITERS | {"asyncio", "shifty", "sqlite3", "wgig.store"}),
        (["token", "list"], WEB | CLIENTS | ENGINES | WRITERS | {"sqlite3", "wgig.store"}),
        (
            ["check", PAPER],
            WEB | CLIENTS | {"asyncio", "markdown_it", "mammoth", "pyshacl", "sqlite3"},
        ),
        (["stats"], WEB | CLIENTS | {"mammoth", "markdown_it", "shifty", "sqlite3"}),
        (["query", "ASK {}"], WEB | CLIENTS | {"markdown_it", "shifty", "sqlite3"}),
    ],
    ids=lambda given: " ".join(given).replace(PAPER, "PAPER") if isinstance(given, list) else "",
)
def test_a_command_imports_no_heavy_package_that_it_does_not_need(
    tmp_path: Path, words: list[str], unneeded: set[str]
) -> None:
    environment = os.environ | {"WGIG_STORE": str(tmp_path / "store"), "WGIG_DATA": "none"}
    command = [sys.executable, "-c", PRINT_MODULES, *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert sorted(unneeded & set(done.stderr.split())) == []


def test_each_command_has_a_function_that_runs_it() -> None:
    assert list(COMMAND_RUNNERS) == sorted(CLI_COMMANDS)
