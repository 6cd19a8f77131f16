"""Queries over HTTP: what has the same answer is timed, and nothing else."""

from functools import partial
from pathlib import Path

import pytest

from bench.compare.peers import FROM_DISK, OURS, OXIGRAPH, ours
from bench.measure.client import request
from bench.measure.server import Running
from bench.report import page
from bench.serving import http
from bench.serving.http import FIRST, REPEATED
from bench.serving.queries import QUESTIONS
from tests.bench.measurements import measured
from tests.bench.replies import HEAD, saying


def test_the_goal_depends_on_the_way_of_asking_and_on_where_the_graph_is() -> None:
    figures = {"p50": 1.0, "cpu": 1.0}
    assert measured(REPEATED, figures, figures).goal(OURS) == 15
    assert measured(FIRST, figures, figures).goal(OURS) == 2.5
    assert measured(FIRST, figures, figures).goal(FROM_DISK) == 0.85


def test_ours_answers_all_that_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "peers", lambda *_: [ours(OURS, {})])
    found = http.compare(tmp_path, 5, 0, {})
    assert {(one.question, one.way) for one in found} == {
        (question.name, way) for question in QUESTIONS for way in (FIRST, REPEATED)
    }
    assert not [one.refused for one in found if one.refused]
    once_a_paper = [one.figures[OURS]["requests"] for one in found if one.question.startswith("/doc")]
    assert once_a_paper[0] < 5
    unchanged = [one.question for one in found if http.UNCHANGED in one.figures]
    assert unchanged == [question.name for question in QUESTIONS]
    for block in page.answers(found).split("\n\n"):
        if block.startswith("|"):
            assert len({line.count(" | ") for line in block.splitlines()}) == 1


def test_an_answer_that_is_not_the_same_is_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = ours(OXIGRAPH, {"WGIG_DEFAULT_GRAPH": "unnamed"})
    monkeypatch.setattr(http, "peers", lambda *_: [ours(OURS, {}), peer])
    monkeypatch.setattr(http, "QUESTIONS", [one for one in QUESTIONS if one.name == "COUNT"])
    first, _ = http.compare(tmp_path, 5, 0, {})
    assert first.refused[OURS].startswith("differs: ")
    assert OURS not in first.figures


def test_the_tag_of_a_cut_answer_is_not_used() -> None:
    server = partial(Running, 0, question="", seconds=0)
    with saying(HEAD + b"Content-Length: 5\r\n\r\nhello") as port:
        assert http.entity_tag(server(port=port), request("/")) == '"x"'
    with saying(HEAD + b"Content-Length: 6\r\n\r\nhello") as port:
        assert http.entity_tag(server(port=port), request("/")) == ""
