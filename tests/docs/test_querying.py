"""The examples on the page about querying are correct."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from wgig.sparql.request import MIN_TIMEOUT_SECONDS

from tests.docs.blocks import SHOWN_URL, find_code_blocks, read_docs_page, run_shell_block

PAGE = read_docs_page("reference/querying.md")
PLAIN_BLOCKS, SHELL_BLOCKS, PYTHON_BLOCKS = (
    find_code_blocks(PAGE, language) for language in ("", "sh", "python")
)
MISTAKE_BLOCK, CHECK_BLOCK, WARNING_BLOCK, TIMEOUT_BLOCK, EXPLAIN_BLOCK = PLAIN_BLOCKS
DUE_QUERY = "SELECT * { ?subject <https://w3id.org/wgig/ontology#due> ?day }"


def test_a_mistake_is_reported_with_its_position_and_a_suggestion(service_url: str) -> None:
    query, caret, sentence = MISTAKE_BLOCK.splitlines()
    problem = httpx2.get(f"{service_url}sparql", params={"query": query}).json()
    assert problem["excerpt"].splitlines() == [query, caret]
    assert problem["detail"] == sentence
    assert sentence.startswith(f"Line {problem['line']}, column {problem['column']}: ")
    assert sentence.endswith(problem["suggestion"])


def test_a_check_responds_as_shown(service_url: str, tmp_path: Path) -> None:
    process = run_shell_block(CHECK_BLOCK.replace(SHOWN_URL, service_url), service_url, tmp_path)
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == json.loads(find_code_blocks(PAGE, "json")[0])


def test_a_query_with_a_misspelled_term_gets_the_warning(service_url: str) -> None:
    shown = WARNING_BLOCK.strip().removeprefix("WGIG-Warning: ")
    query = "PREFIX wgig: <https://w3id.org/wgig/ontology#>\nSELECT * { ?s a wgig:Isue }"
    warning = httpx2.get(f"{service_url}sparql", params={"query": query, "hints": ""}).headers["wgig-warning"]
    assert warning.partition(";")[0] == shown.partition(";")[0]


def test_a_query_has_a_time_limit(service_url: str, tmp_path: Path) -> None:
    (tmp_path / "question.rq").write_text(DUE_QUERY, encoding="utf-8")
    process = run_shell_block(TIMEOUT_BLOCK.replace(SHOWN_URL, service_url), service_url, tmp_path)
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout)["results"]["bindings"]
    assert f"the shortest time is {MIN_TIMEOUT_SECONDS}\nseconds" in PAGE


def test_a_plan_is_explained(service_url: str, tmp_path: Path) -> None:
    (tmp_path / "question.rq").write_text(DUE_QUERY, encoding="utf-8")
    process = run_shell_block(EXPLAIN_BLOCK.replace(SHOWN_URL, service_url), service_url, tmp_path)
    assert process.returncode == 0, process.stderr
    assert b"due" in process.stdout
    assert EXPLAIN_BLOCK.startswith("curl ")


@pytest.mark.parametrize("block", SHELL_BLOCKS)
def test_other_programs_run_as_shown(
    block: str, service_url: str, tmp_path: Path, npx: dict[str, str]
) -> None:
    process = run_shell_block(block, service_url, tmp_path, **npx)
    assert process.returncode == 0, process.stderr
    assert b'"' in process.stdout  # each program prints literals or JSON


def test_a_query_that_names_a_language_finds_one_label(service_url: str) -> None:
    (query,) = (block for block in find_code_blocks(PAGE, "sparql") if "LANG(" in block)
    headers = {"Accept": "application/sparql-results+json"}
    rows = httpx2.get(f"{service_url}sparql", params={"query": query}, headers=headers).json()["results"][
        "bindings"
    ]
    assert len(rows) == len({row["milestone"]["value"] for row in rows}) > 5
    assert {row["kind"]["xml:lang"] for row in rows} == {"en"}


def test_python_code_runs_as_shown(service_url: str) -> None:
    namespace: dict[str, Any] = {}
    exec(PYTHON_BLOCKS[0].replace(SHOWN_URL, service_url), namespace)
    assert set(namespace["issues"]["issueLabel"]) == {"Spam"}
