"""The client accepts only complete responses."""

import pytest

from bench.measure.client import Client, request
from tests.bench.replies import HEAD, saying


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (HEAD + b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n", b"hello"),
        (HEAD + b"Content-Length: 0\r\n\r\n", b""),
        (HEAD.replace(b"200", b"304") + b"\r\n", b""),
    ],
    ids=["length", "chunks", "empty", "not modified"],
)
def test_the_client_reads_an_answer_to_its_end(answer: bytes, body: bytes) -> None:
    with saying(answer) as port, Client(port) as client:
        found = client.ask(request("/"), keep=True)
    assert (found.body, found.size, found.etag) == (body, len(body), '"x"')
    assert 0 < found.first <= found.seconds


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: 6\r\n\r\nhello",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        HEAD,
    ],
    ids=["length", "chunks", "header"],
)
def test_the_client_takes_no_cut_answer_for_a_whole_one(answer: bytes) -> None:
    with saying(answer) as port, Client(port) as client, pytest.raises(ConnectionError, match="ended early"):
        client.ask(request("/"))
