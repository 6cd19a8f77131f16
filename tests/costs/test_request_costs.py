"""No request costs more than a tenth above the baseline: calls, fsyncs and bytes, but no times."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.costs import costs
from tests.costs.costs import (
    CostIncrease,
    Costs,
    find_cost_increases,
    measure_costs,
    read_baseline,
    write_baseline,
)
from tests.costs.measure import PACKAGE_PREFIX, PROC_IO_PATH, REQUESTS, CallCounter

BASELINE = {"list": {"calls": 100, "fsyncs": 0}, "PUT of a paper": {"calls": 1000, "fsyncs": 5}}


@pytest.fixture(scope="module")
def measured_costs() -> Costs:
    return measure_costs()


@pytest.mark.parametrize("request_name", REQUESTS)
def test_request_costs_at_most_a_tenth_above_its_baseline(measured_costs: Costs, request_name: str) -> None:
    increases = find_cost_increases(read_baseline(), {request_name: measured_costs[request_name]})
    assert not (messages := [str(increase) for increase in increases]), "\n".join(messages)


def test_each_measured_figure_is_in_the_baseline(measured_costs: Costs) -> None:
    expected = {request: list(figures) for request, figures in read_baseline().items()}
    if not PROC_IO_PATH.exists():
        expected = {
            request: [figure for figure in figures if figure != "bytes_written"]
            for request, figures in expected.items()
        }
    assert {request: list(figures) for request, figures in measured_costs.items()} == expected


def test_only_writes_cost_fsyncs_and_written_bytes(measured_costs: Costs) -> None:
    writes = {request for request, figures in measured_costs.items() if figures["fsyncs"]}
    assert writes == {"PUT of a paper"}
    if PROC_IO_PATH.exists():
        assert {request for request, figures in measured_costs.items() if figures["bytes_written"]} == writes


def test_repeated_query_costs_less_than_a_new_one(measured_costs: Costs) -> None:
    names = ("SPARQL GET, new", "SPARQL GET, repeated", "SPARQL GET, repeated again")
    # The second response is from the response cache, the third from the cache by the bytes of the request.
    new_calls, cached_calls, raw_cached_calls = (measured_costs[name]["calls"] for name in names)
    assert raw_cached_calls < cached_calls / 2 < new_calls / 4  # each cache saves at least half of the calls


@pytest.mark.parametrize(
    ("request_name", "figure", "value"),
    [("list", "calls", 111), ("list", "fsyncs", 1), ("PUT of a paper", "fsyncs", 6)],
)
def test_increase_by_more_than_a_tenth_is_found(request_name: str, figure: str, value: int) -> None:
    changed = {request_name: BASELINE[request_name] | {figure: value}}
    (increase,) = find_cost_increases(BASELINE, BASELINE | changed)
    assert increase == CostIncrease(request_name, figure, BASELINE[request_name][figure], value)


def test_measured_figure_above_a_lowered_baseline_is_found(measured_costs: Costs) -> None:
    for request, figures in measured_costs.items():
        for figure, value in figures.items():
            lowered = {request: {**figures, figure: value * 100 // 111}}  # the value is 11 % above this
            increases = [
                (increase.request, increase.figure)
                for increase in find_cost_increases(lowered, measured_costs)
            ]
            assert increases == ([(request, figure)] if value else [])


def test_increase_by_a_tenth_and_decrease_are_accepted() -> None:
    costs = {"list": {"calls": 110, "fsyncs": 0}, "PUT of a paper": {"calls": 1, "fsyncs": 4}}
    assert not [*find_cost_increases(BASELINE, costs)]


def test_message_names_request_figure_and_the_command_to_renew() -> None:
    text = str(CostIncrease("list", "calls", 100, 150))
    assert text.startswith("list: calls rose from 100 to 150 (+50 %)")
    assert text.endswith("renew tests/costs/request_costs.toml by: python -m tests.costs.renew")
    assert "rose from 0 to 2, by" in str(CostIncrease("list", "fsyncs", 0, 2))


def test_baseline_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "BASELINE_FILE", tmp_path / "costs.toml")
    write_baseline(BASELINE)
    assert read_baseline() == BASELINE


FUNCTIONS_SOURCE = """
import asyncio

class Thing:
    def method(self): return [n for n in (1, 2)], {n for n in (1, 2)}, any(n > 2 for n in (1, 2))

def generator():
    yield 1
    yield 2

async def asynchronous_generator():
    yield 1
    yield 2

async def coroutine():
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return [n async for n in asynchronous_generator()]

def run():
    Thing().method()
    (lambda: None)()
    list(generator())
    next(generator())  # which is then closed
    asyncio.run(coroutine())
"""


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("thing.py", ["run", "method", "generator", "generator", "coroutine", "asynchronous_generator"]),
        ("page.html", []),
    ],
)
def test_named_functions_of_python_files_count_once_per_call(file: str, expected: list[str]) -> None:
    namespace: dict[str, Callable[[], None]] = {}
    counter = CallCounter()
    counter.is_on = True
    previous_profile = sys.getprofile()
    profile: Any = counter.profile
    sys.setprofile(profile)
    try:
        exec(compile(FUNCTIONS_SOURCE, PACKAGE_PREFIX + file, "exec"), namespace)
        namespace["run"]()
    finally:
        sys.setprofile(previous_profile)
    assert [code.co_name for code in counter.called] == expected
