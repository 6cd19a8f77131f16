"""Black-box conformance: the suites of ../shared/accept against `wgig serve` with a temporary store."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.processes import ServiceStarter
from tests.fixtures.shared_facts import require_shared

SUITES_FOLDER = require_shared("accept")
W3C_TESTS_FOLDER = require_shared("w3c")
TOKEN = "scratch"
# Suites begin with DROP ALL. For the shipped graphs, that takes most of the time, and more than the service
# allows on a busy machine; tests/remote/products/test_behavior.py drops those.
EMPTY = {"WGIG_DATA": "none"}
SETTINGS_BY_SUITE = {
    "protocol": EMPTY,
    "gsp": EMPTY,
    # Evaluation tests compare the whole store with the data that they write, so it must have no other data.
    "query_eval": EMPTY | {"WGIG_HISTORY": "lost", "WGIG_WRITE_PROFILE": "off"},
}
# Groups of query evaluation on forwarding: names, datasets, result formats, updates.
FORWARDING_GROUPS = (
    *("sparql10/ask", "sparql10/basic", "sparql10/construct", "sparql10/dataset", "sparql10/graph"),
    *("sparql11/basic-update", "sparql11/csv-tsv-res", "sparql11/json-res", "sparql12/codepoint-escapes"),
)
FORWARDING_PATTERN = f"^({'|'.join(FORWARDING_GROUPS)})/"
KNOWN_FAILURES_PATH = Path(__file__).with_name("known-failures.txt")


@pytest.fixture(scope="module", params=["protocol", "gsp", "service_description", "query_eval"])
def suite(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def url(suite: str, start_service: ServiceStarter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("store")
    settings = {"WGIG_TOKEN": TOKEN, "WGIG_DEFAULT_GRAPH": "unnamed"} | SETTINGS_BY_SUITE.get(suite, {})
    with start_service(folder, **settings) as address:
        yield address


def test_a_suite_has_only_the_known_failures(suite: str, url: str) -> None:
    command = [
        *(sys.executable, str(SUITES_FOLDER / f"{suite}.py"), "--header", f"Authorization: Bearer {TOKEN}"),
        *(
            "--query-url",
            f"{url}sparql",
            "--update-url",
            f"{url}update",
            "--known-failures",
            str(KNOWN_FAILURES_PATH),
        ),
    ]
    if suite == "gsp":
        command += ["--gsp-url", f"{url}graphs", "--direct-url", f"{url}graph"]
    if suite == "query_eval" and os.environ.get("WGIG_WORKERS", "1") != "1":
        command += ["--only", FORWARDING_PATTERN]  # the others test the engine, also without front processes
    process = subprocess.run(
        command, env={"RDF_TESTS": str(W3C_TESTS_FOLDER)}, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout[-3000:] + process.stderr[-3000:]
    passing_lines = [  # of known failures that pass and must be removed from the list
        line for line in process.stdout.splitlines() if "listed as a known failure, but passes" in line
    ]
    assert not passing_lines, "\n".join(passing_lines)


def test_each_known_failure_has_a_reason() -> None:
    lines = [
        line for line in KNOWN_FAILURES_PATH.read_text().splitlines() if line and not line.startswith("#")
    ]
    for line in lines:
        _, reason = line.split("\t")  # the name of the test, and the reason
        assert reason.strip()
