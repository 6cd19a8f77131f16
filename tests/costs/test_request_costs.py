"""No request costs more than a tenth above what is kept: calls, fsyncs, bytes. No clock is asked."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.costs import costs
from tests.costs.costs import Costs, Rise, find_rises, measure_costs, read_costs, write_costs
from tests.costs.measure import IO, PACKAGE, REQUESTS, CallCounter

KEPT_COSTS = {"list": {"calls": 100, "fsyncs": 0}, "PUT of a paper": {"calls": 1000, "fsyncs": 5}}


@pytest.fixture(scope="module")
def measured() -> Costs:
    return measure_costs()


@pytest.mark.parametrize("request_name", REQUESTS)
def test_a_request_costs_no_more_than_a_tenth_above_what_is_kept(measured: Costs, request_name: str) -> None:
    rises = find_rises(read_costs(), {request_name: measured[request_name]})
    assert not (found := [str(rise) for rise in rises]), "\n".join(found)


def test_each_figure_that_is_measured_is_kept(measured: Costs) -> None:
    expected = {request: list(figures) for request, figures in read_costs().items()}
    if not IO.exists():
        expected = {
            request: [figure for figure in figures if figure != "bytes_written"]
            for request, figures in expected.items()
        }
    assert {request: list(figures) for request, figures in measured.items()} == expected


def test_a_write_costs_fsyncs_and_bytes_and_a_read_costs_none(measured: Costs) -> None:
    by_fsyncs = {request for request, figures in measured.items() if figures["fsyncs"]}
    assert by_fsyncs == {"PUT of a paper"}
    if IO.exists():
        assert {request for request, figures in measured.items() if figures["bytes_written"]} == by_fsyncs


def test_a_repeated_query_costs_less_than_a_new_one(measured: Costs) -> None:
    names = ("SPARQL GET, new", "SPARQL GET, repeated", "SPARQL GET, repeated again")
    new, repeated, again = (measured[name]["calls"] for name in names)
    assert again * 2 < repeated < new / 2


@pytest.mark.parametrize(
    ("request_name", "figure", "found"),
    [("list", "calls", 111), ("list", "fsyncs", 1), ("PUT of a paper", "fsyncs", 6)],
)
def test_a_rise_by_more_than_a_tenth_is_found(request_name: str, figure: str, found: int) -> None:
    changed = {request_name: KEPT_COSTS[request_name] | {figure: found}}
    (rise,) = find_rises(KEPT_COSTS, KEPT_COSTS | changed)
    assert rise == Rise(request_name, figure, KEPT_COSTS[request_name][figure], found)


def test_a_kept_figure_that_is_lowered_makes_the_measured_ones_fail(measured: Costs) -> None:
    for request, figures in measured.items():
        for figure, value in figures.items():
            lowered = {request: {**figures, figure: value * 100 // 111}}
            rises = [(rise.request, rise.figure) for rise in find_rises(lowered, measured)]
            assert rises == ([(request, figure)] if value else [])


def test_a_rise_by_a_tenth_and_a_fall_are_no_rises() -> None:
    found = {"list": {"calls": 110, "fsyncs": 0}, "PUT of a paper": {"calls": 1, "fsyncs": 4}}
    assert not [*find_rises(KEPT_COSTS, found)]


def test_a_rise_says_which_request_and_figure_and_how_to_renew_the_file() -> None:
    text = str(Rise("list", "calls", 100, 150))
    assert text.startswith("list: calls rose from 100 to 150 (+50 %)")
    assert text.endswith("renew tests/costs/request_costs.toml by: python -m tests.costs.renew")
    assert "rose from 0 to 2, by" in str(Rise("list", "fsyncs", 0, 2))


def test_costs_are_read_as_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "KEPT", tmp_path / "costs.toml")
    write_costs(KEPT_COSTS)
    assert read_costs() == KEPT_COSTS


FUNCTIONS = """
import asyncio

class Thing:
    def method(self): return [one for one in (1, 2)], {one for one in (1, 2)}, any(one > 2 for one in (1, 2))

def generator():
    yield 1
    yield 2

async def asynchronous_generator():
    yield 1
    yield 2

async def coroutine():
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return [one async for one in asynchronous_generator()]

def run():
    Thing().method()
    (lambda: None)()
    list(generator())
    next(generator())  # and it is closed
    asyncio.run(coroutine())
"""


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("thing.py", ["run", "method", "generator", "generator", "coroutine", "asynchronous_generator"]),
        ("page.html", []),
    ],
)
def test_a_call_counts_once_whatever_it_is_of(file: str, expected: list[str]) -> None:
    named: dict[str, Callable[[], None]] = {}
    counter = CallCounter()
    counter.on = True
    before = sys.getprofile()
    with_profile: Any = counter.profile
    sys.setprofile(with_profile)
    try:
        exec(compile(FUNCTIONS, PACKAGE + file, "exec"), named)
        named["run"]()
    finally:
        sys.setprofile(before)
    assert [code.co_name for code in counter.called] == expected
