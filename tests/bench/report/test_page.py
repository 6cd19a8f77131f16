"""The page of the benchmarks: tables have their places, and say which goals are met."""

from pathlib import Path

import pytest

from bench.compare.peers import OURS, OXIGRAPH
from bench.report import page
from bench.serving.http import FIRST, Measured
from tests.bench.measurements import measured


def test_a_goal_is_met_by_the_clock_and_by_the_cpu_or_the_page_says_by_which() -> None:
    peer = {"p50": 10.0, "cpu": 10.0}
    assert measured(FIRST, {"p50": 4.0, "cpu": 5.0}, peer).ratio(OURS, "p50") == 2.5
    words = {
        (4.0, 4.0): "yes", (4.1, 4.0): "by CPU only", (4.0, 4.1): "by time only", (4.1, 4.1): "**no**",
    }  # fmt: skip
    for (p50, cpu), word in words.items():
        assert page.verdict(measured(FIRST, {"p50": p50, "cpu": cpu}, peer), OURS) == word


def test_one_of_ours_that_fails_is_shown_with_the_reason_and_misses_its_goal() -> None:
    figures = {"p50": 1.0, "p99": 1.0, "cpu": 1.0}
    failed = Measured(1000, "COUNT", FIRST, 1, {OXIGRAPH: figures}, {OURS: "The answer ended early."})
    assert page.verdict(failed, OURS) == "**no**"
    assert f"| {OURS} | The answer ended early. |" in page.ours([failed])


def test_tables_come_between_their_marks_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("Before\n<!-- measured: a -->\nold\n<!-- end: a -->\nAfter\n")
    page.write(path, "a", "new")
    assert path.read_text() == "Before\n<!-- measured: a -->\n\nnew\n\n<!-- end: a -->\nAfter\n"
    with pytest.raises(SystemExit, match="needs a place"):
        page.write(path, "b", "new")


def test_the_page_has_a_place_for_each_section() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    for name in ("serving", "growth", "streams", "writing"):
        assert text.count(f"<!-- measured: {name} -->") == text.count(f"<!-- end: {name} -->") == 1
