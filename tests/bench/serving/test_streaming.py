"""A stream counts as complete only if it ends as it should."""

import pytest

from bench.serving import streaming
from tests.bench.fixed_responses import serve_bytes

HEADER = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.mark.parametrize(
    ("response", "is_complete"),
    [
        (HEADER + b'{"a": {"b": [', False),
        (HEADER + b"[]}}", True),
        (HEADER + b"x\r\n0\r\n\r\n", True),
        (HEADER.replace(b"200", b"503") + b"[]}}", False),
    ],
    ids=["truncated JSON", "JSON", "chunks", "503"],
)
def test_a_stream_is_complete_if_it_ends_as_it_should(response: bytes, *, is_complete: bool) -> None:
    with serve_bytes(response) as port:
        reader = streaming.SlowReader(port, b"GET")
        assert reader.read_chunk()
        assert reader.is_reading == response.startswith(HEADER)  # not after another status than 200
        while reader.read_chunk():
            pass
        reader.socket.close()
    assert (reader.is_complete, reader.is_reading) == (is_complete, False)
