"""The client accepts only complete responses."""

import pytest

from bench.measure.client import Client, build_request
from tests.bench.fixed_responses import HEADER_START, serve_bytes


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (HEADER_START + b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (HEADER_START + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n", b"hello"),
        (HEADER_START + b"Content-Length: 0\r\n\r\n", b""),
        (HEADER_START.replace(b"200", b"304") + b"\r\n", b""),
    ],
    ids=["length", "chunks", "empty", "not modified"],
)
def test_the_client_reads_a_response_to_its_end(response: bytes, body: bytes) -> None:
    with serve_bytes(response) as port, Client(port) as client:
        received = client.send(build_request("/"), keep_body=True)
    assert (received.body, received.size, received.etag) == (body, len(body), '"x"')
    assert 0 < received.first_byte_seconds <= received.seconds


def test_the_client_connects_again_after_a_response_that_closes_the_connection() -> None:
    response = HEADER_START + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello"
    with serve_bytes(response, connections=2) as port, Client(port) as client:
        assert [client.send(build_request("/"), keep_body=True).body for _ in range(2)] == [b"hello"] * 2


@pytest.mark.parametrize(
    "response",
    [
        HEADER_START + b"Content-Length: 6\r\n\r\nhello",
        HEADER_START + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        HEADER_START,
    ],
    ids=["length", "chunks", "header"],
)
def test_an_incomplete_response_is_an_error(response: bytes) -> None:
    with (
        serve_bytes(response) as port,
        Client(port) as client,
        pytest.raises(ConnectionError, match="ended early"),
    ):
        client.send(build_request("/"))
