"""Samples of a service, one a minute for an hour."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bench.soak.load import Asked
from bench.soak.samples import SERVICE, Sample

MINUTE = 60
SAMPLE = Sample(
    0, {SERVICE: 100_000_000}, 90_000_000, 8, 30, {"socket": 20, "engine": 9}, 1, 1,
    {"quads": (9, 9)}, (0, 0), 1000, Asked(80, 0, 0, 0.01, 0.1),
)  # fmt: skip

# What a sample of this number has in place of the first.
Change = Callable[[int], dict[str, Any]]


def an_hour(change: Change) -> list[Sample]:
    return [replace(SAMPLE, seconds=number * MINUTE, **change(number)) for number in range(MINUTE)]
