"""Connections of the HTTP server: invalid requests, timeouts, limits, and closing without a reset."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState
from wgig.http import server
from wgig.http.server import MAX_FIELD_BYTES, make_connection_class

Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

GET_REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
UPLOAD_HEAD = b"POST /%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
CHUNKED_HEAD = b"POST /%s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Responds with "hello": /read after the body, /half begins the response before it, /bye then closes.

    /wait sends nothing until the client disconnects. Other paths, such as /stay, do not read the body, and
    keep the connection open.
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
            async with asyncio.timeout(3):  # if no disconnect is reported, the client gets a response
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
    if scope["path"] != "/half":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


def run_client(client: Client) -> None:
    """Run a client on a connection to a server of `app`; errors of the server fail the test."""

    async def app_with_errors(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:
            errors.append(error)

    async def run_server_and_client() -> None:
        config = uvicorn.Config(
            app_with_errors, http=make_connection_class("http://base/"), ws="none", log_level="critical"
        )
        config.load()
        state = ServerState()
        state.default_headers = [(b"date", b"now")]
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: errors.append(context))
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

    errors: list[object] = []
    asyncio.run(run_server_and_client())
    assert not errors


async def send_repeatedly(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    """Send the chunk repeatedly, until an error."""
    while True:
        writer.write(chunk)
        await writer.drain()
        await asyncio.sleep(0)


def read_problem(response: bytes) -> dict[str, object]:
    """The problem document in a response that closes the connection."""
    head, _, body = response.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    assert head.count(b"date: ") == 1
    document: dict[str, object] = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {document['status']} ".encode())
    return document


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GARBAGE\r\n\r\n", "Invalid method"),
        (b"\x16\x03\x01\x02\x00", "Invalid method"),  # a TLS handshake
        (b"GET / HTTP/1.1\r\nHo st: a\r\n\r\n", "Invalid header token"),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", "malformed"),
        (b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n", "malformed"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "Content-Length"),
        # An invalid size of a chunk, or a chunk that is longer than its size.
        (CHUNKED_HEAD % b"read" + b"xyz\r\n", "The body of the request is malformed"),
        (CHUNKED_HEAD % b"read" + b"5\r\nhello!!\r\n", "The body of the request is malformed"),
        (CHUNKED_HEAD % b"stay" + b"xyz\r\n", "The body of the request is malformed"),
    ],
)
def test_invalid_http_gets_problem_document(data: bytes, reason: str) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        document = read_problem(await reader.read())
        assert document["status"] == 400
        assert reason in str(document["detail"])
        writer.write(b"GET / HTTP/1.1\r\n\r\n")  # is discarded

    run_client(client)


@pytest.mark.parametrize(
    ("chunks", "name"),
    [
        ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "BREW"),
        ("\r\n|BREW / HTTP/1.1\r\n", "BREW"),
        ("\r\nBREW / HTTP/1.1\r\n", "BREW"),
        ("B|REW / HTTP/1.1\r\n", "BREW"),
        ("\r\nB|REW / HT", "BREW"),
        ("BR|EW / HTTP/1.1\r\n", "BR…"),  # is refused at its second letter
        ("GET|S / HTTP/1.1\r\n", "GETS"),
    ],
)
def test_unknown_method_in_any_chunks_is_501(chunks: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    receive = server.ServerConnection.data_received

    def receive_chunks(connection: server.ServerConnection, data: bytes) -> None:
        for chunk in data.split(b"|"):
            receive(connection, chunk)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(chunks.encode())
        document = read_problem(await reader.read())
        assert document["status"] == 501
        assert document["detail"] == f"The method {name} is not supported. Use GET."

    monkeypatch.setattr(server.ServerConnection, "data_received", receive_chunks)
    run_client(client)


def test_valid_request_before_invalid_data_is_answered() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GET_REQUEST + b"GARBAGE\r\n\r\n")
        response = await reader.read()
        assert response.startswith(b"HTTP/1.1 200")
        assert response.endswith(b"\r\n\r\nhello")

    run_client(client)


def test_requests_after_close_are_not_answered() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GET_REQUEST.replace(b"/", b"/bye", 1) + GET_REQUEST)
        assert (await reader.read()).count(b"hello") == 1

    run_client(client)


def test_started_response_is_cut_off_by_invalid_body() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED_HEAD % b"half")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        writer.write(b"xyz\r\n")
        assert await reader.read() == b""

    run_client(client)


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n"])  # blank lines before a request are allowed
def test_idle_connection_is_closed(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_TIMEOUT_SECONDS", 0.05)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        assert await reader.read() == b""

    run_client(client)


@pytest.mark.parametrize("first_request", [b"", GET_REQUEST])
def test_incomplete_head_times_out(first_request: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_TIMEOUT_SECONDS", 0.05)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first_request)
        if first_request:
            await reader.readuntil(b"hello")
        writer.write(b"GET / HTTP/1.1\r\nHost: ")
        assert read_problem(await reader.read())["status"] == 408

    run_client(client)


def test_too_large_head_is_refused() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(40):  # 200 kB
            writer.write(b"GET / HTTP/1.1\r\n" if not number else b"X: " + b"x" * 5000 + b"\r\n")
        assert "larger than" in str(read_problem(await reader.read())["detail"])

    run_client(client)


def test_too_large_header_field_is_refused() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nAccept: " + b"x" * (MAX_FIELD_BYTES + 1) + b"\r\n\r\n")
        document = read_problem(await reader.read())
        assert document["status"] == 431
        assert str(document["detail"]).startswith("The header field accept is larger than 16384 bytes.")

    run_client(client)


def test_address_that_the_parser_refuses_is_too_long() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /sparql?query=" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        document = read_problem(await reader.read())
        assert document["status"] == 414
        assert "Send the query in the body of a POST request." in str(document["detail"])

    run_client(client)


@pytest.mark.parametrize("path", [b"bye", b"stay"])
def test_response_is_received_if_body_is_not_read(path: bytes) -> None:
    size = 20_000_000

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(UPLOAD_HEAD % (path, size))
        for _ in range(size // 100_000):
            writer.write(b"x" * 100_000)
            await writer.drain()
        if path == b"stay":
            writer.write(b"GET /bye HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.read()).count(b"hello") == (2 if path == b"stay" else 1)

    run_client(client)


@pytest.mark.parametrize("path", [b"bye", b"stay"])
def test_discarded_body_is_limited_in_size(path: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_DISCARDED_BYTES", 1_000_000)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(UPLOAD_HEAD % (path, 10**12))
        await reader.readuntil(b"hello")
        with pytest.raises(ConnectionError):
            await send_repeatedly(writer, b"x" * 100_000)

    run_client(client)


@pytest.mark.parametrize("path", [b"bye", b"stay"])
def test_discarded_body_is_limited_in_time(path: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_TIMEOUT_SECONDS", 0.05)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(UPLOAD_HEAD % (path, 1000))
        await reader.readuntil(b"hello")
        with pytest.raises(ConnectionError):
            await send_repeatedly(writer, b"x")

    run_client(client)


def test_half_closed_connection_counts_as_disconnect() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GET_REQUEST.replace(b"/ ", b"/wait "))
        writer.write_eof()
        assert await reader.read() == b""

    run_client(client)
