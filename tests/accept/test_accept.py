"""Black-box conformance: the suites of ../shared/accept against a real `wgig serve` on a scratch store."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.processes import Serving
from tests.fixtures.shared_facts import require_shared

SUITES = require_shared("accept")
W3C = require_shared("w3c")
TOKEN = "scratch"
# What a test of evaluation finds in the store is compared with what it put there.
SETTINGS = {"query_eval": {"WGIG_DATA": "none", "WGIG_HISTORY": "lost", "WGIG_WRITE_PROFILE": "off"}}
KNOWN = Path(__file__).with_name("known-failures.txt")


@pytest.fixture(scope="module", params=["protocol", "gsp", "service_description", "query_eval"])
def suite(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def url(suite: str, serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("store")
    settings = {"WGIG_TOKEN": TOKEN, "WGIG_DEFAULT_GRAPH": "unnamed"} | SETTINGS.get(suite, {})
    with serving(folder, **settings) as address:
        yield address


def test_suite_passes_but_for_the_listed_failures(suite: str, url: str) -> None:
    command = [
        *(sys.executable, str(SUITES / f"{suite}.py"), "--header", f"Authorization: Bearer {TOKEN}"),
        *("--query-url", f"{url}sparql", "--update-url", f"{url}update", "--known-failures", str(KNOWN)),
    ]
    if suite == "gsp":
        command += ["--gsp-url", f"{url}graphs", "--direct-url", f"{url}graph"]
    done = subprocess.run(command, env={"RDF_TESTS": str(W3C)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    mended = [line for line in done.stdout.splitlines() if "listed as a known failure, but passes" in line]
    assert not mended, "\n".join(mended)


def test_each_listed_failure_has_a_reason() -> None:
    lines = [line for line in KNOWN.read_text().splitlines() if line and not line.startswith("#")]
    assert all(len(line.split("\t")) == 2 and line.split("\t")[1].strip() for line in lines)
