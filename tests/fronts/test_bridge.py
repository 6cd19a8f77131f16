"""The bridge between front processes and the writer."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from wgig.fronts.bridge import HELLO_FRAME, REQUEST_FRAME, BridgeConnection, BridgeServer

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
