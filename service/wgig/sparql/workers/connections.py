"""Connections of the service to its query workers and to the forker that creates them.

To the service, a worker is a socket and a process that it can kill; it evaluates one query at a time. After
0.05 s a query counts as slow and gets a lower priority (nice 10). A client has 30 s to read the next part of
a result. The forker, which has a copy of the quads, has 5 s to exit by itself.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol, cast

from .protocol import (
    ASK_MESSAGE,
    CANCELED_FAULT,
    CHANGE_MESSAGE,
    FAULT_MESSAGE,
    FORK_MESSAGE,
    LOAD_MESSAGE,
    LOST_FAULT,
    OPENED_MESSAGE,
    PIECE_MESSAGE,
    THREAD_MESSAGE,
    TIME_FAULT,
    WORN_MESSAGE,
    QueryFault,
    QueryJob,
    frame_message,
    unframe_messages,
)
from .result import QueryResult

FORKER_EXIT_SECONDS = 5  # seconds until the forker is killed if it does not exit by itself

ForkedCallback = Callable[[int, int, socket.socket], None]


class ForkerConnection(asyncio.Protocol):
    """The connection to the forker, the process that has a copy of the quads and forks workers.

    `on_forked` is called with the process ID of each worker, the number of changes it has applied, and its
    socket; `on_lost` is called when the forker exits.
    """

    def __init__(self, on_forked: ForkedCallback, on_lost: Callable[[], None]) -> None:
        """No process is started yet."""
        self.on_forked, self.on_lost = on_forked, on_lost
        self.buffer, self.workers_buffer = bytearray(), bytearray()
        self.descriptors: list[int] = []
        self.loaded: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def start(self, max_quads: int, memory_bytes: int) -> None:
        """Start the forker for up to `max_quads` quads.

        A query of its workers may use `memory_bytes` of memory.
        """
        loop = asyncio.get_running_loop()
        (own_end, forker_end), (receiving_end, sending_end) = socket.socketpair(), socket.socketpair()
        with forker_end, sending_end:
            descriptors = (forker_end.fileno(), sending_end.fileno())
            command = [
                sys.executable,
                "-m",
                "wgig.sparql.workers.forker",
                *map(str, (*descriptors, max_quads, memory_bytes)),
            ]
            self.process = subprocess.Popen(command, pass_fds=descriptors, stdin=subprocess.DEVNULL)
        receiving_end.setblocking(False)
        self.workers_socket = receiving_end
        loop.add_reader(receiving_end, self.receive_workers)
        await loop.create_connection(lambda: self, sock=own_end)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def load(self, folder: Path) -> asyncio.Future[bool]:
        """Tell the forker to copy the quads of the store in a folder to memory.

        The future gives whether it did; it does not where there are more than `max_quads`. It raises
        ConnectionError where the process exits.
        """
        self.transport.write(frame_message(LOAD_MESSAGE, str(folder).encode()))
        return self.loaded

    def send_change(self, body: bytes) -> None:
        """Send a serialized change."""
        self.transport.write(frame_message(CHANGE_MESSAGE, body))

    def fork(self) -> None:
        """Tell the forker to fork a worker."""
        self.transport.write(frame_message(FORK_MESSAGE))

    def data_received(self, data: bytes) -> None:
        """Handle the message that the copy is made."""
        self.buffer += data
        for _, body in unframe_messages(self.buffer):
            if not self.loaded.done():  # it is canceled when the service stops
                self.loaded.set_result(json.loads(body))

    def receive_workers(self) -> None:
        """Receive new workers, each with its socket."""
        data, descriptors, _, _ = socket.recv_fds(self.workers_socket, 4096, 16)
        self.workers_buffer += data
        self.descriptors += descriptors
        for _, body in unframe_messages(self.workers_buffer):
            process_id, applied_changes = json.loads(body)
            self.on_forked(process_id, applied_changes, socket.socket(fileno=self.descriptors.pop(0)))
        if not data:
            asyncio.get_running_loop().remove_reader(self.workers_socket)

    def close(self) -> None:
        """Let the forker and all its workers exit."""
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Handle the exit of the forker."""
        loop = asyncio.get_running_loop()
        self.exited = loop.run_in_executor(None, self.wait_for_exit)
        loop.remove_reader(self.workers_socket)
        self.workers_socket.close()
        if not self.loaded.done():
            self.loaded.set_exception(ConnectionResetError("the process that holds the quads has ended"))
        self.on_lost()

    def wait_for_exit(self) -> None:
        """Wait until the forker has exited, after its workers."""
        try:
            self.process.wait(FORKER_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# Seconds after which a query gets a lower priority, and its worker may be replaced for other queries.
SLOW_QUERY_SECONDS = 0.05
SLOW_QUERY_NICENESS = 10  # added to the niceness of a slow query
RESULT_READ_TIMEOUT_SECONDS = 30  # seconds for a client to read the pieces that wait


class WorkerListener(Protocol):
    """Callbacks for events of a worker."""

    def on_connected(self, worker: "WorkerConnection") -> None:
        """The connection is open."""

    def on_answered(self, worker: "WorkerConnection", *, worn: bool) -> None:
        """The worker has finished a query; `worn` if it should be replaced, as it did not free its memory."""

    def on_occupied(self) -> None:
        """The worker stays busy, because of a slow query or a slow client."""

    def on_opened(self) -> None:
        """The worker has opened the folder that it was told to read from."""

    def on_gone(self, worker: "WorkerConnection") -> None:
        """The worker has exited."""


class WorkerConnection(asyncio.Protocol):
    """The connection to a worker, which evaluates one query at a time."""

    def __init__(self, process_id: int, listener: WorkerListener, seen_writes: int) -> None:
        """`seen_writes` is the number of the last write that the worker has applied."""
        self.process_id, self.listener, self.seen_writes = process_id, listener, seen_writes
        self.pending_opens = 0
        self.buffer = bytearray()
        self.result: QueryResult | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.thread_id = process_id
        self.seconds_left = 0.0  # time left for a query that is paused

    async def connect(self, connection: socket.socket) -> None:
        """Use this socket for the connection."""
        await asyncio.get_running_loop().create_connection(lambda: self, sock=connection)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport and tell the listener."""
        self.transport = cast(asyncio.Transport, transport)
        self.listener.on_connected(self)

    def ask(self, job: QueryJob, seconds: float) -> QueryResult:
        """Start a query; its result. The worker is killed after `seconds`."""
        self.result = QueryResult(self.pace, self.kill)
        self.set_timer(
            min(SLOW_QUERY_SECONDS, seconds), partial(self.slow_down, seconds - SLOW_QUERY_SECONDS)
        )
        self.send(frame_message(ASK_MESSAGE, job.pack()))
        return self.result

    def slow_down(self, seconds: float) -> None:
        """Lower the priority of the worker; it is killed after another `seconds`."""
        if seconds <= 0:
            return self.kill(TIME_FAULT)
        self.listener.on_occupied()
        with suppress(OSError):  # on Linux this sets the niceness of one thread
            os.setpriority(
                os.PRIO_PROCESS, self.thread_id, os.getpriority(os.PRIO_PROCESS, 0) + SLOW_QUERY_NICENESS
            )
        return self.set_timer(seconds, partial(self.kill, TIME_FAULT))

    def set_timer(self, seconds: float, action: Callable[[], None]) -> None:
        """Call `action` when the query has run for another `seconds`."""
        self.timer_action = action
        self.timer = asyncio.get_running_loop().call_later(seconds, action)

    def send(self, message: bytes) -> None:
        """Send a message."""
        self.transport.write(message)

    def pace(self, *, on: bool) -> None:
        """Resume or pause the pieces of the result.

        While it is paused, the time limit of the client runs instead of that of the query.
        """
        assert self.timer
        self.timer.cancel()
        if on:
            self.transport.resume_reading()
            self.set_timer(self.seconds_left, self.timer_action)
        else:
            loop = asyncio.get_running_loop()
            self.transport.pause_reading()
            self.seconds_left = self.timer.when() - loop.time()
            self.timer = loop.call_later(RESULT_READ_TIMEOUT_SECONDS, self.kill, CANCELED_FAULT)
            self.listener.on_occupied()

    def data_received(self, data: bytes) -> None:
        """Handle the messages of the worker."""
        self.buffer += data
        for kind, body in unframe_messages(self.buffer):
            self.handle_message(kind, body)

    def handle_message(self, kind: bytes, body: bytes) -> None:
        """Handle one message of the worker."""
        if kind == OPENED_MESSAGE:
            self.pending_opens -= 1
            self.listener.on_opened()
        elif kind == THREAD_MESSAGE:
            self.thread_id = int(body)
        elif self.result and kind == PIECE_MESSAGE:
            self.result.add(body, last=False)
        elif self.result:
            if kind == FAULT_MESSAGE:
                self.result.fail(QueryFault(*json.loads(body)))
            else:
                self.result.add(body, last=True)
            self.end_query()
            self.listener.on_answered(self, worn=kind == WORN_MESSAGE)

    def end_query(self) -> None:
        """Forget the query, which has ended."""
        if self.timer:
            self.timer.cancel()
        self.result = self.timer = None
        if not self.transport.is_closing():
            self.transport.resume_reading()  # the last piece may have paused it

    def kill(self, kind: str) -> None:
        """Kill the process while it evaluates a query, which fails with this kind of fault."""
        if self.result:
            self.result.fail(QueryFault(kind))
        with suppress(ProcessLookupError):
            os.kill(self.process_id, signal.SIGKILL)
        self.transport.abort()

    def close(self) -> None:
        """Let the process exit, as it has no more queries to evaluate."""
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Handle the exit of the process."""
        if self.result:
            self.result.fail(QueryFault(LOST_FAULT))
        self.end_query()
        self.listener.on_gone(self)
