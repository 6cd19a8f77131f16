"""Clients send requests at a steady rate, and record each wrong response."""

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Event, Semaphore
from types import SimpleNamespace

import pytest

from bench.measure.client import build_request
from bench.soak import load
from bench.soak.load import CLIENTS, Load, Tally
from bench.soak.mix import SoakRequest
from tests.fixtures.http_server import serve_on_thread

SLOW_PATH = "/200/slow"
REQUESTS_PER_SECOND = 50
TIMEOUT_SECONDS = 30  # of steps that take a fraction of a second


class StatusHandler(BaseHTTPRequestHandler):
    """Responds with the status in the path: to the slow path after an event, to `/cut` not at all."""

    protocol_version = "HTTP/1.1"
    slow_responses_allowed = Event()
    slow_requests = Semaphore(0)  # released for each request to the slow path

    def do_GET(self) -> None:
        if self.path == "/cut":
            self.close_connection = True
            return
        if self.path == SLOW_PATH:
            self.slow_requests.release()
            self.slow_responses_allowed.wait(TIMEOUT_SECONDS)
        self.send_response(int(self.path[1:4]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serve_on_thread(ThreadingHTTPServer(("127.0.0.1", 0), StatusHandler)) as server:
        yield server.server_port


class CountingTally(Tally):
    """A tally with a semaphore that is released for each record."""

    def __init__(self) -> None:
        super().__init__()
        self.records = Semaphore(0)

    def record(self, request: SoakRequest, seconds: float, fault: str = "", *, busy: bool = False) -> None:
        super().record(request, seconds, fault, busy=busy)
        self.records.release()


def send_repeatedly(port: int, request: SoakRequest, count: int) -> Tally:
    """The tally after a request was sent `count` times."""
    tally = CountingTally()
    with Load(port, [lambda _: request], REQUESTS_PER_SECOND, tally):
        for _ in range(count):
            assert tally.records.acquire(timeout=TIMEOUT_SECONDS)
    return tally


def test_requests_are_sent_at_the_given_rate(port: int) -> None:
    start = time.monotonic()
    send_repeatedly(port, SoakRequest("fine", build_request("/200")), count=16)
    expected_seconds = 15 / REQUESTS_PER_SECOND  # from the first to the last
    assert expected_seconds <= time.monotonic() - start < 3 * expected_seconds


def test_requests_that_are_due_while_a_client_waits_are_skipped(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, first_on_time = 0.0, 20  # the number of the first request that is due when the clients continue
    monkeypatch.setattr(load, "time", SimpleNamespace(monotonic=lambda: now))
    numbers = SimpleQueue[int]()
    slow, fast = (SoakRequest("fine", build_request(path)) for path in (SLOW_PATH, "/200"))

    def make_request(number: int) -> SoakRequest:
        numbers.put(number)
        return slow if number < CLIENTS else fast

    with Load(port, [make_request], REQUESTS_PER_SECOND):
        for _ in range(CLIENTS):
            assert StatusHandler.slow_requests.acquire(timeout=TIMEOUT_SECONDS)
        now = (first_on_time - 0.5) / REQUESTS_PER_SECOND  # between two requests
        StatusHandler.slow_responses_allowed.set()
        sent = [numbers.get(timeout=TIMEOUT_SECONDS) for _ in range(2 * CLIENTS)]
    assert sorted(sent) == [*range(CLIENTS), *range(first_on_time, first_on_time + CLIENTS)]


@pytest.mark.parametrize(  # a request has a kind, its data, and the expected statuses (by default 200)
    ("request_", "is_busy", "is_fault"),
    [
        (SoakRequest("fine", build_request("/200")), False, False),
        (SoakRequest("bad", build_request("/400"), (400,), needs_new_connection=True), False, False),
        (SoakRequest("leaving", build_request("/500"), disconnect_seconds=0), False, False),
        (SoakRequest("busy", build_request("/503")), True, False),
        (SoakRequest("failed", build_request("/500")), False, True),
        (SoakRequest("too good", build_request("/200"), (400,)), False, True),
        (SoakRequest("cut", build_request("/cut")), False, True),
    ],
    ids=lambda value: value.kind if isinstance(value, SoakRequest) else "",
)
def test_a_wrong_response_is_a_fault(
    port: int, request_: SoakRequest, *, is_busy: bool, is_fault: bool
) -> None:
    tally = send_repeatedly(port, request_, count=CLIENTS)
    summary, faults = tally.take_summary(), tally.summarize_kinds()["faults"]
    assert summary.requests
    assert (summary.busy > 0, summary.faults > 0, bool(faults)) == (is_busy, is_fault, is_fault)
