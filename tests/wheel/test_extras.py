"""Without the package of an extra, commands and routes say which extra to install."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import NoReturn

import httpx2
import pytest
from wgig.sparql import plan

BLOCKED_IMPORT_CODE = """
import sys
sys.modules[sys.argv[1]] = None
from wgig.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("extra", "module", "arguments", "code"),
    [
        ("word", "mammoth", ["check", "paper.docx"], 3),
        ("cluster", "aiohttp", ["serve", "--port", "0"], 2),
    ],
)
def test_a_command_names_the_missing_extra(
    tmp_path: Path, extra: str, module: str, arguments: list[str], code: int
) -> None:
    (tmp_path / "paper.docx").write_bytes(b"PK")
    settings = {"WGIG_STORE": str(tmp_path / "store"), "WGIG_WORKERS": "1"}
    if extra == "cluster":
        settings |= {"WGIG_REMOTE_QUERY": "http://127.0.0.1:9/", "WGIG_REMOTE_UPDATE": "http://127.0.0.1:9/"}
    process = subprocess.run(
        [sys.executable, "-c", BLOCKED_IMPORT_CODE, module, *arguments],
        cwd=tmp_path,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    output = " ".join((process.stdout + process.stderr).split())  # it is wrapped
    assert (process.returncode, f"pip install 'wgig[{extra}]'" in output) == (code, True), output


def test_an_explanation_without_the_command_of_oxigraph_is_501(
    read_only_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_nothing(name: str) -> NoReturn:
        raise PackageNotFoundError(name)

    plan.find_planner_command.cache_clear()
    monkeypatch.setattr(plan, "distribution", find_nothing)
    response = read_only_client.get("/sparql", params={"query": "ASK {?s ?p ?o}", "explain": ""})
    assert response.status_code == 501
    assert "pip install 'wgig[explain]'" in response.json()["detail"]
    plan.find_planner_command.cache_clear()
