"""Requests in turns: counts and quantiles are right, and a failed request is not measured."""

import pytest

from bench.measure.client import build_request
from bench.measure.commands import PYTHON
from bench.measure.requests import RequestSeries, compute_quantile, measure_in_turns
from bench.measure.server import run_server
from bench.serving import minimal_server


def test_a_quantile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(1, 101)]
    assert compute_quantile(values, 0.95) == 95
    assert compute_quantile(values, 0.99) == 99
    assert compute_quantile([3.0], 0.99) == 3
    assert compute_quantile([2.0, 1.0], 0.5) == 1


def test_a_server_with_another_status_is_not_measured() -> None:
    with run_server([PYTHON, minimal_server.__file__], "{port}", ready_path="/true") as server:
        series = RequestSeries(server, lambda number: build_request(f"/{number + 1}"))
        times = measure_in_turns({"fine": series}, 0, max_requests=3)["fine"]
        assert len(times.seconds) == 3
        assert times.response_bytes == 4  # of the last request, for /4, after requests for /1, /2 and /3
        # The series expects status 304.
        failed = measure_in_turns({"wrong": series._replace(status=304)}, 0)["wrong"]
        assert failed.failure == "status 200 at request 0"
        with pytest.raises(SystemExit, match="status 200"):
            failed.summarize()
