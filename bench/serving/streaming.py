"""What slow clients cost: the memory of a server while several of them read 100,000 rows at once."""

import selectors
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..compare.peers import OURS, pair
from ..measure import processes
from ..measure.server import Running
from .http import Servers
from .queries import ROWS

CLIENTS = 3  # as many as our service lets one address read at once on two cores
PIECE, PAUSE = 64 * 1024, 0.01  # bytes that a client reads at once, seconds in between: 6 MB/s
BUFFER = 64 * 1024  # what the system keeps for a client; the rest waits at the server
MOST = 32 * 2**20  # bytes a stream
FINE = b"HTTP/1.1 200 "
ENDS = (b"]}}", b"\r\n0\r\n\r\n")  # of a whole answer: of its JSON, or of its last chunk


@dataclass(frozen=True)
class Streams:
    """Bytes of memory of a server before and at its peak, and how many clients read at once, and got all."""

    server: str
    papers: int
    clients: int
    at_once: int
    whole: int
    before: int
    peak: int

    @property
    def each(self) -> float:
        """Bytes of a stream."""
        return (self.peak - self.before) / max(1, self.at_once)

    @property
    def goal(self) -> int | None:
        """The most that a stream may take."""
        return MOST if self.server.startswith(OURS) else None


def compare(scratch: Path, papers: int, settings: Mapping[str, str]) -> list[Streams]:
    """Ours and `oxigraph serve`, one after the other."""
    among = pair(settings)
    with Servers(scratch, papers, among) as servers:
        return [
            measured(
                peer.name,
                papers,
                servers[peer.name],
                partial(peer.request, ROWS, papers=papers, fields={"Connection": "close"}),
            )
            for peer in among
        ]


def measured(name: str, papers: int, server: Running, asked: Callable[[int], bytes]) -> Streams:
    """The memory of one server while the clients read; each asks another query."""
    before = peak = processes.memory(server.process)
    at_once, readers = 0, [Reader(server.port, asked(number)) for number in range(CLIENTS)]
    with selectors.DefaultSelector() as waiting:
        for one in readers:
            waiting.register(one.socket, selectors.EVENT_READ, one)
        while waiting.get_map():
            for key, _ in waiting.select():
                if not key.data.read():
                    waiting.unregister(key.fileobj)
                    key.data.socket.close()
            at_once = max(at_once, sum(one.reading for one in readers))
            peak = max(peak, processes.memory(server.process))
            time.sleep(PAUSE)
    whole = sum(one.whole for one in readers)
    return Streams(name, papers, CLIENTS, at_once, whole, before, peak)


class Reader:
    """A client that asks, and reads slowly."""

    def __init__(self, port: int, request: bytes) -> None:
        """Ask."""
        self.socket = connected(port)
        self.socket.sendall(request)
        self.begin = self.end = b""
        self.done = False

    def read(self) -> bool:
        """Take a piece of the answer; whether there was one."""
        try:
            piece = self.socket.recv(PIECE)
        except ConnectionError:  # what is broken off is not whole
            piece = b""
        self.begin, self.end = self.begin or piece, (self.end + piece)[-64:]
        self.done = not piece
        return bool(piece)

    @property
    def reading(self) -> bool:
        """Whether an answer is under way that is no refusal."""
        return self.begin.startswith(FINE) and not self.done

    @property
    def whole(self) -> bool:
        """Whether the answer was all there."""
        return self.begin.startswith(FINE) and self.end.endswith(ENDS)


def connected(port: int) -> socket.socket:
    """A connection with little room for what is not read yet."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    client.connect(("127.0.0.1", port))
    return client
