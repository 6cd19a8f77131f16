"""Two versions side by side: what takes more CPU than it may is told."""

import pytest

from bench.compare.versions import NAMES, HotPath, ask_path, write_table
from bench.measure.requests import Times
from bench.measure.server import Running


def path(own: list[float], other: list[float]) -> HotPath:
    return HotPath("a list", *(Times([0.1], [0.1], cpu, 1) for cpu in (own, other)))


def test_the_ratio_is_the_median_of_pairs_of_turns() -> None:
    assert path([1.0, 3.0, 9.0, 5.0], [1.0, 2.0, 3.0]).cpu_ratio == 1.5


@pytest.mark.parametrize(("own", "word"), [(1.1, "yes"), (1.2, "**no**")])
def test_a_hot_path_that_takes_more_than_a_tenth_more_misses_its_goal(own: float, word: str) -> None:
    assert write_table([path([own], [1.0])], 1.1).endswith(f"| {word} |")


def test_each_hot_path_has_its_requests() -> None:
    server = Running(0, 0, "/", 0)
    paper = b'<a:/graph/paper/3> <a:b> "Made-up paper 3" .'
    for name in NAMES:
        assert ask_path(name, server, [paper]).request(0).endswith((b"\r\n\r\n", paper))
