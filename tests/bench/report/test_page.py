"""The page of the benchmarks: tables are written between marks, and show which goals are met."""

from pathlib import Path

import pytest

from bench.compare.peers import OURS, OXIGRAPH
from bench.report import page
from bench.serving.concurrency import CrowdResult
from bench.serving.http import FIRST, QueryMeasurement
from bench.serving.things import ResourceMeasurement
from bench.writing import put
from tests.bench.measurements import make_measurement


def test_a_goal_is_met_by_time_and_by_cpu_or_the_page_shows_by_which() -> None:
    peer = {"p50": 20.0, "cpu": 20.0}  # the goal of this query is a ratio of 5
    assert make_measurement(FIRST, {"p50": 4.0, "cpu": 5.0}, peer).ratio(OURS, "p50") == 5
    expected = {
        (4.0, 4.0): "yes", (4.1, 4.0): "by CPU only", (4.0, 4.1): "by time only", (4.1, 4.1): "**no**",
    }  # fmt: skip
    for (p50, cpu), met in expected.items():
        measurement = make_measurement(FIRST, {"p50": p50, "cpu": cpu}, peer)
        assert page.format_goal_met(measurement, OURS) == met


def test_a_failure_of_this_service_is_shown_with_the_reason_and_misses_the_goal() -> None:
    figures = {"p50": 1.0, "p99": 1.0, "cpu": 1.0}
    failed = QueryMeasurement(
        papers=1000,
        question="COUNT",
        way=FIRST,
        rows=1,
        figures={OXIGRAPH: figures},
        refused={OURS: "The response ended early."},
    )
    assert page.format_goal_met(failed, OURS) == "**no**"
    assert f"| {OURS} | The response ended early. |" in page.format_own_table([failed])


def test_writes_have_goals_of_this_service_relative_to_its_peer_in_the_same_run() -> None:
    rates = {put.TOTAL_CPU: 0.03, put.ONE_WRITER_RATE: 20.0, put.MANY_WRITERS_RATE: 50.0}
    own = {"requests": 9, "p50": 0.012, "p95": 0.02, "p99": 0.03, "cpu": 0.02, **rates}
    peer = {**own, "p95": 0.003}
    rows = page.format_writes({0: {put.OWN_PEER_NAME: own, OXIGRAPH: peer}}, CrowdResult()).splitlines()
    assert rows[2].endswith(
        "<= 13.0 ms | yes | 20.0 | <= 15.0 ms | **no** | 30.0 | 20.0 | 30.0 | <= 35.0 ms | yes |"
    )
    assert rows[3].endswith("| 12.0 |  |  | 3.00 |  |  | 30.0 | 20.0 | 30.0 |  |  |")
    assert f"| 0 | {put.OWN_PEER_NAME} | 20.0 | 50.0 | 2.50 |" in rows


def test_tables_are_written_between_their_marks_and_other_text_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("Before\n<!-- measured: a -->\nold\n<!-- end: a -->\nAfter\n")
    page.write_section(path, "a", "new")
    assert path.read_text() == "Before\n<!-- measured: a -->\n\nnew\n\n<!-- end: a -->\nAfter\n"
    with pytest.raises(SystemExit, match="has no lines"):
        page.write_section(path, "b", "new")


def test_the_page_has_the_marks_of_each_section() -> None:
    text = page.SERVING_PAGE.read_text(encoding="utf-8")
    for name in ("serving", "growth", "streams", "writing"):
        assert text.count(f"<!-- measured: {name} -->") == text.count(f"<!-- end: {name} -->") == 1


def test_a_resource_has_a_goal_in_ms_or_relative_to_its_query() -> None:
    figures = {"p50": 0.012, "p95": 0.02, "cpu": 0.012, "bytes": 1024.0}
    query = {"p50": 0.011, "cpu": 0.011}
    measured = [
        ResourceMeasurement(1000, "/papers", figures, query),
        ResourceMeasurement(1000, "/papers as a page", figures, None),
        ResourceMeasurement(1000, "/queries/coverage-matrix", figures, None),
        ResourceMeasurement(1000, "/feed.atom", figures, None),
    ]
    rows = [line.split(" | ")[-2:] for line in page.format_resources(measured).splitlines()[2:]]
    assert rows == [
        ["<= 1.2", "yes |"], ["<= 100 ms", "yes |"], ["<= 10 ms", "**no** |"], ["", " |"],
    ]  # fmt: skip
