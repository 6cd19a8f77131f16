"""Many writers and readers at once: what is lost, half or stale is noticed, and a real service has none."""

from pathlib import Path

import pytest

from bench.measure.commands import WGIG
from bench.measure.server import running
from bench.serving import concurrency

YES = "/sparql?query=ASK%7B%7D"
PAPER = b'<a:/graph/paper/3> <a:b> "Made-up paper 3", "SWOT of made-up paper 3" .'


def test_a_crowd_that_lost_anything_misses_its_goal() -> None:
    assert concurrency.Crowd(busy=1).met
    refused = ["401 Writing needs the token."]
    for fault in (
        concurrency.Crowd(lost=1),
        concurrency.Crowd(half=1),
        concurrency.Crowd(stale=1),
        concurrency.Crowd(refused=refused),
    ):
        assert not fault.met


@pytest.mark.parametrize(
    ("labels", "versions"),
    [
        (["Made-up paper 2", "SWOT of made-up paper 2"], {2}),
        (["Made-up paper 2", "SWOT of made-up paper 1"], {1, 2}),
        (["Made-up paper 2"], None),
        ([], set()),
    ],
    ids=["whole", "of two versions", "half", "not there"],
)
def test_a_half_written_paper_is_seen(labels: list[str], versions: set[int] | None) -> None:
    bindings = ",".join(f'{{"label": {{"value": "{one}"}}}}' for one in labels)
    body = f'{{"results": {{"bindings": [{bindings}]}}}}'.encode()
    assert concurrency.Paper(PAPER).read(body) == versions


def test_a_crowd_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "READERS", 2)
    environment = {"WGIG_DATA": "none", "WGIG_TOKEN": "secret"}
    words = [*WGIG, "serve", "--store", str(tmp_path / "store")]
    texts = [PAPER, PAPER.replace(b"a:/", b"b:/")]
    with running(words, "--port", "{port}", question=YES, environment=environment) as server:
        found = concurrency.gather(server.port, "secret", texts)
        assert found.met
        assert found.writes == len(texts) * concurrency.VERSIONS
        assert found.reads > 0
