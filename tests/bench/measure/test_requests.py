"""Requests in turns: what is counted is right, and what fails is not timed."""

import pytest

from bench.measure import requests
from bench.measure.client import request
from bench.measure.commands import PYTHON
from bench.measure.server import running
from bench.serving import minimal_server


def test_the_slow_end_is_one_of_the_values() -> None:
    values = [float(one) for one in range(1, 101)]
    assert requests.quantile(values, 0.95) == 95
    assert requests.quantile(values, 0.99) == 99
    assert requests.quantile([3.0], 0.99) == 3
    assert requests.quantile([2.0, 1.0], 0.5) == 1


def test_a_server_that_answers_otherwise_is_not_timed() -> None:
    with running([PYTHON, minimal_server.__file__], "{port}", question="/true") as server:
        fine = requests.Asked(server, lambda number: request(f"/{number + 1}"))
        times = requests.in_turns({"fine": fine}, 0, most=3)["fine"]
        assert len(times.seconds) == 3
        assert times.size == 4
        wrong = requests.in_turns({"wrong": fine._replace(status=304)}, 0)["wrong"]
        assert wrong.failed == "answers 200 at request 0"
        with pytest.raises(SystemExit, match="answers 200"):
            wrong.figures()
