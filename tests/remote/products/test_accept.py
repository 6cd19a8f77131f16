"""Black-box conformance over each engine: the suites of ../shared/accept, each on a store without data.

What fails stands in the list of the embedded store, or in DEVIATIONS, by name and with its reason. What
stands there and passes fails the test.

Of the evaluation of queries these groups are run that tell how a query is handed on and its results
come back: what it names, which graphs it sees, how results are written, what an update leaves. The others
are left out, as they tell how an engine evaluates, and take five minutes over Virtuoso. So are the old
tests of the Graph Store Protocol, which the others replace.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.accept.test_accept import KNOWN, SUITES, W3C

from .conftest import TOKEN, instance
from .deviations import DEVIATIONS
from .engines import Engine

GROUPS = (
    *("sparql10/ask", "sparql10/basic", "sparql10/construct", "sparql10/dataset", "sparql10/graph"),
    *("sparql11/basic-update", "sparql11/csv-tsv-res", "sparql11/json-res", "sparql12/codepoint-escapes"),
)
EVALUATION = f"^({'|'.join(GROUPS)})/"
SETTINGS = {"WGIG_DATA": "none", "WGIG_DEFAULT_GRAPH": "unnamed", "WGIG_HISTORY": "lost"}
# This suite clears the store before each test, and compares all that is in it afterwards.
UNCHECKED = {"WGIG_WRITE_PROFILE": "off"}
BY_SUITE = {"service_description": {}, "protocol": {}, "gsp": {}, "query_eval": UNCHECKED}
OURS = "graph/(state|unnamed)$"  # graphs that are no data
SECONDS = 300  # for a suite on a busy machine


@pytest.fixture(scope="module")
def tested(
    request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of a service over an engine, for all suites that are run with the same settings."""
    with instance(tmp_path_factory.mktemp("copy"), engine.settings() | SETTINGS | request.param) as client:
        yield client


@pytest.mark.parametrize(("suite", "tested"), BY_SUITE.items(), ids=BY_SUITE, indirect=["tested"])
def test_a_suite_passes_but_for_what_is_known(
    engine: Engine, tested: httpx.Client, suite: str, tmp_path: Path
) -> None:
    url = f"{tested.base_url}".rstrip("/")
    known = tmp_path / "known"
    known.write_text(KNOWN.read_text() + "".join(f"{name}\t{why}\n" for name, why in failing(engine.name)))
    command = [
        *(sys.executable, str(SUITES / f"{suite}.py"), "--header", f"Authorization: Bearer {TOKEN}"),
        *("--query-url", f"{url}/sparql", "--update-url", f"{url}/update"),
        *("--known-failures", str(known), "--ignore-graph", OURS),
    ]
    if suite == "gsp":
        command += ["--gsp-url", f"{url}/graphs", "--direct-url", f"{url}/graph", "--skip", "^legacy:"]
    if suite == "query_eval":
        command += ["--only", EVALUATION]
    environment = {"RDF_TESTS": str(W3C)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    said = done.stdout[-3000:] + done.stderr[-3000:]
    assert done.returncode == 0, said
    assert "listed as a known failure, but passes" not in done.stdout, said


def failing(engine: str) -> Iterator[tuple[str, str]]:
    """The tests of suites that fail over an engine, and why."""
    for signs, why in DEVIATIONS.items():
        name, over = signs.split()[:2]
        if "/" in name and over == engine:
            yield name, why


def test_each_known_failure_is_run() -> None:
    names = [signs.split()[0] for signs in DEVIATIONS if "/" in signs]
    assert names
    assert all(name.startswith(tuple(f"{one}/" for one in GROUPS)) for name in names)
