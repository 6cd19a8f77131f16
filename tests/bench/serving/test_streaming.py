"""A stream counts as whole only when it ends as it should."""

from bench.serving import streaming
from tests.bench.replies import saying


def test_a_stream_is_whole_when_it_ends_as_it_should() -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    ends = {head + b'{"a": {"b": [': False, head + b"[]}}": True, head + b"x\r\n0\r\n\r\n": True,
            head.replace(b"200", b"503") + b"[]}}": False}  # fmt: skip
    for answer, whole in ends.items():
        with saying(answer) as port:
            reader = streaming.Reader(port, b"GET")
            assert reader.read()
            assert reader.reading == answer.startswith(head)
            while reader.read():
                pass
            reader.socket.close()
        assert (reader.whole, reader.reading) == (whole, False)
