"""A client that asks too often is refused until its bucket fills again, and is told how it stands."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from wgig.http import limits
from wgig.http.limits import UNLIMITED_PATHS, RateLimiter
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.processes import started
from tests.fixtures.service import service_of

THREE = Settings(rate_requests=3, rate_seconds=60)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which the test sets."""
    now = [1000.0]
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.mark.parametrize("now", [0.1, 1000, 1008.409, 8388600.3])
def test_a_client_has_so_many_at_once_and_then_one_by_one(clock: list[float], now: float) -> None:
    clock[0] = now
    buckets = RateLimiter(THREE)
    assert [buckets.take("a")[:] for _ in range(4)] == [
        (2, 20, False),
        (1, 40, False),
        (0, 20, False),
        (0, 20, True),
    ]
    clock[0] += 15
    assert buckets.take("a") == (0, 5, True)
    clock[0] += 5
    assert buckets.take("a") == (0, 20, False)
    assert buckets.take("a").is_refused


def test_a_bucket_fills_up_and_does_not_run_over(clock: list[float]) -> None:
    buckets = RateLimiter(THREE)
    for _ in range(3):
        buckets.take("a")
    clock[0] += 1e6
    assert [buckets.take("a").is_refused for _ in range(4)] == [False, False, False, True]


def test_refused_requests_do_not_put_off_the_next_good_one(clock: list[float]) -> None:
    buckets = RateLimiter(THREE)
    for _ in range(100):
        buckets.take("a")
    clock[0] += 20
    assert not buckets.take("a").is_refused


def test_clients_are_told_apart_by_address_or_network(clock: list[float]) -> None:
    del clock
    buckets = RateLimiter(replace(THREE, rate_requests=1))
    addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"]
    assert [buckets.take(one).is_refused for one in addresses] == [False, False, False, True, False]


def test_few_are_remembered_and_first_of_all_those_that_asked_most(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    del clock
    monkeypatch.setattr(limits, "MAX_REMEMBERED_CLIENTS", 100)
    buckets = RateLimiter(THREE)
    for _ in range(3):
        buckets.take("flood")
    for number in range(10_000):
        buckets.take(f"client {number}")
        assert len(buckets.full_at) <= 100
    assert buckets.take("flood").is_refused


def test_who_is_full_again_is_forgotten(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_REMEMBERED_CLIENTS", 2)
    buckets = RateLimiter(THREE)
    buckets.take("a"), buckets.take("b")
    clock[0] += 100
    buckets.take("c")
    assert [*buckets.full_at] == ["c"]


@pytest.mark.usefixtures("clock")
def test_an_answer_tells_how_a_client_stands_and_a_refusal_when_to_come_again() -> None:
    client = service_of(THREE, Store.in_memory())
    answers = [client.get("/sparql?query=ASK{}") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert {one.headers["ratelimit-policy"] for one in answers} == {'"client";q=3;w=60'}
    assert [one.headers["ratelimit"] for one in answers][:2] == ['"client";r=2;t=20', '"client";r=1;t=40']
    refused = answers[-1]
    assert refused.headers["ratelimit"] == f'"client";r=0;t={refused.headers["retry-after"]}'
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["access-control-allow-origin"] == "*"
    assert (refused.json()["type"], refused.json()["violated-policies"]) == (
        f"{Settings.base}doc/problem/too-many",
        ["client"],
    )
    assert "x-request-id" in refused.headers


def test_monitors_are_never_refused() -> None:
    client = service_of(THREE, Store.in_memory())
    assert {client.get(one).status_code for one in UNLIMITED_PATHS * 5} == {200}


def test_nothing_is_limited_by_default(closed: httpx.Client) -> None:
    assert "ratelimit" not in closed.get("/health").headers
    assert {closed.get("/sparql?query=ASK{}").status_code for _ in range(50)} == {200}


def test_answers_by_the_bytes_of_their_requests_count_as_well(tmp_path: Path) -> None:
    with started(tmp_path, WGIG_RATE_REQUESTS="6") as service:
        answers = service.ask("/sparql?query=ASK%7B%7D", 8)
        assert [one.status for one in answers] == [200] * 6 + [429] * 2
        lefts = [int(one.headers["ratelimit"].split(";")[1].removeprefix("r=")) for one in answers]
        assert lefts == [5, 4, 3, 2, 1, 0, 0, 0]
