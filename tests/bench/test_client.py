"""What the figures rest on: the client takes whole answers alone, and no CPU is left out."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from bench import floor, processes, serving, streams
from bench.client import Client, request
from bench.measure import PYTHON
from bench.start import Running, running


@contextmanager
def saying(answer: bytes) -> Iterator[int]:
    """The port of a server that says the same to each connection, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


HEAD = b'HTTP/1.1 200 OK\r\nETag: "x"\r\n'


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


def test_the_tag_of_a_cut_answer_is_not_used() -> None:
    server = partial(Running, 0, question="", seconds=0)
    with saying(HEAD + b"Content-Length: 5\r\n\r\nhello") as port:
        assert serving.entity_tag(server(port=port), request("/")) == '"x"'
    with saying(HEAD + b"Content-Length: 6\r\n\r\nhello") as port:
        assert serving.entity_tag(server(port=port), request("/")) == ""


def test_the_cpu_of_a_process_counts_what_it_started_and_what_ended() -> None:
    burn = "import time\nwhile time.process_time() < 0.2: pass\n"
    wait = "print(flush=True); input()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); {wait}"
    words = [sys.executable, "-c", parent]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert processes.cpu(process.pid) >= 0.2
        assert process.pid in processes.family(os.getpid())
        before, start = processes.cpu(os.getpid()), time.process_time()
        assert processes.memory(process.pid) > 2**20
        assert processes.cpu(os.getpid()) - before >= time.process_time() - start - 0.01
        process.communicate(b"\n")
    assert processes.cpu(process.pid) == 0


def test_the_server_that_does_nothing_sends_so_many_bytes() -> None:
    with (
        running([PYTHON, floor.__file__], "{port}", question="/true") as server,
        Client(server.port) as client,
    ):
        assert [client.ask(request(f"/{size}")).size for size in (1, 100_000, 1)] == [1, 100_000, 1]


def test_a_stream_is_whole_when_it_ends_as_it_should() -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    ends = {head + b'{"a": {"b": [': False, head + b"[]}}": True, head + b"x\r\n0\r\n\r\n": True,
            head.replace(b"200", b"503") + b"[]}}": False}  # fmt: skip
    for answer, whole in ends.items():
        with saying(answer) as port:
            reader = streams.Reader(port, b"GET")
            assert reader.read()
            assert reader.reading == answer.startswith(head)
            while reader.read():
                pass
            reader.socket.close()
        assert (reader.whole, reader.reading) == (whole, False)
