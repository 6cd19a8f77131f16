"""The balancer of the shipped stack before two instances: TLS, who asks, how much, and when one is gone."""

import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.deploy.balancing import balancer, wait
from tests.fixtures.processes import Serving


@pytest.fixture(scope="module")
def first(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an instance."""
    with serving(tmp_path_factory.mktemp("first"), WGIG_DATA="none", WGIG_PROXIES="127.0.0.1") as url:
        yield url


@pytest.fixture
def posts() -> list[str]:
    """What was posted to `echo`."""
    return []


@pytest.fixture
def echo(posts: list[str]) -> Iterator[str]:
    """The address of a server that answers with the header fields that came, and never to a POST."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(self.headers.items()).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            posts.append(self.path)  # and go away without an answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_two_instances_answer_over_tls_and_one_goes_on_alone(
    certificate: Path, first: str, serving: Serving, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        second = stack.enter_context(serving(tmp_path / "second", WGIG_DATA="none", WGIG_PROXIES="127.0.0.1"))
        with balancer(certificate, first, second) as (client, plain):
            for _ in range(6):
                answer = client.get("/sparql", params={"query": "ASK {}", "_mediatype": "json"})
                assert answer.json()["boolean"] is True
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
            moved = httpx.get(f"{plain}/sparql")
            assert (moved.status_code, moved.headers["location"]) == (308, f"https{plain[4:]}/sparql")
            # Links lead to where the client asked, not to an instance.
            assert f"Sitemap: {client.base_url}/sitemap.xml" in client.get("/robots.txt").text
            stack.close()
            assert {client.get("/ready").status_code for _ in range(20)} == {200}


def test_it_alone_says_who_asks(certificate: Path, echo: str) -> None:
    with balancer(certificate, echo, echo) as (client, _):
        sent = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http"}
        came = [(name.lower(), value) for name, value in client.get("/", headers=sent).json()]
    assert [value for name, value in came if name == "x-forwarded-for"] == ["127.0.0.1"]
    assert [value for name, value in came if name == "x-forwarded-proto"] == ["https"]


def test_a_write_is_sent_once(certificate: Path, echo: str, posts: list[str]) -> None:
    with balancer(certificate, echo, echo) as (client, _):
        assert client.post("/update", content="INSERT DATA {}").status_code == 502
    assert posts == ["/update"]


def test_an_address_that_asks_too_often_is_told_to_wait(certificate: Path, echo: str) -> None:
    with balancer(certificate, echo, echo) as (client, _):
        said = at_one_go(client.base_url.port or 0, certificate, 400)
    assert said.count(b" 200 OK\r\n") >= 250
    assert b"retry-after: 10" in said[said.index(b" 429 ") :].lower()


@contextmanager
def called(name: str) -> Iterator[str]:
    """The address of a server that answers with its name."""

    class Named(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(name)))
            self.end_headers()
            self.wfile.write(name.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Named) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_who_follows_changes_or_takes_a_dump_stays_with_one_instance(certificate: Path) -> None:
    with ExitStack() as stack:
        one, two = stack.enter_context(called("one")), stack.enter_context(called("two"))
        with balancer(certificate, one, two) as (client, _):
            wait(lambda: {client.get("/papers").text for _ in range(8)} == {"one", "two"})
            for path in ("/changes", "/changes/stream/1", "/dump.nq.gz", "/dump/digest.nq.gz"):
                assert {client.get(path).text for _ in range(4)} == {"one"}
            assert {client.get("/changesets").text for _ in range(8)} == {"one", "two"}


def test_while_the_first_is_away_the_second_gives_dumps_and_who_follows_is_told_to_wait(
    certificate: Path,
) -> None:
    with ExitStack() as stack:
        two = stack.enter_context(called("two"))
        with called("one") as one:
            client, _ = stack.enter_context(balancer(certificate, one, two))
            wait(lambda: client.get("/changes").text == "one")
        wait(lambda: client.get("/dump.nq.gz").text == "two")
        away = client.get("/changes")
        assert (away.status_code, away.headers["retry-after"]) == (503, "5")
        assert away.headers["content-type"] == "application/problem+json"
        assert "Try again soon" in away.json()["detail"]


def test_it_counts_what_it_refused(certificate: Path, echo: str) -> None:
    with balancer(certificate, echo, echo) as (client, _):
        at_one_go(client.base_url.port or 0, certificate, 400)
        figures = httpx.get("http://127.0.0.1:8404/metrics").text
    (refused,) = re.findall(
        r'^haproxy_frontend_requests_denied_total\{proxy="public"\} (\d+)$', figures, re.M
    )
    assert int(refused) > 0


def at_one_go(port: int, certificate: Path, count: int) -> bytes:
    """The answers to so many requests that are sent without waiting, up to the first that is refused."""
    context = ssl.create_default_context(cafile=certificate)
    said = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * count)
        while b" 429 " not in said and (piece := connection.recv(65_536)):
            said += piece
    return said
