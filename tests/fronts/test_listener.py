"""Front processes accept about as many connections each."""

import asyncio
import ctypes
import errno
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
import uvloop
from wgig.cli.serve import SettingsReloader
from wgig.cli.serve_fronts import FrontServer
from wgig.fronts import listener as listener_module
from wgig.fronts.listener import ConnectionCounts, SharedListener


@pytest.fixture
def listening_socket() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


class CountedProtocol(asyncio.Protocol):
    def __init__(self, connections: list[asyncio.BaseTransport]) -> None:
        self.connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.connections.append(transport)


class Front:
    """What a front process has of its connections: their number."""

    def __init__(self, shared: socket.socket, counts: ConnectionCounts, number: int) -> None:
        self.connections: list[asyncio.BaseTransport] = []
        self.socket = shared.dup()  # as an event loop has one reader for each descriptor
        self.listener = SharedListener(
            self.socket,
            lambda: CountedProtocol(self.connections),
            lambda: len(self.connections),
            counts,
            number,
        )

    async def close(self) -> None:
        self.listener.close()
        await self.listener.wait_closed()
        self.socket.close()
        for transport in self.connections:
            transport.close()


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


def make_counts(processes: int) -> ConnectionCounts:
    return ConnectionCounts((ctypes.c_uint32 * processes)())


def connect(server: socket.socket, count: int) -> list[socket.socket]:
    return [socket.create_connection(server.getsockname()) for _ in range(count)]


async def close_all(clients: list[socket.socket], fronts: list[Front]) -> None:
    for client in clients:
        client.close()
    for front in fronts:
        await front.close()


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    uvloop.run(scenario())


def test_waiting_connections_are_shared_evenly(listening_socket: socket.socket) -> None:
    async def scenario() -> None:
        clients, counts = connect(listening_socket, 20), make_counts(2)
        fronts = [Front(listening_socket, counts, number) for number in range(2)]
        await wait_until(lambda: sum(len(front.connections) for front in fronts) == len(clients))
        assert [len(front.connections) for front in fronts] == [10, 10]
        await wait_until(lambda: [front.listener.publish_count() for front in fronts] == [10, 10])
        assert list(counts.cells) == [10, 10]
        await close_all(clients, fronts)

    run(scenario)


def test_all_connections_are_accepted_beside_a_stopped_process(listening_socket: socket.socket) -> None:
    async def scenario() -> None:
        clients, counts = connect(listening_socket, 20), make_counts(2)
        counts.set(1, 0)  # it has no connections, and accepts none
        front = Front(listening_socket, counts, 0)
        await wait_until(lambda: len(front.connections) == len(clients))
        await close_all(clients, [front])

    run(scenario)


def test_a_process_that_has_exited_is_not_waited_for() -> None:
    counts = make_counts(2)
    counts.set(0, 5)
    counts.set(1, 0)
    assert counts.is_exceeding(5)
    counts.remove(1)
    assert not counts.is_exceeding(5)


def test_a_closed_listener_leaves_connections_to_others(listening_socket: socket.socket) -> None:
    async def scenario() -> None:
        counts = make_counts(2)
        closed, open_ = (Front(listening_socket, counts, number) for number in range(2))
        await closed.close()
        counts.remove(0)
        clients = connect(listening_socket, 3)
        await wait_until(lambda: len(open_.connections) == len(clients))
        assert not closed.connections
        closed.listener.publish_count()  # another process may have taken its number
        assert counts.cells[0] == listener_module.NOT_ACCEPTING
        await close_all(clients, [open_])

    run(scenario)


def test_connections_are_accepted_again_after_too_many_open_files(
    listening_socket: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors, accept = [OSError(errno.EMFILE, "Too many open files")], socket.socket.accept

    def accept_later(self: socket.socket) -> tuple[socket.socket, Any]:
        if errors:
            raise errors.pop()
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", accept_later)
    monkeypatch.setattr(listener_module, "ERROR_PAUSE_SECONDS", 0.001)

    async def scenario() -> None:
        clients = connect(listening_socket, 2)
        front = Front(listening_socket, make_counts(1), 0)
        await wait_until(lambda: len(front.connections) == len(clients))
        assert not errors
        await close_all(clients, [front])

    run(scenario)


def test_front_process_that_is_replaced_during_its_startup_accepts_nothing(
    listening_socket: socket.socket,
) -> None:
    async def start_replaced_front() -> None:
        async def app(_scope: object, _receive: object, _send: object) -> None:
            """Handle no request."""

        config = uvicorn.Config(app, lifespan="off")
        config.load()
        server = FrontServer(config, Mock(SettingsReloader), [], make_counts(1), 0)
        server.lifespan = config.lifespan_class(config)
        server.leave_connections()
        await server.startup([listening_socket])
        assert server.shared_listener.is_closed
        assert (b"connection", b"close") in config.encoded_headers

    asyncio.run(start_replaced_front())
