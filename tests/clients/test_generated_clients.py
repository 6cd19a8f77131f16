"""Clients that are generated from the OpenAPI description work, and the types of their results are right."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from wgig.problems import PROBLEM_KINDS
from wgig.settings import Settings

pytestmark = pytest.mark.slow

SOURCES_FOLDER = Path(__file__).parent / "generated"
INCOMPLETE_PAPER = "---\npaper: half\ntitle: Half a paper\nissue: spam\n---\n\n## 1. Issue\n\nIt begins.\n"


@pytest.fixture
def work_folder(tmp_path: Path) -> Path:
    """A folder with the scripts that use generated clients."""
    return Path(shutil.copytree(SOURCES_FOLDER, tmp_path / "generated"))


def run_command(*command: str, folder: Path, **environment: str) -> str:
    """The output of a command. Raises AssertionError with its messages if it fails."""
    process = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
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


def test_openapi_python_client_generates_a_typed_client(service_url: str, work_folder: Path) -> None:
    output = run_command(
        *(sys.executable, "-m", "openapi_python_client", "generate"),
        *("--url", f"{service_url}openapi.json", "--config", "openapi-python-client.yaml"),
        *("--meta", "none", "--output-path", "wgig_api", "--fail-on-warning"),
        folder=work_folder,
    )
    assert "warning" not in output.casefold()
    check_results(
        run_command(sys.executable, "use_client.py", service_url, INCOMPLETE_PAPER, folder=work_folder)
    )
    run_command(sys.executable, "-m", "mypy", "--strict", "use_client.py", folder=work_folder)


def test_openapi_typescript_generates_types_for_openapi_fetch(
    service_url: str, work_folder: Path, npx: dict[str, str]
) -> None:
    (work_folder / "node_modules").symlink_to(npx["NODE_PATH"])
    run_command(
        *("npx", "openapi-typescript", f"{service_url}openapi.json", "--output", "schema.d.ts"),
        folder=work_folder,
        **npx,
    )
    run_command("npx", "tsc", "--project", ".", folder=work_folder, **npx)
    check_results(
        run_command("node", "use-client.mts", service_url, INCOMPLETE_PAPER, folder=work_folder, **npx)
    )
