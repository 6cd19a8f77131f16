"""Connections of the service to its query workers and to the forker that creates them.

A worker evaluates one query at a time; at the time limit, the service kills the worker. After 0.05 s a query
counts as slow and gets a lower priority (10 is added to its niceness). A client has 30 s to read the next
chunk of a result. The forker has 5 s to exit before it is killed.
"""

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from .protocol import (
    ABORTED_MARK,
    CANCELED_FAULT,
    CHANGE_MESSAGE,
    CHUNK_MESSAGE,
    CONNECT_MESSAGE,
    FAULT_MESSAGE,
    FORK_MESSAGE,
    LOAD_MESSAGE,
    LOST_FAULT,
    MEMORY_FAULT,
    OPENED_MESSAGE,
    PULL_MESSAGE,
    QUERY_MESSAGE,
    RETIRE_MESSAGE,
    THREAD_MESSAGE,
    TIME_FAULT,
    VERSION_MESSAGE,
    VERSION_STRUCT,
    WORN_MESSAGE,
    ForkerLimits,
    QueryFault,
    QueryJob,
    frame_message,
    unframe_messages,
)
from .result import QueryResult

FORKER_EXIT_SECONDS = 5  # until the forker is killed if it does not exit by itself

MAX_WAITING_CHANGE_BYTES = 1024 * 1024  # of each copy; one change may have more, and is sent at once

# A process that has applied so many changes is replaced by a new fork, which shares their memory with the
# forker: the first descriptions of the shipped graphs take 20 MB in each worker.
MAX_WORKER_CHANGE_BYTES = 512 * 1024
# So is one for which so many changes wait: applying them takes 20 ms of CPU, a new fork 13 ms.
MAX_UNUSED_CHANGE_BYTES = 192 * 1024
MAX_FRONT_CHANGE_BYTES = 8 * 1024 * 1024  # its connections are closed, too

log = logging.getLogger("wgig")

ForkedCallback = Callable[[int, int, socket.socket], None]  # process ID, applied changes, socket


class ForkerProcess(Protocol):
    """The process of a forker."""

    pid: int

    def wait(self, timeout: float | None = None) -> object:
        """Wait until it has exited. Raises TimeoutError or subprocess.TimeoutExpired."""

    def kill(self) -> None:
        """Kill it."""


# Starts a forker with two sockets: for messages, and for new workers. It does not close them.
ForkerStarter = Callable[[socket.socket, socket.socket, ForkerLimits], ForkerProcess]


def execute_forker(
    forker_end: socket.socket, workers_end: socket.socket, limits: ForkerLimits
) -> ForkerProcess:
    """Start a forker as a new program."""
    descriptors = (forker_end.fileno(), workers_end.fileno())
    command = [sys.executable, "-m", "wgig.sparql.workers.forker", *map(str, (*descriptors, *limits))]
    return subprocess.Popen(command, pass_fds=descriptors, stdin=subprocess.DEVNULL)


class ForkerOptions(NamedTuple):
    """How forkers are started, and the number of front processes that each of them forks."""

    start: ForkerStarter
    front_count: int


OWN_FORKERS = ForkerOptions(execute_forker, 0)


class CopyConnection(asyncio.Protocol):
    """The connection to a process with a copy of the quads, to which changes are sent before other messages.

    Changes wait for the next message, or until `send` is called: a write need not wait for the CPU that all
    copies take to apply it, and each query sees all earlier changes.
    """

    transport: asyncio.Transport
    max_change_bytes = MAX_WORKER_CHANGE_BYTES
    max_unused_bytes = MAX_UNUSED_CHANGE_BYTES

    def __init__(self) -> None:
        """Begin without changes."""
        self.waiting_changes = bytearray()  # framed messages
        self.change_bytes = 0  # of all changes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self.transport = cast(asyncio.Transport, transport)

    @property
    def has_many_changes(self) -> bool:
        """Whether the process should be replaced by a new fork, rather than apply the waiting changes."""
        return self.change_bytes > self.max_change_bytes or len(self.waiting_changes) > self.max_unused_bytes

    def discard_changes(self) -> None:
        """Drop the waiting changes, because the process is replaced."""
        self.waiting_changes.clear()
        self.change_bytes = 0

    def queue_change(self, body: bytes) -> None:
        """Queue a serialized change, or send it now if many wait."""
        self.change_bytes += len(body)
        self.queue_message(frame_message(CHANGE_MESSAGE, body))

    def queue_message(self, message: bytes) -> None:
        """Queue a framed message, or send it now if many bytes wait."""
        self.waiting_changes += message
        if len(self.waiting_changes) > MAX_WAITING_CHANGE_BYTES:
            self.send()

    def send(self, message: bytes = b"") -> None:
        """Send the waiting changes and a framed message.

        Does nothing if the connection is closed: then uvloop would raise RuntimeError.
        """
        data = bytes(self.waiting_changes) + message
        self.waiting_changes.clear()
        if data and not self.transport.is_closing():
            self.transport.write(data)


class ForkerConnection(CopyConnection):
    """The connection to the forker, the process that has a copy of the quads and forks workers.

    `on_forked` is called with the process ID of a new worker, the number of changes that the worker has
    applied, and its socket. `on_lost` is called when the forker exits.
    """

    def __init__(self, on_forked: ForkedCallback, on_lost: Callable[[], None]) -> None:
        """Create the connection; `start` starts the process."""
        super().__init__()
        self.on_forked, self.on_lost = on_forked, on_lost
        self.buffer, self.workers_buffer = bytearray(), bytearray()
        self.descriptors: list[int] = []
        self.loaded: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def start(self, limits: ForkerLimits, start_process: ForkerStarter) -> None:
        """Start the forker. Raises OSError."""
        loop = asyncio.get_running_loop()
        (service_end, forker_end), (receiving_end, sending_end) = socket.socketpair(), socket.socketpair()
        with forker_end, sending_end:
            self.process = await asyncio.to_thread(start_process, forker_end, sending_end, limits)
        receiving_end.setblocking(False)
        self.workers_socket = receiving_end
        loop.add_reader(receiving_end, self.receive_workers)
        await loop.create_connection(lambda: self, sock=service_end)

    def load(self, folder: Path) -> asyncio.Future[bool]:
        """Tell the forker to copy the quads of the store in a folder to memory.

        The future has the result False if there are more than `max_quads`. It raises ConnectionError if the
        forker exits, and RuntimeError with the engine's message if a file of the store is damaged.
        """
        self.send(frame_message(LOAD_MESSAGE, str(folder).encode()))
        return self.loaded

    def fork(self, front_number: int | None = None) -> None:
        """Tell the forker to fork a worker, or a front process."""
        self.send(frame_message(FORK_MESSAGE, b"" if front_number is None else b"%d" % front_number))

    def data_received(self, data: bytes) -> None:
        """Handle LOADED_MESSAGE, the only message of the forker on this connection."""
        self.buffer += data
        for _, body in unframe_messages(self.buffer):
            if self.loaded.done():  # the future is canceled when the service stops
                continue
            outcome = json.loads(body)
            if isinstance(outcome, str):
                self.loaded.set_exception(RuntimeError(outcome))
            else:
                self.loaded.set_result(outcome)

    def receive_workers(self) -> None:
        """Receive new workers with their sockets."""
        data, descriptors, _, _ = socket.recv_fds(self.workers_socket, 4096, 16)  # bytes, descriptors
        self.workers_buffer += data
        self.descriptors += descriptors
        for _, body in unframe_messages(self.workers_buffer):
            process_id, applied_changes = json.loads(body)
            self.on_forked(process_id, applied_changes, socket.socket(fileno=self.descriptors.pop(0)))
        if not data:
            asyncio.get_running_loop().remove_reader(self.workers_socket)

    def close(self) -> None:
        """Close the connection, so that the forker and all its workers exit."""
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Handle the exit of the forker."""
        loop = asyncio.get_running_loop()
        self.exited = loop.run_in_executor(None, self.wait_for_exit)
        loop.remove_reader(self.workers_socket)
        self.workers_socket.close()
        if not self.loaded.done():
            self.loaded.set_exception(
                ConnectionResetError("the process with the copy of the quads has exited")
            )
        self.on_lost()

    def wait_for_exit(self) -> None:
        """Wait until the forker and its workers have exited. Kill the forker after FORKER_EXIT_SECONDS."""
        try:
            self.process.wait(FORKER_EXIT_SECONDS)
        except (TimeoutError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


# After this time a query gets a lower priority, and another worker may be forked for the queries that wait.
SLOW_QUERY_SECONDS = 0.05
SLOW_QUERY_NICENESS = 10  # added to the niceness of a slow query
RESULT_READ_TIMEOUT_SECONDS = 30  # for a client to read the buffered chunks


class WorkerListener(Protocol):
    """Callbacks for events of a worker."""

    def on_connected(self, worker: "WorkerConnection") -> None:
        """Handle the opening of the connection."""

    def on_finished(self, worker: "WorkerConnection", *, worn: bool) -> None:
        """Handle the end of a query. A `worn` worker should be replaced, as it did not free its memory."""

    def on_occupied(self) -> None:
        """Handle a worker that stays busy because of a slow query or a slow client."""

    def on_opened(self) -> None:
        """Handle the message of the worker that it has opened the folder of a store."""

    def on_exited(self, worker: "WorkerConnection") -> None:
        """Handle the exit of the worker."""


class LentWorkerListener(Protocol):
    """Callbacks for events of a worker that evaluates the queries of a front process."""

    def on_lent(self, worker: "LentWorkerConnection") -> None:
        """Handle the opening of the connection."""

    def on_opened(self) -> None:
        """Handle the message of the worker that it has opened the folder of a store."""

    def on_pulled(self, worker: "LentWorkerConnection") -> None:
        """Handle a query that needs the waiting changes of the worker."""

    def on_lent_exited(self, worker: "LentWorkerConnection") -> None:
        """Handle the exit of the worker."""


class LentWorkerConnection(CopyConnection):
    """The connection to a worker that evaluates the queries of a front process; it gets changes only.

    `front` is the path at which the front process listens, `last_write` the number of the last write that the
    worker has applied.
    """

    def __init__(self, front: str, listener: LentWorkerListener, last_write: int) -> None:
        """Create the connection; `connect` opens it."""
        super().__init__()
        self.front, self.listener, self.last_write = front, listener, last_write
        self.key: str | int = front  # among those that are being forked
        self.pending_opens = 0  # OPEN messages that the worker has not answered
        self.buffer = bytearray()

    async def connect(self, connection: socket.socket) -> None:
        """Open the connection over a socket."""
        await asyncio.get_running_loop().create_connection(lambda: self, sock=connection)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport and notify the listener."""
        super().connection_made(transport)
        self.listener.on_lent(self)

    def begin(self) -> None:
        """Send the waiting changes, and let the worker connect to its front process."""
        self.send(frame_message(CONNECT_MESSAGE, self.front.encode()))

    def queue_version(self, version: int) -> None:
        """Queue the version of the data after the changes so far."""
        self.queue_message(frame_message(VERSION_MESSAGE, VERSION_STRUCT.pack(version)))

    def data_received(self, data: bytes) -> None:
        """Handle the messages of the worker."""
        self.buffer += data
        for kind, _ in unframe_messages(self.buffer):
            if kind == OPENED_MESSAGE:
                self.pending_opens -= 1
                self.listener.on_opened()
            elif kind == PULL_MESSAGE:
                self.listener.on_pulled(self)
                self.send()

    def retire(self) -> None:
        """Tell the worker, and thereby its front process, that no more changes follow."""
        self.send(frame_message(RETIRE_MESSAGE))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Handle the exit of the process."""
        self.listener.on_lent_exited(self)


class FrontCopyConnection(LentWorkerConnection):
    """The connection to the copy of the quads in a front process; it gets changes only."""

    max_change_bytes = max_unused_bytes = MAX_FRONT_CHANGE_BYTES

    def __init__(self, number: int, listener: LentWorkerListener, last_write: int) -> None:
        """Create the connection to the front process of a number; `connect` opens it."""
        super().__init__("", listener, last_write)
        self.key = self.number = number

    def begin(self) -> None:
        """Send the waiting changes."""
        self.send()


class WorkerConnection(CopyConnection):
    """The connection to a worker, which evaluates one query at a time."""

    def __init__(self, process_id: int, listener: WorkerListener, last_write: int) -> None:
        """`last_write` is the number of the last write that the worker has applied."""
        super().__init__()
        self.process_id, self.listener, self.last_write = process_id, listener, last_write
        self.pending_opens = 0  # OPEN messages that the worker has not answered
        self.buffer = bytearray()
        self.result: QueryResult | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.thread_id = process_id  # until the worker sends the ID of its thread
        self.timer_end = 0.0  # time of the event loop
        self.seconds_left = 0.0  # of the time limit of a paused query
        self.is_closed = False  # by this process

    async def connect(self, connection: socket.socket) -> None:
        """Open the connection over a socket."""
        await asyncio.get_running_loop().create_connection(lambda: self, sock=connection)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport and notify the listener."""
        super().connection_made(transport)
        self.listener.on_connected(self)

    def start_query(self, job: QueryJob, seconds: float, result: QueryResult | None = None) -> QueryResult:
        """Start a query and return its result, by default a new one.

        The worker is killed after `seconds`, or earlier if the client asks for that.
        """
        seconds = job.limit_seconds(seconds)
        self.result = result or QueryResult()
        self.result.is_waiting, self.result.set_flow, self.result.stop = False, self.set_flow, self.kill
        self.set_timer(
            min(SLOW_QUERY_SECONDS, seconds), partial(self.slow_down, seconds - SLOW_QUERY_SECONDS)
        )
        self.send(frame_message(QUERY_MESSAGE, job.pack()))
        return self.result

    def slow_down(self, seconds: float) -> None:
        """Lower the priority of the worker, and set the timer that kills it after another `seconds`."""
        if seconds <= 0:
            return self.kill(TIME_FAULT)
        self.listener.on_occupied()
        with suppress(OSError):  # on Linux this sets the niceness of one thread
            os.setpriority(
                os.PRIO_PROCESS, self.thread_id, os.getpriority(os.PRIO_PROCESS, 0) + SLOW_QUERY_NICENESS
            )
        return self.set_timer(seconds, partial(self.kill, TIME_FAULT))

    def set_timer(self, seconds: float, action: Callable[[], None]) -> None:
        """Call `action` when the query has run for another `seconds`, not counting pauses."""
        loop = asyncio.get_running_loop()
        self.timer_action, self.timer_end = action, loop.time() + seconds
        self.timer = loop.call_later(seconds, action)

    def set_flow(self, *, on: bool) -> None:
        """Resume reading the result if `on`, else pause.

        During a pause, the time limit for the client applies instead of the time limit of the query.
        """
        assert self.timer
        self.timer.cancel()
        if on:
            self.transport.resume_reading()
            self.set_timer(self.seconds_left, self.timer_action)
        else:
            loop = asyncio.get_running_loop()
            self.transport.pause_reading()
            # Not the time of the timer: uvloop returns a handle without one if there were no seconds left.
            self.seconds_left = self.timer_end - loop.time()
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
        elif self.result and kind == CHUNK_MESSAGE:
            self.result.add(body, last=False)
        elif self.result:
            if kind == FAULT_MESSAGE:
                self.result.fail(QueryFault(*json.loads(body)))
            else:
                self.result.add(body, last=True)
            self.end_query()
            self.listener.on_finished(self, worn=kind == WORN_MESSAGE)

    def end_query(self) -> None:
        """Clear the state of the query that has ended."""
        if self.timer:
            self.timer.cancel()
        self.result = self.timer = None
        if not self.transport.is_closing():
            self.transport.resume_reading()  # the last chunk may have paused it

    def kill(self, kind: str) -> None:
        """Kill the process; the query that it evaluates fails with a fault of this kind."""
        if self.result:
            self.result.fail(QueryFault(kind))
        with suppress(ProcessLookupError):
            os.kill(self.process_id, signal.SIGKILL)
        self.transport.abort()

    def close(self) -> None:
        """Close the connection, so that the process exits after the messages already sent."""
        self.is_closed = True
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Handle the exit of the process."""
        if self.result:
            is_aborted = self.buffer.startswith(ABORTED_MARK)
            if not (is_aborted or self.is_closed or self.result.fault):
                log.warning("a query worker was killed or crashed while it evaluated a query")
            self.result.fail(QueryFault(MEMORY_FAULT if is_aborted else LOST_FAULT))
        self.end_query()
        self.listener.on_exited(self)
