"""Connections of the service to its query workers and to the forker that creates them.

A worker is a socket and a process that can be killed; it answers one query at a time. After 0.05 s a query
counts as slow and gets a lower priority (nice 10). A client has 30 s to take the next part of a result. The
forker, which holds a copy of the quads, has 5 s to end by itself.
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

FORKER_EXIT_SECONDS = 5  # seconds for a process to end by itself

ForkedCallback = Callable[[int, int, socket.socket], None]


class ForkerConnection(asyncio.Protocol):
    """A process that holds a copy of the quads, and forks workers of it.

    `on_forked` is called with the process of each worker, how many changes it has seen, and its socket;
    `on_lost` is called when the forker ends.
    """

    def __init__(self, on_forked: ForkedCallback, on_lost: Callable[[], None]) -> None:
        """No process is started yet."""
        self.on_forked, self.on_lost = on_forked, on_lost
        self.buffer, self.workers_buffer = bytearray(), bytearray()
        self.descriptors: list[int] = []
        self.loaded: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def start(self, most: int, memory: int) -> None:
        """Start the process, which holds up to `most` quads and workers whose queries take `memory` bytes."""
        loop = asyncio.get_running_loop()
        (here, there), (births, cradle) = socket.socketpair(), socket.socketpair()
        with there, cradle:
            numbers = (there.fileno(), cradle.fileno())
            command = [
                sys.executable,
                "-m",
                "wgig.sparql.workers.forker",
                *map(str, (*numbers, most, memory)),
            ]
            self.process = subprocess.Popen(command, pass_fds=numbers, stdin=subprocess.DEVNULL)
        births.setblocking(False)
        self.workers_socket = births
        loop.add_reader(births, self.receive_workers)
        await loop.create_connection(lambda: self, sock=here)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def load(self, folder: Path) -> asyncio.Future[bool]:
        """Let it copy the quads of the store in a folder; whether it holds them, as they are not too many.

        The future raises ConnectionError where the process ends.
        """
        self.transport.write(frame_message(LOAD_MESSAGE, str(folder).encode()))
        return self.loaded

    def send_change(self, body: bytes) -> None:
        """Let it take a change."""
        self.transport.write(frame_message(CHANGE_MESSAGE, body))

    def fork(self) -> None:
        """Let it fork a worker."""
        self.transport.write(frame_message(FORK_MESSAGE))

    def data_received(self, data: bytes) -> None:
        """The copy is taken."""
        self.buffer += data
        for _, body in unframe_messages(self.buffer):
            if not self.loaded.done():  # it is canceled where the service ends
                self.loaded.set_result(json.loads(body))

    def receive_workers(self) -> None:
        """Workers are forked; each comes with its socket."""
        data, descriptors, _, _ = socket.recv_fds(self.workers_socket, 4096, 16)
        self.workers_buffer += data
        self.descriptors += descriptors
        for _, body in unframe_messages(self.workers_buffer):
            process, changes = json.loads(body)
            self.on_forked(process, changes, socket.socket(fileno=self.descriptors.pop(0)))
        if not data:
            asyncio.get_running_loop().remove_reader(self.workers_socket)

    def close(self) -> None:
        """Let the process end, and all its workers."""
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The process has ended, or is about to."""
        loop = asyncio.get_running_loop()
        self.exited = loop.run_in_executor(None, self.wait_for_exit)
        loop.remove_reader(self.workers_socket)
        self.workers_socket.close()
        if not self.loaded.done():
            self.loaded.set_exception(ConnectionResetError("the process that holds the quads has ended"))
        self.on_lost()

    def wait_for_exit(self) -> None:
        """Wait until the process is gone, which lets its workers go first."""
        try:
            self.process.wait(FORKER_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# Seconds after which a query lets others go first, and keeps none of them from a worker.
SLOW_QUERY_SECONDS = 0.05
SLOW_QUERY_NICENESS = 10  # how much nicer it is then
RESULT_READ_TIMEOUT_SECONDS = 30  # seconds for a client to take what is there


class WorkerListener(Protocol):
    """Who hears what becomes of a worker."""

    def on_connected(self, worker: "WorkerConnection") -> None:
        """Its connection stands."""

    def on_answered(self, worker: "WorkerConnection", *, worn: bool) -> None:
        """It has answered."""

    def on_occupied(self) -> None:
        """It will not answer soon, as the query takes long or it waits for who takes its answer."""

    def on_opened(self) -> None:
        """It reads from the folder that it was told."""

    def on_gone(self, worker: "WorkerConnection") -> None:
        """It has ended."""


class WorkerConnection(asyncio.Protocol):
    """The connection to a worker, which answers one query at a time."""

    def __init__(self, process: int, listener: WorkerListener, seen: int) -> None:
        """The worker is this process, which has seen all writes up to number `seen`."""
        self.process, self.listener, self.seen_writes = process, listener, seen
        self.pending_opens = 0
        self.buffer = bytearray()
        self.result: QueryResult | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.thread_id = process
        self.seconds_left = 0.0  # seconds for a query that waits

    async def connect(self, connection: socket.socket) -> None:
        """Talk to the worker over this connection."""
        await asyncio.get_running_loop().create_connection(lambda: self, sock=connection)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self.transport = cast(asyncio.Transport, transport)
        self.listener.on_connected(self)

    def ask(self, job: QueryJob, seconds: float) -> QueryResult:
        """Begin to answer a query; after so many seconds the worker is killed."""
        self.result = QueryResult(self.pace, self.kill)
        self.set_timer(
            min(SLOW_QUERY_SECONDS, seconds), partial(self.slow_down, seconds - SLOW_QUERY_SECONDS)
        )
        self.send(frame_message(ASK_MESSAGE, job.pack()))
        return self.result

    def slow_down(self, seconds: float) -> None:
        """Let others go first from now on; after so many seconds the worker is killed."""
        if seconds <= 0:
            return self.kill(TIME_FAULT)
        self.listener.on_occupied()
        with suppress(OSError):  # of this thread alone, whatever POSIX says of processes
            os.setpriority(
                os.PRIO_PROCESS, self.thread_id, os.getpriority(os.PRIO_PROCESS, 0) + SLOW_QUERY_NICENESS
            )
        return self.set_timer(seconds, partial(self.kill, TIME_FAULT))

    def set_timer(self, seconds: float, then: Callable[[], None]) -> None:
        """Do something when the query has had so many seconds."""
        self.timer_action = then
        self.timer = asyncio.get_running_loop().call_later(seconds, then)

    def send(self, message: bytes) -> None:
        """Send a message."""
        self.transport.write(message)

    def pace(self, *, on: bool) -> None:
        """Let more pieces come, or none for now; then the client's time runs in place of the query's."""
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
        """Take what the worker says."""
        self.buffer += data
        for kind, body in unframe_messages(self.buffer):
            self.handle_message(kind, body)

    def handle_message(self, kind: bytes, body: bytes) -> None:
        """Take one message of the worker."""
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
        """No answer is under way any more."""
        if self.timer:
            self.timer.cancel()
        self.result = self.timer = None
        if not self.transport.is_closing():
            self.transport.resume_reading()  # the end may have come with the piece that was one too many

    def kill(self, kind: str) -> None:
        """End the process in the midst of its work, because of this kind of fault."""
        if self.result:
            self.result.fail(QueryFault(kind))
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        self.transport.abort()

    def close(self) -> None:
        """Let the process end, as it has nothing to do any more."""
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The process has ended."""
        if self.result:
            self.result.fail(QueryFault(LOST_FAULT))
        self.end_query()
        self.listener.on_gone(self)
