"""The comparison of two versions reports hot paths (frequent requests, commands) that need too much CPU."""

import pytest

from bench.compare.versions import NAMES, HotPath, format_hot_paths, make_hot_path_series
from bench.measure.requests import RequestTimes
from bench.measure.server import RunningServer


def make_hot_path(own_cpu: list[float], other_cpu: list[float]) -> HotPath:
    return HotPath("a list", *(RequestTimes([0.1], [0.1], cpu, 1) for cpu in (own_cpu, other_cpu)))


def test_the_ratio_is_the_median_of_pairs_of_turns() -> None:
    # The ratios are 1, 1.5 and 3; the fourth turn has no other.
    assert make_hot_path([1.0, 3.0, 9.0, 5.0], [1.0, 2.0, 3.0]).cpu_ratio == 1.5


@pytest.mark.parametrize(("own_cpu", "met"), [(1.1, "yes"), (1.2, "**no**")])
def test_a_hot_path_that_needs_more_than_a_tenth_more_cpu_misses_its_goal(own_cpu: float, met: str) -> None:
    assert format_hot_paths([make_hot_path([own_cpu], [1.0])], 1.1).endswith(f"| {met} |")


def test_each_hot_path_has_complete_requests() -> None:
    server = RunningServer(0, 0, "/", 0)  # gets no request
    paper = b'<a:/graph/paper/3> <a:b> "Made-up paper 3" .'
    for name in NAMES:
        request = make_hot_path_series(name, server, [paper]).request(0)
        assert request.endswith((b"\r\n\r\n", paper))
