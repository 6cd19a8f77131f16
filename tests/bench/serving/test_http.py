"""Queries over HTTP: only servers with the same result are measured."""

from functools import partial
from pathlib import Path

import pytest

from bench.compare.peers import FROM_DISK, OURS, OXIGRAPH, make_own_peer
from bench.measure.client import build_request
from bench.measure.server import RunningServer
from bench.report import page
from bench.serving import http
from bench.serving.http import FIRST, REPEATED
from bench.serving.queries import QUESTIONS
from tests.bench.fixed_responses import HEADER_START, serve_bytes
from tests.bench.measurements import make_measurement


def test_the_goal_depends_on_repetition_and_on_memory_or_disk() -> None:
    figures = {"p50": 1.0, "cpu": 1.0}
    # The goals of the query `coverage matrix`.
    assert make_measurement(REPEATED, figures, figures).goal(OURS) == 15
    assert make_measurement(FIRST, figures, figures).goal(OURS) == 5
    assert make_measurement(FIRST, figures, figures).goal(FROM_DISK) == 0.85


def test_this_service_answers_all_queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "list_peers", lambda *_: [make_own_peer(OURS, {})])
    measurements = http.compare_queries(tmp_path, 5, 0, {})
    assert {(measurement.question, measurement.way) for measurement in measurements} == {
        (question.name, way) for question in QUESTIONS for way in (FIRST, REPEATED)
    }
    assert not [measurement.refused for measurement in measurements if measurement.refused]
    document_requests = [
        measurement.figures[OURS]["requests"]
        for measurement in measurements
        if measurement.question.startswith("/doc")
    ]
    assert document_requests[0] < 5, "a first request for each paper, of which one is not counted"
    not_modified = [
        measurement.question for measurement in measurements if http.NOT_MODIFIED in measurement.figures
    ]
    assert not_modified == [question.name for question in QUESTIONS]
    # All rows of a table have the same number of cells.
    for block in page.format_queries(measurements).split("\n\n"):
        if block.startswith("|"):
            assert len({line.count(" | ") for line in block.splitlines()}) == 1


def test_a_server_with_another_result_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This service in the place of Oxigraph. Its default graph is empty, so it counts no statements.
    peer = make_own_peer(OXIGRAPH, {"WGIG_DEFAULT_GRAPH": "unnamed"})
    monkeypatch.setattr(http, "list_peers", lambda *_: [make_own_peer(OURS, {}), peer])
    monkeypatch.setattr(http, "QUESTIONS", [question for question in QUESTIONS if question.name == "COUNT"])
    first, _ = http.compare_queries(tmp_path, 5, 0, {})
    assert first.refused[OURS].startswith("differs: ")
    assert OURS not in first.figures


def test_the_etag_of_an_incomplete_response_is_not_used() -> None:
    make_server = partial(RunningServer, 0, ready_path="", start_seconds=0)
    with serve_bytes(HEADER_START + b"Content-Length: 5\r\n\r\nhello") as port:
        assert http.fetch_etag(make_server(port=port), build_request("/")) == '"x"'
    with serve_bytes(HEADER_START + b"Content-Length: 6\r\n\r\nhello") as port:
        assert http.fetch_etag(make_server(port=port), build_request("/")) == ""
