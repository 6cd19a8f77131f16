"""Processes share the version of the data and the buckets of rate limits."""

import os
import random
import time

import pytest
from wgig.fronts.shared_memory import BUCKET_COUNT, SharedMemory
from wgig.http.limits import RateLimiter
from wgig.settings import Settings

SETTINGS = Settings(rate_requests=10, rate_seconds=100)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the monotonic clock, in a list of one item."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_version_set_in_one_process_is_read_in_another() -> None:
    memory = SharedMemory()
    child = os.fork()
    if not child:
        memory.version = 2**40 + 7
        os._exit(0)
    os.waitpid(child, 0)
    assert memory.version == 2**40 + 7


def test_shared_buckets_limit_like_those_of_one_process(clock: list[float]) -> None:
    local, shared = RateLimiter(SETTINGS), RateLimiter(SETTINGS, SharedMemory().buckets)
    rng = random.Random(1)
    for _ in range(5000):
        clock[0] += rng.choice([0, 0, 0.5, 3])
        client = f"192.0.2.{rng.randrange(20)}"
        assert local.is_exhausted(client) == shared.is_exhausted(client)
        assert local.take(client) == shared.take(client)


def test_flood_of_clients_keeps_an_exhausted_bucket(clock: list[float]) -> None:
    del clock
    limiter = RateLimiter(SETTINGS, SharedMemory().buckets)
    for _ in range(11):
        limiter.take("flood")
    for number in range(2 * BUCKET_COUNT):
        limiter.take(f"client {number}")
    assert limiter.take("flood").is_refused


def test_limit_counts_requests_of_several_processes_at_once() -> None:
    limiter = RateLimiter(Settings(rate_requests=1000, rate_seconds=10_000), SharedMemory().buckets)
    children = []
    for _ in range(4):
        child = os.fork()
        if not child:
            allowed = sum(not limiter.take("client").is_refused for _ in range(400))
            os._exit(allowed // 4)  # an exit code has one byte
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert 4 * sum(codes) <= 1000 < 4 * (sum(codes) + 4) + 4
