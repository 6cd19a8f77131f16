"""The raw cache: a request with the same bytes gets the same response, without being parsed."""

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from wgig.http.fast_path import (
    MAX_RAW_RESPONSE_BYTES,
    RawResponseCache,
    WholeResponse,
    is_single_get_request,
)
from wgig.http.telemetry import Metrics

from tests.fixtures.processes import ServiceStarter

pytestmark = pytest.mark.slow

HEAD = "Host: a\r\n"
ASK = f"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\n{HEAD}"


EMPTY_RESPONSE = WholeResponse(200, [], b"")


def make_cache(max_bytes: int = 10_000) -> tuple[RawResponseCache, list[int]]:
    version = [0]
    return RawResponseCache(lambda: version[0], max_bytes, Metrics()), version


def test_raw_cache_returns_response_for_equal_bytes_only() -> None:
    cache, _ = make_cache()
    cache.add(b"one", 0, WholeResponse(200, [(b"a", b"b")], b"body"))
    cached = cache.get(b"one")
    assert cached
    assert cached.status_line + cached.headers_and_body == b"HTTP/1.1 200 OK\r\n\r\na: b\r\n\r\nbody"
    assert cache.get(b"other") is None


def test_write_invalidates_raw_cache() -> None:
    cache, version = make_cache()
    cache.add(b"one", 0, EMPTY_RESPONSE)
    version[0] += 1
    assert cache.get(b"one") is None


def test_response_of_an_earlier_version_is_not_added() -> None:
    cache, version = make_cache()
    version[0] += 1
    cache.add(b"one", 0, EMPTY_RESPONSE)
    assert cache.get(b"one") is None


def test_raw_cache_is_bounded_and_skips_large_responses() -> None:
    cache, _ = make_cache()
    for number in range(1000):
        cache.add(b"%d" % number, 0, EMPTY_RESPONSE)
        assert cache.size_bytes <= 10_000
    assert cache.get(b"999")
    assert cache.get(b"0") is None
    cache.add(b"large", 0, WholeResponse(200, [], b"x" * (MAX_RAW_RESPONSE_BYTES + 1)))
    assert cache.get(b"large") is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\n", False),
        (b"POST / HTTP/1.1\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", False),
        (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n\r\n", False),
    ],
)
def test_single_get_request_is_recognized(data: bytes, expected: bool) -> None:
    assert is_single_get_request(data) is expected


class RawConnection:
    """A connection on which the bytes of requests are sent unchanged."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=60)
        self.file = self.socket.makefile("rb")

    def send_request(self, request: str) -> tuple[str, str]:
        """Send a request; the head and body of the response."""
        self.socket.sendall(f"{request}\r\n".encode())
        return self.read_response()

    def read_response(self) -> tuple[str, str]:
        head = b"".join(iter(self.file.readline, b"\r\n")).decode()
        length = re.search(r"content-length: (\d+)", head)
        return head, self.file.read(int(length[1])).decode() if length else ""

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()


PER_REQUEST_FIELDS = ("date: ", "x-request-id: ")


def drop_per_request_fields(head: str) -> list[str]:
    """The sorted lines of a head without PER_REQUEST_FIELDS, which must each be present once."""
    lines = head.splitlines()
    assert [sum(line.startswith(prefix) for line in lines) for prefix in PER_REQUEST_FIELDS] == [1, 1]
    return sorted(line for line in lines if not line.startswith(PER_REQUEST_FIELDS))


def test_raw_cached_response_equals_first_response(service_url: str) -> None:
    with RawConnection(service_url) as client:
        responses = [client.send_request(ASK) for _ in range(4)]
        assert len({body for _, body in responses}) == 1
        assert len({tuple(drop_per_request_fields(head)) for head, _ in responses}) == 1
        tag = re.search(r'etag: (".*")', responses[0][0])
        assert tag
        not_modified = [client.send_request(f"{ASK}If-None-Match: {tag[1]}\r\n") for _ in range(4)]
        assert all(head.startswith("HTTP/1.1 304") and not body for head, body in not_modified)
        client.socket.sendall(f"{ASK}\r\n{ASK}\r\n".encode())
        assert client.read_response()[1] == client.read_response()[1] == responses[0][1]
        assert client.send_request(f"{ASK}Connection: close\r\n")[1] == responses[0][1]
        assert client.file.read() == b""


def test_request_after_write_gets_new_data(start_service: ServiceStarter, tmp_path: Path) -> None:
    query = f"GET /sparql?query=SELECT*%7B%3Curn:s%3E%3Curn:p%3E%3Fo%7D&_mediatype=csv HTTP/1.1\r\n{HEAD}"
    with start_service(tmp_path, WGIG_DATA="none", WGIG_TOKEN="t") as url, RawConnection(url) as client:
        for number in range(3):
            assert [len(client.send_request(query)[1].split()) for _ in range(3)] == [1 + number] * 3
            update_response = httpx2.post(
                f"{url}update",
                data={"update": f"INSERT DATA {{ <urn:s> <urn:p> {number} }}"},
                headers={"Authorization": "Bearer t"},
            )
            assert update_response.status_code == 204


def test_body_is_not_answered_as_request(service_url: str) -> None:
    inner = f"{ASK}\r\n"
    with RawConnection(service_url) as client:
        assert all(client.send_request(ASK)[1] for _ in range(3))
    for outer in (
        f"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\n{HEAD}Content-Length: {len(inner)}\r\n",
        f"POST /nothing HTTP/1.1\r\n{HEAD}Content-Length: {len(inner)}\r\n",
        f"PUT /graph/mine HTTP/1.1\r\n{HEAD}Content-Length: {len(inner)}\r\nContent-Type: text/turtle\r\n",
    ):
        with RawConnection(service_url) as client:
            for _ in range(4):
                client.socket.sendall(f"{outer}\r\n".encode())
                first = client.read_response() if outer.startswith("P") else None
                client.socket.sendall(inner.encode())
                first = first or client.read_response()
                client.socket.sendall(f"GET /health HTTP/1.1\r\n{HEAD}\r\n".encode())
                assert "alive" in client.read_response()[1], outer
                assert first[1]


def test_http_1_0_connection_is_closed(service_url: str) -> None:
    for _ in range(4):
        with RawConnection(service_url) as client:
            head, body = client.send_request(f"GET /sparql?query=ASK%7B%7D HTTP/1.0\r\n{HEAD}")
            assert body
            assert "connection: close" in head.lower()
            assert client.file.read() == b""
