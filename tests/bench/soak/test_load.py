"""Clients ask at a steady pace, and note each answer that is not right."""

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from bench.measure.client import request
from bench.soak.load import CLIENTS, Load, Tally
from bench.soak.mix import Ask

SLOW = "/200/slow"


class Answering(BaseHTTPRequestHandler):
    """Answers with the status that the path names, slowly, or not at all."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/cut":
            self.close_connection = True
            return
        if self.path == SLOW:
            time.sleep(0.4)
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


def asked(port: int, ask: Ask) -> Tally:
    with Load(port, [lambda _: ask], rate=50) as tally:
        time.sleep(0.3)
    return tally


def test_it_asks_at_the_pace_that_is_set(port: int) -> None:
    assert 5 <= asked(port, Ask("fine", request("/200"))).taken().requests <= 16


def test_what_comes_due_while_a_client_waits_is_left_out(port: int) -> None:
    slow, fast = (Ask("fine", request(path)) for path in (SLOW, "/200"))
    with Load(port, [lambda number: slow if number < CLIENTS else fast], rate=50) as tally:
        time.sleep(0.6)
    assert tally.taken().requests < 22  # of thirty


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
    tally = asked(port, ask)
    found, told = tally.taken(), tally.kept()["faults"]
    assert found.requests
    assert (found.busy > 0, found.faults > 0, bool(told)) == (busy, wrong, wrong)
