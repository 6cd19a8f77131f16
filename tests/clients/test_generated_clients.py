"""Clients that are generated from the OpenAPI description work, and the types of their results are right."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from wgig.problems import PROBLEM_KINDS
from wgig.settings import Settings

from tests.docs.blocks import find_code_blocks, read_docs_page

pytestmark = pytest.mark.slow

PAGE = read_docs_page("reference/rest.md")
DOCS_URL = "http://127.0.0.1:8000/"
SOURCES_FOLDER = Path(__file__).parent / "generated"
INCOMPLETE_PAPER = "---\npaper: half\ntitle: Half a paper\nissue: spam\n---\n\n## 1. Issue\n\nIt begins.\n"


@pytest.fixture
def work_folder(tmp_path: Path) -> Path:
    """A folder with the scripts that use generated clients."""
    return Path(shutil.copytree(SOURCES_FOLDER, tmp_path / "generated"))


def run_command(*command: str, folder: Path, **environment: str) -> str:
    """The output of a command. Raises AssertionError with its messages if it fails."""
    # Without PYTHONSAFEPATH, which `wgig` sets, Python finds the generated package beside the script.
    environment = os.environ | {"PYTHONSAFEPATH": ""} | environment
    process = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def check_results(output: str) -> None:
    """Check what a script has printed: papers, search results, findings of a check, and an error."""
    results: dict[str, Any] = json.loads(output)
    assert f"{Settings.base}id/paper/wp-spam" in results["papers"]
    assert results["total"] == len(results["papers"])
    assert "Spam" in results["hits"]
    assert not results["conforms"]
    assert "WGIG-7B-MISSING" in results["codes"]
    status, type_, detail = results["problem"]
    assert status == PROBLEM_KINDS["not-found"].status
    assert type_ == f"{Settings.base}doc/problem/not-found"
    assert "999" in detail


def find_generator(service_url: str, program: str) -> list[str]:
    """The command of the documentation that generates a client with this program."""
    (block,) = find_code_blocks(PAGE, "sh")
    (command,) = (line for line in block.splitlines() if program in line)
    return shlex.split(command.replace(DOCS_URL, service_url))


def test_openapi_python_client_generates_a_typed_client(service_url: str, work_folder: Path) -> None:
    programs = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    options = ("--config", "openapi-python-client.yaml", "--fail-on-warning")
    generator = find_generator(service_url, "openapi-python-client")
    run_command(*generator, *options, folder=work_folder, **programs)
    check_results(
        run_command(sys.executable, "use_client.py", service_url, INCOMPLETE_PAPER, folder=work_folder)
    )
    (example,) = find_code_blocks(PAGE, "python")
    (work_folder / "example.py").write_text(example.replace(DOCS_URL, service_url), encoding="utf-8")
    assert run_command(sys.executable, "example.py", folder=work_folder).startswith(Settings.base)
    run_command(sys.executable, "-m", "mypy", "--strict", "use_client.py", "example.py", folder=work_folder)


def test_openapi_typescript_generates_types_for_openapi_fetch(
    service_url: str, work_folder: Path, npx: dict[str, str]
) -> None:
    (work_folder / "node_modules").symlink_to(npx["NODE_PATH"])
    run_command(*find_generator(service_url, "openapi-typescript"), folder=work_folder, **npx)
    run_command("npx", "tsc", "--project", ".", folder=work_folder, **npx)
    check_results(
        run_command("node", "use-client.mts", service_url, INCOMPLETE_PAPER, folder=work_folder, **npx)
    )
