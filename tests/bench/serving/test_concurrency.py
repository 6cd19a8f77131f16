"""A crowd of concurrent writers and readers: faults are counted, and a real service has none."""

from pathlib import Path

import pytest

from bench.measure.commands import WGIG
from bench.measure.server import run_server
from bench.serving import concurrency
from bench.serving.concurrency import CrowdResult

READY_PATH = "/sparql?query=ASK%7B%7D"
PAPER = b'<a:/graph/paper/3> <a:b> "Made-up paper 3", "SWOT of made-up paper 3" .'


@pytest.mark.parametrize(
    "fault",
    [
        CrowdResult(lost_papers=1),
        CrowdResult(partial_reads=1),
        CrowdResult(stale_reads=1),
        CrowdResult(refusals=["401 Writing needs the token."]),
    ],
    ids=["lost", "partial", "stale", "refused"],
)
def test_a_crowd_with_a_fault_misses_its_goal(fault: CrowdResult) -> None:
    assert CrowdResult(busy=1).meets_goal  # a busy status is no fault
    assert not fault.meets_goal


@pytest.mark.parametrize(
    ("labels", "versions"),
    [
        (["Made-up paper 2", "SWOT of made-up paper 2"], {2}),
        (["Made-up paper 2", "SWOT of made-up paper 1"], {1, 2}),
        (["Made-up paper 2"], None),
        ([], set()),
    ],
    ids=["complete", "two versions", "partial", "missing"],
)
def test_a_partially_written_paper_is_detected(labels: list[str], versions: set[int] | None) -> None:
    bindings = ",".join(f'{{"label": {{"value": "{label}"}}}}' for label in labels)
    body = f'{{"results": {{"bindings": [{bindings}]}}}}'.encode()
    assert concurrency.VersionedPaper(PAPER).parse_versions(body) == versions


def test_a_crowd_loses_no_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "READERS", 2)
    environment = {"WGIG_DATA": "none", "WGIG_TOKEN": "secret"}
    command = [*WGIG, "serve", "--store", str(tmp_path / "store")]
    texts = [PAPER, PAPER.replace(b"a:/", b"b:/")]  # two papers, each with a writer
    with run_server(command, "--port", "{port}", ready_path=READY_PATH, environment=environment) as server:
        result = concurrency.run_crowd(server.port, "secret", texts)
        assert result.meets_goal
        assert result.writes == len(texts) * concurrency.VERSIONS_PER_WRITER
        assert result.reads > 0
