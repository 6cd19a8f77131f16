"""The load balancer of deploy/: TLS, client addresses, limits, and one instance that is down."""

import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from tests.deploy.balancing import run_balancer, wait_until
from tests.fixtures.http_server import serve_on_thread
from tests.fixtures.processes import ServiceStarter

PIPELINED_REQUESTS = 400  # the balancer allows 300 in ten seconds


@pytest.fixture(scope="module")
def first_instance(start_service: ServiceStarter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an instance."""
    with start_service(tmp_path_factory.mktemp("first"), WGIG_DATA="none", WGIG_PROXIES="127.0.0.1") as url:
        yield url


@pytest.fixture
def post_paths() -> list[str]:
    """The paths of the POST requests to `echo_url`."""
    return []


@pytest.fixture
def echo_url(post_paths: list[str]) -> Iterator[str]:
    """The URL of a server that returns the header fields of a GET, and closes the connection at a POST."""

    class EchoHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(self.headers.items()).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            post_paths.append(self.path)  # without a response

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with serve_on_thread(ThreadingHTTPServer(("127.0.0.1", 0), EchoHandler)) as server:
        yield f"http://127.0.0.1:{server.server_port}/"


def test_two_instances_answer_over_tls_and_one_continues_alone(
    certificate: Path, first_instance: str, start_service: ServiceStarter, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        second = stack.enter_context(
            start_service(tmp_path / "second", WGIG_DATA="none", WGIG_PROXIES="127.0.0.1")
        )
        with run_balancer(certificate, first_instance, second) as (client, plain_url):
            for _ in range(6):
                response = client.get("/sparql", params={"query": "ASK {}", "_mediatype": "json"})
                assert response.json()["boolean"] is True
            assert response.headers["strict-transport-security"] == "max-age=31536000"
            redirect = httpx2.get(f"{plain_url}/sparql")
            assert (redirect.status_code, redirect.headers["location"]) == (
                308,
                f"https{plain_url.removeprefix('http')}/sparql",
            )
            # URLs in responses have the host of the request, not of an instance.
            assert f"Sitemap: {client.base_url}/sitemap.xml" in client.get("/robots.txt").text
            stack.close()  # stops the second instance
            assert {client.get("/ready").status_code for _ in range(20)} == {200}


def test_the_balancer_replaces_forwarded_headers(certificate: Path, echo_url: str) -> None:
    with run_balancer(certificate, echo_url, echo_url) as (client, _):
        sent = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http"}
        received = [(name.lower(), value) for name, value in client.get("/", headers=sent).json()]
    assert [value for name, value in received if name == "x-forwarded-for"] == ["127.0.0.1"]
    assert [value for name, value in received if name == "x-forwarded-proto"] == ["https"]


def test_a_write_is_sent_once(certificate: Path, echo_url: str, post_paths: list[str]) -> None:
    with run_balancer(certificate, echo_url, echo_url) as (client, _):
        assert client.post("/update", content="INSERT DATA {}").status_code == 502
    assert post_paths == ["/update"]


def test_a_client_above_the_rate_limit_gets_429_with_retry_after(certificate: Path, echo_url: str) -> None:
    with run_balancer(certificate, echo_url, echo_url) as (client, _):
        responses = send_pipelined(client.base_url.port or 0, certificate, PIPELINED_REQUESTS)
    assert responses.count(b" 200 OK\r\n") >= 250  # of 300 allowed ones, which include those for /ready
    assert b"retry-after: 10" in responses[responses.index(b" 429 ") :].lower()


@contextmanager
def serve_name(name: str) -> Iterator[str]:
    """The URL of a server that responds with its name."""

    class NameHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(name)))
            self.end_headers()
            self.wfile.write(name.encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with serve_on_thread(ThreadingHTTPServer(("127.0.0.1", 0), NameHandler)) as server:
        yield f"http://127.0.0.1:{server.server_port}/"


def test_changes_and_dumps_come_from_one_instance(certificate: Path) -> None:
    with ExitStack() as stack:
        one, two = stack.enter_context(serve_name("one")), stack.enter_context(serve_name("two"))
        with run_balancer(certificate, one, two) as (client, _):
            wait_until(lambda: {client.get("/papers").text for _ in range(8)} == {"one", "two"})
            for path in ("/changes", "/changes/stream/1", "/dump.nq.gz", "/dump/digest.nq.gz"):
                assert {client.get(path).text for _ in range(4)} == {"one"}
            # Another path that begins as /changes does.
            assert {client.get("/changesets").text for _ in range(8)} == {"one", "two"}


def test_while_the_first_is_down_the_second_serves_dumps_and_changes_are_503(
    certificate: Path,
) -> None:
    with ExitStack() as stack:
        two = stack.enter_context(serve_name("two"))
        with serve_name("one") as one:
            client, _ = stack.enter_context(run_balancer(certificate, one, two))
            wait_until(lambda: client.get("/changes").text == "one")
        wait_until(lambda: client.get("/dump.nq.gz").text == "two")
        refusal = client.get("/changes")
        assert (refusal.status_code, refusal.headers["retry-after"]) == (503, "5")
        assert refusal.headers["content-type"] == "application/problem+json"
        assert "Try again soon" in refusal.json()["detail"]


def test_refused_requests_are_counted(certificate: Path, echo_url: str) -> None:
    with run_balancer(certificate, echo_url, echo_url) as (client, _):
        send_pipelined(client.base_url.port or 0, certificate, PIPELINED_REQUESTS)
        metrics = httpx2.get("http://127.0.0.1:8404/metrics").text
    (refused,) = re.findall(
        r'^haproxy_frontend_requests_denied_total\{proxy="public"\} (\d+)$', metrics, re.M
    )
    assert int(refused) > 0


def send_pipelined(port: int, certificate: Path, count: int) -> bytes:
    """The responses to requests that are sent without waiting, up to the first 429."""
    context = ssl.create_default_context(cafile=certificate)
    responses = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * count)
        while b" 429 " not in responses and (chunk := connection.recv(65_536)):
            responses += chunk
    return responses
