"""The bridge between front processes and the writer."""

import asyncio
from pathlib import Path

import pytest
from wgig.fronts.bridge import BridgeServer


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
