"""Connections that bring no request, a bad one, or more than is read: each gets its answer and ends."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState
from wgig.http import server
from wgig.http.server import make_connection_class

Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

GOOD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
UPLOAD = b"POST /%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"POST /%s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says hello; below /read after the body, below /half it begins before, below /bye it closes after.

    Below /wait it says nothing as long as the client is there.
    """
    headers = [(b"content-length", b"5")]
    if scope["path"] == "/bye":
        headers.append((b"connection", b"close"))
    if scope["path"] == "/half":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["path"] in ("/read", "/half"):
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.disconnect":
            return
    if scope["path"] == "/wait":
        with suppress(TimeoutError):
            async with asyncio.timeout(3):  # of a server that does not say so
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
    if scope["path"] != "/half":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


def talk(client: Client) -> None:
    """Let a client talk to a server of one application; both end within the time of a test."""

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:
            faults.append(error)

    async def both() -> None:
        config = uvicorn.Config(
            watched, http=make_connection_class("http://base/"), ws="none", log_level="critical"
        )
        config.load()
        state = ServerState()
        state.default_headers = [(b"date", b"now")]
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: faults.append(context))
        server = await loop.create_server(
            lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),  # type: ignore[call-arg]
            "127.0.0.1",
        )
        async with server, asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            try:
                await client(reader, writer)
            finally:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()
                while state.connections or state.tasks:
                    await asyncio.sleep(0)

    faults: list[object] = []
    asyncio.run(both())
    assert not faults


async def pour(writer: asyncio.StreamWriter, piece: bytes) -> None:
    """Send the piece again and again."""
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)


def problem(answer: bytes) -> dict[str, object]:
    """The problem document of an answer that ends the connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    assert head.count(b"date: ") == 1
    document: dict[str, object] = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {document['status']} ".encode())
    return document


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"GARBAGE\r\n\r\n", "Invalid method"),
        (b"\x16\x03\x01\x02\x00", "Invalid method"),
        (b"GET / HTTP/1.1\r\nHo st: a\r\n\r\n", "Invalid header token"),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", "malformed"),
        (b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n", "malformed"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "Content-Length"),
        (CHUNKED % b"read" + b"xyz\r\n", "The body of the request is malformed"),
        (CHUNKED % b"read" + b"5\r\nhello!!\r\n", "The body of the request is malformed"),
        (CHUNKED % b"stay" + b"xyz\r\n", "The body of the request is malformed"),
    ],
)
def test_what_is_no_http_gets_a_problem_document(sent: bytes, why: str) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        found = problem(await reader.read())
        assert found["status"] == 400
        assert why in str(found["detail"])
        writer.write(b"GET / HTTP/1.1\r\n\r\n")  # to nobody

    talk(client)


def test_a_good_request_is_answered_whatever_follows_it() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GOOD + b"GARBAGE\r\n\r\n")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"\r\n\r\nhello")

    talk(client)


def test_nothing_is_answered_after_the_last_answer() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GOOD.replace(b"/", b"/bye", 1) + GOOD)
        assert (await reader.read()).count(b"hello") == 1

    talk(client)


def test_an_answer_that_has_begun_is_not_mixed_with_another() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED % b"half")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        writer.write(b"xyz\r\n")
        assert await reader.read() == b""

    talk(client)


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"])
def test_a_connection_without_a_request_is_closed(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_TIMEOUT_SECONDS", 0.05)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        assert await reader.read() == b""

    talk(client)


@pytest.mark.parametrize("before", [b"", GOOD])
def test_a_head_that_does_not_end_is_given_up(before: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_TIMEOUT_SECONDS", 0.05)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(before)
        if before:
            await reader.readuntil(b"hello")
        writer.write(b"GET / HTTP/1.1\r\nHost: ")
        assert problem(await reader.read())["status"] == 408

    talk(client)


def test_a_head_without_measure_is_refused() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(40):
            writer.write(b"GET / HTTP/1.1\r\n" if not number else b"X: " + b"x" * 5000 + b"\r\n")
        assert "larger than" in str(problem(await reader.read())["detail"])

    talk(client)


@pytest.mark.parametrize("path", [b"bye", b"stay"])
def test_an_answer_is_read_though_the_body_was_not(path: bytes) -> None:
    size = 20_000_000

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(UPLOAD % (path, size))
        for _ in range(size // 100_000):
            writer.write(b"x" * 100_000)
            await writer.drain()
        if path == b"stay":
            writer.write(b"GET /bye HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.read()).count(b"hello") == (2 if path == b"stay" else 1)

    talk(client)


@pytest.mark.parametrize("path", [b"bye", b"stay"])
def test_what_nobody_reads_has_its_bounds(path: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_DISCARDED_BYTES", 1_000_000)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(UPLOAD % (path, 10**12))
        await reader.readuntil(b"hello")
        with pytest.raises(ConnectionError):
            await pour(writer, b"x" * 100_000)

    talk(client)


@pytest.mark.parametrize("path", [b"bye", b"stay"])
def test_what_nobody_reads_has_its_time(path: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_TIMEOUT_SECONDS", 0.05)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(UPLOAD % (path, 1000))
        await reader.readuntil(b"hello")
        with pytest.raises(ConnectionError):
            await pour(writer, b"x")

    talk(client)


def test_a_client_that_will_send_no_more_counts_as_gone_away() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GOOD.replace(b"/ ", b"/wait "))
        writer.write_eof()
        assert await reader.read() == b""

    talk(client)
