"""The holder of the quads as the service sees it: a process that hands out readers."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from .wire import CHANGE, FORK, LOAD, framed, unframed

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
            command = [sys.executable, "-m", "wgig.readers.holder", *map(str, (*numbers, most, memory))]
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
