"""The examples on the page about the command run, in one folder, with the store of that folder.

An example that needs another machine, does not end, or names what only an earlier version of a store has, is
listed with the test that runs it.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from wgig.cli.parser import EXIT_NO, EXIT_OK
from wgig.settings import SHIPPED_FOLDER

from tests.docs.blocks import SHOWN_URL, find_calls, read_docs_page
from tests.fixtures.forking import Forker, start_forker
from tests.fixtures.processes import copy_filled_store

EXAMPLES = [*dict.fromkeys(find_calls(read_docs_page("reference/command.md"), "wgig"))]
TESTED_ELSEWHERE = {
    "serve": "tests/cli/test_serve.py",
    "serve --port 8080 --store ./store": "tests/cli/test_serve.py",
    "mcp": "tests/cli/mcp",
    "mcp --url http://127.0.0.1:8000/": "tests/cli/mcp",
    "mcp --http --port 8001": "tests/cli/mcp",
    "check paper.ttl --watch": "tests/cli/test_check.py",
    "bulk check 's3a://papers/2026/*.ttl' --out s3a://papers/checked --profile final": "tests/cli/bulk",
    "bulk describe 'hdfs://papers/*/*.md' --out hdfs://described": "tests/cli/bulk",
    "restore /var/backups/wgig/wgig-20261125T230000.000Z --store ./store": "tests/cli/test_main.py",
}
# They name a version and a token that the store does not have; nothing has changed since a release.
EXIT_CODES = {
    "release --format json": EXIT_NO,
    "forget '/graph/paper/spam?version=20261125T230000000000Z'": EXIT_NO,
    "token revoke 1f2e3d4c": EXIT_NO,
}
# Shapes to which each resource of the examples conforms.
SHAPES = """
PREFIX sh: <http://www.w3.org/ns/shacl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
[] a sh:NodeShape ; sh:targetSubjectsOf rdfs:label ; sh:property [ sh:path rdfs:label ; sh:minLength 1 ] .
"""
RULES = """
PREFIX sh: <http://www.w3.org/ns/shacl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
[] a sh:NodeShape ; sh:targetSubjectsOf rdfs:label ;
  sh:rule [ a sh:TripleRule ; sh:subject sh:this ; sh:predicate rdfs:comment ; sh:object "labeled" ] .
"""
SHELL_OPERATORS = {">", "|"}
# Commands that need what a later example on the page makes.
FIRST = ("dump -o all.nq.gz", "backup /var/backups/wgig")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the examples run, with the files that they name, and a filled store."""
    folder = tmp_path_factory.mktemp("examples")
    copy_filled_store(folder / "store")
    for name in ("papers", "drafts", ".local/share/bash-completion/completions", ".zfunc"):
        (folder / name).mkdir(parents=True)
    (folder / ".config/fish/completions").mkdir(parents=True)
    examples = SHIPPED_FOLDER / "data" / "examples"
    shutil.copy(examples / "community-networks.md", folder / "paper.md")
    shutil.copy(examples / "community-networks.ttl", folder / "papers.ttl")
    shutil.copy(examples / "community-networks.ttl", folder / "data.ttl")
    (folder / "shapes.ttl").write_text(SHAPES, encoding="utf-8")
    shutil.copy(examples / "community-networks.md", folder / "papers")
    shutil.copy(examples / "spam-filters.md", folder / "papers")
    (folder / "rules.ttl").write_text(RULES, encoding="utf-8")
    for name in ("first.rq", "second.rq"):
        (folder / name).write_text("CONSTRUCT { ?o <urn:of> ?s } { ?s a ?o }", encoding="utf-8")
    (folder / "question.rq").write_text("SELECT * { ?s ?p ?o } LIMIT 5", encoding="utf-8")
    return folder


def run_example(
    example: str, folder: Path, service_url: str, forker: Forker
) -> "subprocess.CompletedProcess[str]":
    """Run an example in the folder: in a shell if it redirects output, or else in a fork, which is faster."""
    command = example.replace("/var/backups", "backups").replace(SHOWN_URL, service_url)
    if example.startswith("bulk"):
        command += " --on processes"  # as on a machine without Spark
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"HOME": str(folder), "PATH": path, "WGIG_STORE": "store"}
    words = shlex.split(command)
    if SHELL_OPERATORS.isdisjoint(words):
        return forker.run(*words, stdin="", folder=folder, environment=environment)
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"wgig {command}"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    """The process in whose forks the examples run."""
    with start_forker() as forker:
        yield forker


@pytest.mark.long  # 60 s of CPU; the other tests parse the examples, and run most of them
def test_the_examples_run(folder: Path, service_url: str, forker: Forker) -> None:
    for command in FIRST:
        assert run_example(command, folder, service_url, forker).returncode == EXIT_OK
    (folder / "all.nq.gz").rename(folder / "dump.nq.gz")
    failures = []
    for example in EXAMPLES:
        if example in TESTED_ELSEWHERE:
            continue
        process = run_example(example, folder, service_url, forker)
        if process.returncode != EXIT_CODES.get(example, EXIT_OK):
            failures.append((example, process.returncode, process.stderr))
    assert failures == []


def test_examples_that_do_not_run_here_are_on_the_page() -> None:
    assert {*TESTED_ELSEWHERE, *EXIT_CODES, *FIRST} <= {*EXAMPLES}
    assert len(EXAMPLES) - len(TESTED_ELSEWHERE) > 40
    for path in TESTED_ELSEWHERE.values():
        assert Path(path).exists()
