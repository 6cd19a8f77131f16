"""Commands start fast: they do not import heavy packages that they do not need."""

import gc
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from wgig.cli.main import COMMAND_RUNNERS, import_command_runner
from wgig.cli.parser import CLI_COMMANDS
from wgig.settings import SHIPPED_FOLDER

HTTP_PACKAGES = {"fastapi", "starlette", "uvicorn", "jinja2", "httpx2", "aiohttp"}
RDF_PACKAGES = {"pyoxigraph", "shifty", "pyshacl", "rdflib"}
OUTPUT_PACKAGES = {"rich", "pyarrow", "icalendar"}
PAPER_PATH = str(SHIPPED_FOLDER / "data" / "examples" / "community-networks.ttl")
PRINT_MODULES_CODE = """
import sys
from wgig.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (
            ["--help"],
            HTTP_PACKAGES | RDF_PACKAGES | OUTPUT_PACKAGES | {"asyncio", "babel", "difflib", "wgig.settings"},
        ),
        (
            ["check", "--help"],
            HTTP_PACKAGES | RDF_PACKAGES | OUTPUT_PACKAGES | {"asyncio", "babel", "wgig.settings"},
        ),
        (
            ["queries"],
            HTTP_PACKAGES | OUTPUT_PACKAGES | {"asyncio", "shifty", "sqlite3", "wgig.store"},
        ),
        (
            ["token", "list"],
            HTTP_PACKAGES | RDF_PACKAGES | OUTPUT_PACKAGES | {"sqlite3", "wgig.store"},
        ),
        (
            ["check", PAPER_PATH],
            HTTP_PACKAGES | {"asyncio", "markdown_it", "mammoth", "pyshacl", "sqlite3"},
        ),
        (["stats"], HTTP_PACKAGES | {"mammoth", "markdown_it", "shifty"}),
        (["query", "ASK {}"], HTTP_PACKAGES | {"markdown_it", "shifty"}),
    ],
    ids=lambda value: " ".join(value).replace(PAPER_PATH, "PAPER") if isinstance(value, list) else "",
)
def test_command_does_not_import_unneeded_packages(
    tmp_path: Path, arguments: list[str], unneeded: set[str]
) -> None:
    environment = os.environ | {"WGIG_STORE": str(tmp_path / "store"), "WGIG_DATA": "none"}
    command = [sys.executable, "-c", PRINT_MODULES_CODE, *arguments]
    process = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert sorted(unneeded & set(process.stderr.split())) == []


def test_every_command_has_a_function() -> None:
    assert list(COMMAND_RUNNERS) == sorted(CLI_COMMANDS)


def test_query_workers_do_not_import_the_web_framework_nor_the_change_log() -> None:
    code = "import sys, wgig.sparql.workers.forker; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unneeded = HTTP_PACKAGES | {"anyio", "asyncio", "babel", "pydantic", "sqlalchemy", "sqlite3"}
    assert sorted(unneeded & set(process.stdout.split())) == []


def test_the_service_starts_without_packages_of_single_routes() -> None:
    code = "import sys, wgig.cli.serve; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unneeded = {"httpx2", "icalendar", "mammoth", "pyshacl", "rdflib", "rich", "shifty"}
    assert sorted(unneeded & set(process.stdout.split())) == []


def test_a_new_store_is_filled_before_the_application_is_imported() -> None:
    code = "import sys, wgig.cli.serve_start; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unneeded = (HTTP_PACKAGES - {"starlette"}) | {"pydantic", "markdown_it", "wgig.app", "wgig.cli.serve"}
    assert sorted(unneeded & set(process.stdout.split())) == []


def test_garbage_is_not_collected_while_a_command_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    was_enabled: list[bool] = []

    def import_fake_module(*_: str) -> SimpleNamespace:
        was_enabled.append(gc.isenabled())
        return SimpleNamespace(run_serve=id)

    monkeypatch.setattr("wgig.cli.main.import_module", import_fake_module)
    assert import_command_runner("serve") is id
    assert was_enabled == [False]
    assert gc.isenabled()
