"""What was asked in the very same bytes is answered without reading them, as it was before."""

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from wgig.http.fast_path import MAX_RAW_RESPONSE_BYTES, RawResponseCache, is_single_get_request
from wgig.http.telemetry import Metrics

from tests.fixtures.processes import Serving

pytestmark = pytest.mark.slow

HEAD = "Host: a\r\n"
ASK = f"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\n{HEAD}"


def of(room: int = 10_000) -> tuple[RawResponseCache, list[int]]:
    version = [0]
    return RawResponseCache(lambda: version[0], room, Metrics()), version


def test_an_answer_is_given_for_the_same_bytes_alone() -> None:
    shortcuts, _ = of()
    shortcuts.add(b"one", 200, [(b"a", b"b")], b"body")
    found = shortcuts.get(b"one")
    assert found
    assert found.status_line + found.headers_and_body == b"HTTP/1.1 200 OK\r\n\r\na: b\r\n\r\nbody"
    assert shortcuts.get(b"other") is None


def test_a_write_makes_them_all_void() -> None:
    shortcuts, version = of()
    shortcuts.add(b"one", 200, [], b"")
    version[0] += 1
    assert shortcuts.get(b"one") is None


def test_there_is_room_for_so_many_and_for_no_large_one() -> None:
    shortcuts, _ = of()
    for number in range(1000):
        shortcuts.add(b"%d" % number, 200, [], b"")
        assert shortcuts.size_bytes <= 10_000
    assert shortcuts.get(b"999")
    assert shortcuts.get(b"0") is None
    shortcuts.add(b"large", 200, [], b"x" * (MAX_RAW_RESPONSE_BYTES + 1))
    assert shortcuts.get(b"large") is None


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\n", False),
        (b"POST / HTTP/1.1\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", False),
        (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n\r\n", False),
    ],
)
def test_what_counts_as_one_request(data: bytes, whole: bool) -> None:
    assert is_single_get_request(data) is whole


class Client:
    """A connection on which requests are sent as they are."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=10)
        self.file = self.socket.makefile("rb")

    def ask(self, request: str) -> tuple[str, str]:
        """The head and body of the answer."""
        self.socket.sendall(f"{request}\r\n".encode())
        return self.read()

    def read(self) -> tuple[str, str]:
        head = b"".join(iter(self.file.readline, b"\r\n")).decode()
        length = re.search(r"content-length: (\d+)", head)
        return head, self.file.read(int(length[1])).decode() if length else ""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()


OWN = ("date: ", "x-request-id: ")


def without_own(head: str) -> list[str]:
    """The lines of a head in order, but for those of one request alone, which must be there."""
    lines = head.splitlines()
    assert [sum(line.startswith(one) for line in lines) for one in OWN] == [1, 1]
    return sorted(line for line in lines if not line.startswith(OWN))


def test_the_same_request_has_the_same_answer_however_it_is_given(served: str) -> None:
    with Client(served) as client:
        answers = [client.ask(ASK) for _ in range(4)]
        assert len({body for _, body in answers}) == 1
        assert len({tuple(without_own(head)) for head, _ in answers}) == 1
        tag = re.search(r'etag: (".*")', answers[0][0])
        assert tag
        known = [client.ask(f"{ASK}If-None-Match: {tag[1]}\r\n") for _ in range(4)]
        assert all(head.startswith("HTTP/1.1 304") and not body for head, body in known)
        client.socket.sendall(f"{ASK}\r\n{ASK}\r\n".encode())
        assert client.read()[1] == client.read()[1] == answers[0][1]
        assert client.ask(f"{ASK}Connection: close\r\n")[1] == answers[0][1]
        assert client.file.read() == b""


def test_a_write_is_seen_by_the_next_request(serving: Serving, tmp_path: Path) -> None:
    count = f"GET /sparql?query=SELECT*%7B%3Curn:s%3E%3Curn:p%3E%3Fo%7D&_mediatype=csv HTTP/1.1\r\n{HEAD}"
    with serving(tmp_path, WGIG_DATA="none", WGIG_TOKEN="t") as url, Client(url) as client:
        for number in range(3):
            assert [len(client.ask(count)[1].split()) for _ in range(3)] == [1 + number] * 3
            done = httpx.post(
                f"{url}update",
                data={"update": f"INSERT DATA {{ <urn:s> <urn:p> {number} }}"},
                headers={"Authorization": "Bearer t"},
            )
            assert done.status_code == 204


def test_a_body_is_never_taken_for_a_request(served: str) -> None:
    inner = f"{ASK}\r\n"
    with Client(served) as client:
        assert all(client.ask(ASK)[1] for _ in range(3))
    for outer in (
        f"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\n{HEAD}Content-Length: {len(inner)}\r\n",
        f"POST /nothing HTTP/1.1\r\n{HEAD}Content-Length: {len(inner)}\r\n",
        f"PUT /graph/mine HTTP/1.1\r\n{HEAD}Content-Length: {len(inner)}\r\nContent-Type: text/turtle\r\n",
    ):
        with Client(served) as client:
            for _ in range(4):
                client.socket.sendall(f"{outer}\r\n".encode())
                first = client.read() if outer.startswith("P") else None
                client.socket.sendall(inner.encode())
                first = first or client.read()
                client.socket.sendall(f"GET /health HTTP/1.1\r\n{HEAD}\r\n".encode())
                assert "alive" in client.read()[1], outer
                assert first[1]


def test_an_old_client_is_told_that_the_connection_ends(served: str) -> None:
    for _ in range(4):
        with Client(served) as client:
            head, body = client.ask(f"GET /sparql?query=ASK%7B%7D HTTP/1.0\r\n{HEAD}")
            assert body
            assert "connection: close" in head.lower()
            assert client.file.read() == b""
