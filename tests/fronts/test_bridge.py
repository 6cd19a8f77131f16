"""The bridge between front processes and the writer."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from wgig.fronts.bridge import (
    HELLO_FRAME,
    REQUEST_FRAME,
    SCOPE_KEYS,
    BridgeClient,
    BridgeConnection,
    BridgeServer,
)
from wgig.http.access_log import REQUEST_RECORD_KEY, RequestRecord
from wgig.settings import Settings

REQUEST: tuple[Any, ...] = (
    {"type": "http", "method": "GET", "path": "/", "headers": [], "client": None},
    ("id", "", False),
)


def test_connection_that_is_open_at_the_end_of_the_writer_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def serve_nothing(*_: object) -> None:
        raise AssertionError

    async def connect() -> None:
        bridge = BridgeServer(serve_nothing, serve_nothing)
        server = await asyncio.start_unix_server(bridge.serve_connection, tmp_path / "socket")
        reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
        await reader.readexactly(1)
        writer.close()
        server.close()

    asyncio.run(connect())  # at its end, it cancels the task of the connection
    assert not caplog.records


def test_application_is_told_that_its_front_process_has_exited(tmp_path: Path) -> None:
    errors = []

    async def respond(_: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.disconnect"
        try:
            while True:
                await send({"type": "http.response.body", "body": b"a" * 10_000, "more_body": True})
        except ClientDisconnect as error:
            errors.append(error)

    async def serve_nothing(*_: object) -> None:
        raise AssertionError

    async def connect() -> None:
        bridge = BridgeServer(respond, serve_nothing)
        async with await asyncio.start_unix_server(bridge.serve_connection, tmp_path / "socket"):
            connection = BridgeConnection(*await asyncio.open_unix_connection(tmp_path / "socket"))
            assert await connection.receive() == (HELLO_FRAME, None)
            await connection.send(REQUEST_FRAME, REQUEST)
            connection.close()
            while not errors:
                await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(connect(), 10))


@pytest.mark.parametrize(("method", "can_be_repeated"), [("GET", True), ("POST", False)])
def test_outcome_of_a_write_is_unknown_if_the_writer_ends(
    tmp_path: Path, method: str, *, can_be_repeated: bool
) -> None:
    sent = list[Any]()

    async def end_at_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = BridgeConnection(reader, writer)
        await connection.send(HELLO_FRAME)
        await connection.receive()
        connection.close()

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    async def request() -> None:
        record = RequestRecord("id", "", method, "", 0.0, "")
        scope = {
            **dict.fromkeys(SCOPE_KEYS, ""),
            "type": "http",
            "method": method,
            "path": "/update",
            "raw_path": b"/update",
            "headers": [],
            REQUEST_RECORD_KEY: record,
        }
        async with await asyncio.start_unix_server(end_at_request, tmp_path / "socket"):
            await BridgeClient(str(tmp_path / "socket"), Settings.base)(scope, receive, send)

    asyncio.run(request())
    start, body = sent[0], b"".join(message.get("body", b"") for message in sent)
    assert start["status"] == 503
    assert (b"retry-after" in dict(start["headers"])) is can_be_repeated
    assert (b"Outcome unknown" in body) is not can_be_repeated
