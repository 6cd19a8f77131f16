"""Rate limits: token buckets, RateLimit headers, and 429 for clients that exceed the limit."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
from wgig.http import limits
from wgig.http.limits import UNLIMITED_PATHS, LocalBuckets, RateLimiter
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.processes import run_service
from tests.fixtures.service import make_service_client

SETTINGS = Settings(rate_requests=3, rate_seconds=60)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The current time in seconds, as a list of one number that the test can change."""
    now = [1000.0]
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.mark.parametrize("now", [0.1, 1000, 1008.409, 8388600.3])  # with different rounding errors
def test_bucket_allows_burst_and_then_refills(clock: list[float], now: float) -> None:
    clock[0] = now
    limiter = RateLimiter(SETTINGS)
    # requests_left, reset_seconds, is_refused
    assert [limiter.take("a") for _ in range(4)] == [
        (2, 20, False),
        (1, 40, False),
        (0, 20, False),
        (0, 20, True),
    ]
    clock[0] += 15
    assert limiter.take("a") == (0, 5, True)
    clock[0] += 5
    assert limiter.take("a") == (0, 20, False)
    assert limiter.take("a").is_refused


def test_bucket_does_not_exceed_its_size(clock: list[float]) -> None:
    limiter = RateLimiter(SETTINGS)
    for _ in range(3):
        limiter.take("a")
    clock[0] += 1e6
    assert [limiter.take("a").is_refused for _ in range(4)] == [False, False, False, True]


def test_refused_requests_take_no_tokens(clock: list[float]) -> None:
    limiter = RateLimiter(SETTINGS)
    for _ in range(100):
        limiter.take("a")
    clock[0] += 20
    assert not limiter.take("a").is_refused


def test_clients_are_identified_by_address_or_network(clock: list[float]) -> None:
    del clock
    limiter = RateLimiter(replace(SETTINGS, rate_requests=1))
    addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"]
    assert [limiter.take(address).is_refused for address in addresses] == [False, False, False, True, False]


def test_emptiest_buckets_are_kept(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    del clock
    monkeypatch.setattr(limits, "MAX_REMEMBERED_CLIENTS", 100)
    limiter = RateLimiter(SETTINGS, buckets := LocalBuckets())
    for _ in range(3):
        limiter.take("flood")
    for number in range(10_000):
        limiter.take(f"client {number}")
        assert len(buckets.full_at) <= 100
    assert limiter.take("flood").is_refused


def test_full_buckets_are_dropped(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_REMEMBERED_CLIENTS", 2)
    limiter = RateLimiter(SETTINGS, buckets := LocalBuckets())
    limiter.take("a")
    limiter.take("b")
    clock[0] += 100
    limiter.take("c")
    assert [*buckets.full_at] == ["c"]  # keys are clients


@pytest.mark.usefixtures("clock")
def test_responses_have_rate_limit_headers() -> None:
    client = make_service_client(SETTINGS, Store.in_memory())
    responses = [client.get("/sparql?query=ASK{}") for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 200, 200, 429]
    assert {response.headers["ratelimit-policy"] for response in responses} == {'"client";q=3;w=60'}
    assert [response.headers["ratelimit"] for response in responses][:2] == [
        '"client";r=2;t=20',
        '"client";r=1;t=40',
    ]
    refused = responses[-1]
    assert refused.headers["ratelimit"] == f'"client";r=0;t={refused.headers["retry-after"]}'
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["access-control-allow-origin"] == "*"
    assert (refused.json()["type"], refused.json()["violated-policies"]) == (
        f"{Settings.base}doc/problem/too-many",
        ["client"],
    )
    assert "x-request-id" in refused.headers


def test_health_checks_are_not_limited() -> None:
    client = make_service_client(SETTINGS, Store.in_memory())
    assert {client.get(path).status_code for path in UNLIMITED_PATHS * 5} == {200}


def test_rate_limit_is_off_by_default(read_only_client: httpx2.Client) -> None:
    assert "ratelimit" not in read_only_client.get("/health").headers
    assert {read_only_client.get("/sparql?query=ASK{}").status_code for _ in range(50)} == {200}


def test_cached_responses_count_toward_limit(tmp_path: Path) -> None:
    with run_service(tmp_path, WGIG_RATE_REQUESTS="6") as service:
        # From the third on, the responses come from the cache by the bytes of the request.
        responses = service.request("/sparql?query=ASK%7B%7D", 8)
        assert [response.status for response in responses] == [200] * 6 + [429] * 2
        requests_left = [
            int(response.headers["ratelimit"].split(";")[1].removeprefix("r=")) for response in responses
        ]
        assert requests_left == [5, 4, 3, 2, 1, 0, 0, 0]
