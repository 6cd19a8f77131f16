"""Samples of a service, one per minute for an hour."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bench.soak.load import LoadSummary
from bench.soak.samples import SERVICE, Sample

SAMPLE_COUNT = MINUTE_SECONDS = 60
FIRST_SAMPLE = Sample(
    seconds=0,
    memory={SERVICE: 100_000_000},
    resident=90_000_000,
    processes=8,
    threads=30,
    descriptors={"socket": 20, "engine": 9},
    cpu=1,
    load=1,
    store={"quads": (9, 9)},  # files, bytes
    temporary=(0, 0),
    quads=1000,
    load_summary=LoadSummary(requests=80, busy=0, faults=0, p50=0.01, p99=0.1),
)

# The fields in which sample n differs from the first.
SampleChange = Callable[[int], dict[str, Any]]


def make_hour_samples(change: SampleChange) -> list[Sample]:
    return [
        replace(FIRST_SAMPLE, seconds=number * MINUTE_SECONDS, **change(number))
        for number in range(SAMPLE_COUNT)
    ]
