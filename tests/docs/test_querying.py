"""What the page about asking shows is what happens."""

import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.docs.blocks import HERE, blocks, page, run

TEXT = page("reference/querying.md")
PLAIN, SHELL, PYTHON = (blocks(TEXT, kind) for kind in ("", "sh", "python"))
DUE = "SELECT * { ?subject <https://w3id.org/wgig/ontology#due> ?day }"


def test_a_slip_is_told_with_its_place_and_how_to_mend_it(served: str) -> None:
    query, caret, said = PLAIN[0].splitlines()
    problem = httpx.get(f"{served}sparql", params={"query": query}).json()
    assert problem["excerpt"].splitlines() == [query, caret]
    assert problem["detail"] == said
    assert said.startswith(f"Line {problem['line']}, column {problem['column']}: ")
    assert said.endswith(problem["suggestion"])


def test_what_is_not_meant_is_warned_of(served: str) -> None:
    field = PLAIN[1].strip().removeprefix("WGIG-Warning: ")
    query = "PREFIX wgig: <https://w3id.org/wgig/ontology#>\nSELECT * { ?s a wgig:Isue }"
    warned = httpx.get(f"{served}sparql", params={"query": query}).headers["wgig-warning"]
    assert warned.partition(";")[0] == field.partition(";")[0]


def test_a_plan_is_explained(served: str, tmp_path: Path) -> None:
    (tmp_path / "question.rq").write_text(DUE, encoding="utf-8")
    given = run(PLAIN[2].replace(HERE, served), served, tmp_path)
    assert given.returncode == 0, given.stderr
    assert b"due" in given.stdout
    assert shlex.split(PLAIN[2])[0] == "curl"


@pytest.mark.parametrize("block", SHELL)
def test_other_programs_ask_as_shown(block: str, served: str, tmp_path: Path, npx: dict[str, str]) -> None:
    given = run(block, served, tmp_path, **npx)
    assert given.returncode == 0, given.stderr
    assert b'"' in given.stdout


def test_a_query_that_names_a_language_finds_one_label(served: str) -> None:
    (query,) = (one for one in blocks(TEXT, "sparql") if "LANG(" in one)
    accept = {"Accept": "application/sparql-results+json"}
    found = httpx.get(f"{served}sparql", params={"query": query}, headers=accept).json()["results"][
        "bindings"
    ]
    assert len(found) == len({row["milestone"]["value"] for row in found}) > 5
    assert {row["kind"]["xml:lang"] for row in found} == {"en"}


def test_python_reads_as_shown(served: str) -> None:
    names: dict[str, Any] = {}
    exec(PYTHON[0].replace(HERE, served), names)
    assert set(names["issues"]["issue"]) == {"Spam"}
