"""Clients ask at a steady pace, and note each answer that is not right."""

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from types import SimpleNamespace

import pytest

from bench.measure.client import request
from bench.soak import load
from bench.soak.load import CLIENTS, Load, Tally
from bench.soak.mix import Ask

SLOW = "/200/slow"
RATE = 50  # requests a second
PATIENCE = 30  # seconds for what takes a fraction of one


class Answering(BaseHTTPRequestHandler):
    """Answers with the status that the path names, not before it may, or not at all."""

    protocol_version = "HTTP/1.1"
    may_answer = Event()  # to what is slow
    waiting = Semaphore(0)  # one for each that is slow

    def do_GET(self) -> None:
        if self.path == "/cut":
            self.close_connection = True
            return
        if self.path == SLOW:
            self.waiting.release()
            self.may_answer.wait(PATIENCE)
        self.send_response(int(self.path[1:4]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever).start()
        yield server.server_address[1]
        server.shutdown()


class Counting(Tally):
    """A tally for whose notes one can wait."""

    def __init__(self) -> None:
        super().__init__()
        self.notes = Semaphore(0)

    def note(self, ask: Ask, seconds: float, fault: str = "", *, busy: bool = False) -> None:
        super().note(ask, seconds, fault, busy=busy)
        self.notes.release()


def asked(port: int, ask: Ask, count: int) -> Tally:
    """What is noted until something was asked so many times."""
    tally = Counting()
    with Load(port, [lambda _: ask], RATE, tally):
        for _ in range(count):
            assert tally.notes.acquire(timeout=PATIENCE)
    return tally


def test_it_asks_at_the_pace_that_is_set(port: int) -> None:
    begun = time.monotonic()
    asked(port, Ask("fine", request("/200")), count=16)
    seconds = 15 / RATE  # from the first to the last
    assert seconds <= time.monotonic() - begun < 3 * seconds


def test_what_comes_due_while_a_client_waits_is_left_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    now, due = 0.0, 20  # the first number that is not late
    monkeypatch.setattr(load, "time", SimpleNamespace(monotonic=lambda: now))
    numbers = SimpleQueue[int]()
    slow, fast = (Ask("fine", request(path)) for path in (SLOW, "/200"))

    def asking(number: int) -> Ask:
        numbers.put(number)
        return slow if number < CLIENTS else fast

    with Load(port, [asking], RATE):
        for _ in range(CLIENTS):
            assert Answering.waiting.acquire(timeout=PATIENCE)
        now = (due - 0.5) / RATE
        Answering.may_answer.set()
        there = [numbers.get(timeout=PATIENCE) for _ in range(2 * CLIENTS)]
    assert sorted(there) == [*range(CLIENTS), *range(due, due + CLIENTS)]


@pytest.mark.parametrize(
    ("ask", "busy", "wrong"),
    [
        (Ask("fine", request("/200")), False, False),
        (Ask("bad", request("/400"), (400,), alone=True), False, False),
        (Ask("leaving", request("/500"), leaves=0), False, False),
        (Ask("busy", request("/503")), True, False),
        (Ask("failed", request("/500")), False, True),
        (Ask("too good", request("/200"), (400,)), False, True),
        (Ask("cut", request("/cut")), False, True),
    ],
    ids=lambda one: one.kind if isinstance(one, Ask) else "",
)
def test_an_answer_that_is_not_right_is_a_fault(port: int, ask: Ask, *, busy: bool, wrong: bool) -> None:
    tally = asked(port, ask, count=CLIENTS)
    found, told = tally.taken(), tally.kept()["faults"]
    assert found.requests
    assert (found.busy > 0, found.faults > 0, bool(told)) == (busy, wrong, wrong)
