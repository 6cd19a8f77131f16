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
    ASK,
    CANCELED,
    CHANGE,
    FAULT,
    FORK,
    LOAD,
    LOST,
    OPENED,
    PIECE,
    THREAD,
    TIME,
    WORN,
    Fault,
    Job,
    framed,
    unframed,
)
from .result import Result

GRACE = 5  # seconds for a process to end by itself

Born = Callable[[int, int, socket.socket], None]


class HolderLink(asyncio.Protocol):
    """A process that holds a copy of the quads, and forks readers of it.

    `born` is called with the process of each reader, how many changes it has seen, and its socket; `lost` is
    called when the holder ends.
    """

    def __init__(self, born: Born, lost: Callable[[], None]) -> None:
        """No process is started yet."""
        self.born, self.lost = born, lost
        self.buffer, self.births_buffer = bytearray(), bytearray()
        self.descriptors: list[int] = []
        self.loaded: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def start(self, most: int, memory: int) -> None:
        """Start the process, which holds up to `most` quads and readers whose queries take `memory` bytes."""
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
        self.births = births
        loop.add_reader(births, self.receive)
        await loop.create_connection(lambda: self, sock=here)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def load(self, folder: Path) -> asyncio.Future[bool]:
        """Let it copy the quads of the store in a folder; whether it holds them, as they are not too many.

        The future raises ConnectionError where the process ends.
        """
        self.transport.write(framed(LOAD, str(folder).encode()))
        return self.loaded

    def change(self, body: bytes) -> None:
        """Let it take a change."""
        self.transport.write(framed(CHANGE, body))

    def fork(self) -> None:
        """Let it fork a reader."""
        self.transport.write(framed(FORK))

    def data_received(self, data: bytes) -> None:
        """The copy is taken."""
        self.buffer += data
        for _, body in unframed(self.buffer):
            if not self.loaded.done():  # it is canceled where the service ends
                self.loaded.set_result(json.loads(body))

    def receive(self) -> None:
        """Readers are born; each comes with its socket."""
        data, descriptors, _, _ = socket.recv_fds(self.births, 4096, 16)
        self.births_buffer += data
        self.descriptors += descriptors
        for _, body in unframed(self.births_buffer):
            process, changes = json.loads(body)
            self.born(process, changes, socket.socket(fileno=self.descriptors.pop(0)))
        if not data:
            asyncio.get_running_loop().remove_reader(self.births)

    def close(self) -> None:
        """Let the process end, and all its readers."""
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The process has ended, or is about to."""
        loop = asyncio.get_running_loop()
        self.buried = loop.run_in_executor(None, self.bury)
        loop.remove_reader(self.births)
        self.births.close()
        if not self.loaded.done():
            self.loaded.set_exception(ConnectionResetError("the process that holds the quads has ended"))
        self.lost()

    def bury(self) -> None:
        """Wait until the process is gone, which lets its readers go first."""
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


SLOW = 0.05  # seconds after which a query lets others go first, and keeps none of them from a reader
YIELDING = 10  # how much nicer it is then
PATIENCE = 30  # seconds for a client to take what is there


class Keeper(Protocol):
    """Who hears what becomes of a reader."""

    def made(self, reader: "ReaderLink") -> None:
        """Its connection stands."""

    def done(self, reader: "ReaderLink", *, worn: bool) -> None:
        """It has answered."""

    def occupied(self) -> None:
        """It will not answer soon, as the query takes long or it waits for who takes its answer."""

    def opened(self) -> None:
        """It reads from the folder that it was told."""

    def gone(self, reader: "ReaderLink") -> None:
        """It has ended."""


class ReaderLink(asyncio.Protocol):
    """The connection to a reader, which answers one query at a time."""

    def __init__(self, process: int, keeper: Keeper, seen: int) -> None:
        """The reader is this process; it has seen all writes up to number `seen`. The keeper hears of it."""
        self.process, self.keeper, self.seen = process, keeper, seen
        self.opening = 0
        self.buffer = bytearray()
        self.result: Result | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.thread = process
        self.left = 0.0  # seconds for a query that waits

    async def connect(self, connection: socket.socket) -> None:
        """Talk to the reader over this connection."""
        await asyncio.get_running_loop().create_connection(lambda: self, sock=connection)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self.transport = cast(asyncio.Transport, transport)
        self.keeper.made(self)

    def ask(self, job: Job, seconds: float) -> Result:
        """Begin to answer a query; after so many seconds the reader is killed."""
        self.result = Result(self.pace, self.kill)
        self.after(min(SLOW, seconds), partial(self.slow, seconds - SLOW))
        self.tell(framed(ASK, job.packed()))
        return self.result

    def slow(self, seconds: float) -> None:
        """Let others go first from now on; after so many seconds the reader is killed."""
        if seconds <= 0:
            return self.kill(TIME)
        self.keeper.occupied()
        with suppress(OSError):  # of this thread alone, whatever POSIX says of processes
            os.setpriority(os.PRIO_PROCESS, self.thread, os.getpriority(os.PRIO_PROCESS, 0) + YIELDING)
        return self.after(seconds, partial(self.kill, TIME))

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        """Do something when the query has had so many seconds."""
        self.then = then
        self.timer = asyncio.get_running_loop().call_later(seconds, then)

    def tell(self, message: bytes) -> None:
        """Send a message."""
        self.transport.write(message)

    def pace(self, *, on: bool) -> None:
        """Let more pieces come, or none for now; then the client's time runs in place of the query's."""
        assert self.timer
        self.timer.cancel()
        if on:
            self.transport.resume_reading()
            self.after(self.left, self.then)
        else:
            loop = asyncio.get_running_loop()
            self.transport.pause_reading()
            self.left = self.timer.when() - loop.time()
            self.timer = loop.call_later(PATIENCE, self.kill, CANCELED)
            self.keeper.occupied()

    def data_received(self, data: bytes) -> None:
        """Take what the reader says."""
        self.buffer += data
        for kind, body in unframed(self.buffer):
            self.hear(kind, body)

    def hear(self, kind: bytes, body: bytes) -> None:
        """Take one message of the reader."""
        if kind == OPENED:
            self.opening -= 1
            self.keeper.opened()
        elif kind == THREAD:
            self.thread = int(body)
        elif self.result and kind == PIECE:
            self.result.add(body, last=False)
        elif self.result:
            if kind == FAULT:
                self.result.fail(Fault(*json.loads(body)))
            else:
                self.result.add(body, last=True)
            self.settle()
            self.keeper.done(self, worn=kind == WORN)

    def settle(self) -> None:
        """No answer is under way any more."""
        if self.timer:
            self.timer.cancel()
        self.result = self.timer = None
        if not self.transport.is_closing():
            self.transport.resume_reading()  # the end may have come with the piece that was one too many

    def kill(self, kind: str) -> None:
        """End the process in the midst of its work, because of this kind of fault."""
        if self.result:
            self.result.fail(Fault(kind))
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        self.transport.abort()

    def close(self) -> None:
        """Let the process end, as it has nothing to do any more."""
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The process has ended."""
        if self.result:
            self.result.fail(Fault(LOST))
        self.settle()
        self.keeper.gone(self)
