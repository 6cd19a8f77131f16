"""A listening socket that several front processes share, so that each gets about as many connections."""

import asyncio
import ctypes
import socket
from collections.abc import Callable

YIELD_SECONDS = 0.005  # for a process with fewer connections to accept the next one
ACCEPTS_AFTER_YIELD = 2  # if it did not; so 400 connections a second are accepted beside a stopped process
ERROR_PAUSE_SECONDS = 1.0  # such as for too many open files
NOT_ACCEPTING = 2**32 - 1  # in place of the number of connections of a process


class ConnectionCounts:
    """The numbers of connections of all front processes, in shared memory."""

    def __init__(self, cells: "ctypes.Array[ctypes.c_uint32]") -> None:
        """Start without a process that accepts connections."""
        self.cells = cells
        for number in range(len(cells)):
            self.remove(number)

    def set(self, number: int, count: int) -> None:
        """Publish the number of connections of a process."""
        self.cells[number] = count

    def remove(self, number: int) -> None:
        """Note that a process accepts no connections any more."""
        self.cells[number] = NOT_ACCEPTING

    def is_exceeding(self, count: int) -> bool:
        """Whether a process that accepts connections has fewer than `count`."""
        return any(other < count for other in self.cells)


class SharedListener:
    """Accepts one connection per event, and leaves it to another process if that one has fewer.

    The server of the event loop would accept all waiting connections at once, so that often a single process
    got all of them, and one core was idle.
    """

    def __init__(
        self,
        listener: socket.socket,
        make_protocol: Callable[[], asyncio.BaseProtocol],
        count_connections: Callable[[], int],
        counts: ConnectionCounts,
        number: int,
    ) -> None:
        """Accept connections of `listener` in the running event loop, as the process with this number."""
        self.listener, self.make_protocol, self.count_connections = listener, make_protocol, count_connections
        self.counts, self.number = counts, number
        self.loop = asyncio.get_running_loop()
        self.opening = set[asyncio.Task[None]]()  # connections without a protocol yet
        self.accepts_before_yield = 0
        self.pause: asyncio.TimerHandle | None = None
        self.is_closed = False
        listener.setblocking(False)
        self.publish_count()
        self.resume()

    def publish_count(self) -> int:
        """Publish the number of connections of this process. Returns it."""
        count = self.count_connections() + len(self.opening)
        if not self.is_closed:
            self.counts.set(self.number, count)
        return count

    def resume(self) -> None:
        """Wait for connections."""
        self.loop.add_reader(self.listener, self.accept_connection)

    def wait(self, seconds: float) -> None:
        """Accept nothing for some time."""
        self.loop.remove_reader(self.listener)
        self.pause = self.loop.call_later(seconds, self.resume)

    def accept_connection(self) -> None:
        """Accept a connection, unless another process has just accepted it or should."""
        if self.accepts_before_yield:
            self.accepts_before_yield -= 1
        elif self.counts.is_exceeding(self.publish_count()):
            self.accepts_before_yield = ACCEPTS_AFTER_YIELD
            self.wait(YIELD_SECONDS)
            return
        try:
            connection, _ = self.listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            self.accepts_before_yield = 0
        except OSError:
            self.wait(ERROR_PAUSE_SECONDS)
        else:
            connection.setblocking(False)
            task = self.loop.create_task(self.open_connection(connection))
            self.opening.add(task)
            task.add_done_callback(self.opening.discard)
            self.publish_count()

    async def open_connection(self, connection: socket.socket) -> None:
        """Give a connection its protocol."""
        try:
            await self.loop.connect_accepted_socket(self.make_protocol, connection)
        except OSError:  # the client has closed it
            connection.close()

    def close(self) -> None:
        """Accept no more connections."""
        self.is_closed = True
        if self.pause:
            self.pause.cancel()
        self.loop.remove_reader(self.listener)

    async def wait_closed(self) -> None:
        """Wait until connections that were accepted have a protocol."""
        if self.opening:
            await asyncio.wait(self.opening)
