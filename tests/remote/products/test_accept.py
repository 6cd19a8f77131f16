"""Conformance with each engine: the suites of tests/accept, each with an empty store.

Tests that fail are listed in the known failures of the embedded store, or in DEVIATIONS, with the reason. A
listed test that passes is an error.

Of the tests of query evaluation, only groups on forwarding are run: names, datasets, result formats and
updates. The others test the engine itself, and take five minutes with Virtuoso. The old tests of the Graph
Store Protocol are not run, as newer ones replace them.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.accept.test_accept import (
    FORWARDING_GROUPS,
    FORWARDING_PATTERN,
    KNOWN_FAILURES_PATH,
    SUITES_FOLDER,
    W3C_TESTS_FOLDER,
)

from .conftest import TOKEN, run_instance
from .deviations import DEVIATIONS
from .engines import Engine

EMPTY_STORE_SETTINGS = {"WGIG_DATA": "none", "WGIG_DEFAULT_GRAPH": "unnamed", "WGIG_HISTORY": "lost"}
# The suite query_eval clears the store before each test, and compares its whole content afterwards, so the
# service must not check writes.
SETTINGS_BY_SUITE = {
    "service_description": {},
    "protocol": {},
    "gsp": {},
    "query_eval": {"WGIG_WRITE_PROFILE": "off"},
}
# The ledger, and the named graph that replaces the unnamed one.
IGNORED_GRAPHS_PATTERN = "graph/(state|unnamed)$"
SUITE_TIMEOUT_SECONDS = 300  # on a busy machine


@pytest.fixture(scope="module")
def suite_client(
    request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx2.Client]:
    """A client of an instance with an engine, for all suites with the same settings."""
    with run_instance(
        tmp_path_factory.mktemp("copy"), engine.settings() | EMPTY_STORE_SETTINGS | request.param
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("suite", "suite_client"),
    SETTINGS_BY_SUITE.items(),
    ids=SETTINGS_BY_SUITE,
    indirect=["suite_client"],
)
def test_suite_passes_except_for_known_failures(
    engine: Engine, suite_client: httpx2.Client, suite: str, tmp_path: Path
) -> None:
    url = f"{suite_client.base_url}".rstrip("/")
    known_failures_path = tmp_path / "known"
    deviations = "".join(f"{name}\t{reason}\n" for name, reason in iter_deviations(engine.name))
    known_failures_path.write_text(KNOWN_FAILURES_PATH.read_text() + deviations)
    command = [
        *(sys.executable, str(SUITES_FOLDER / f"{suite}.py"), "--header", f"Authorization: Bearer {TOKEN}"),
        *("--query-url", f"{url}/sparql", "--update-url", f"{url}/update"),
        *("--known-failures", str(known_failures_path), "--ignore-graph", IGNORED_GRAPHS_PATTERN),
    ]
    if suite == "gsp":
        command += ["--gsp-url", f"{url}/graphs", "--direct-url", f"{url}/graph", "--skip", "^legacy:"]
    if suite == "query_eval":
        command += ["--only", FORWARDING_PATTERN]
    environment = {"RDF_TESTS": str(W3C_TESTS_FOLDER)}
    process = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=SUITE_TIMEOUT_SECONDS
    )
    output = process.stdout[-3000:] + process.stderr[-3000:]
    assert process.returncode == 0, output
    assert "listed as a known failure, but passes" not in process.stdout, output


def iter_deviations(engine: str) -> Iterator[tuple[str, str]]:
    """The names of the tests of suites that fail with an engine, and the reasons."""
    for key, reason in DEVIATIONS.items():
        name, engine_name = key.split()[:2]
        if "/" in name and engine_name == engine:
            yield name, reason


def test_known_failures_are_in_the_groups_that_are_run() -> None:
    names = [key.split()[0] for key in DEVIATIONS if "/" in key]
    assert names
    assert all(name.startswith(tuple(f"{group}/" for group in FORWARDING_GROUPS)) for name in names)
