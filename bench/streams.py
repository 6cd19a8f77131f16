"""What slow clients cost: the memory of a server while several of them read 100,000 rows at once."""

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from . import processes
from .peers import OURS, OXIGRAPH, peers
from .questions import ROWS
from .serving import Ours, Servers
from .start import Running

CLIENTS = 8
PIECE, PAUSE = 64 * 1024, 0.01  # bytes that a client reads at once, seconds in between: 6 MB/s
BUFFER = 64 * 1024  # what the system keeps for a client; the rest waits at the server
MOST = 32 * 2**20  # bytes a stream
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


def compare(scratch: Path, papers: int, ours: Ours) -> list[Streams]:
    """Ours and `oxigraph serve`, one after the other."""
    among = [
        one for one in peers(papers, ours.environment, ours.from_disk) if one.ours or one.name == OXIGRAPH
    ]
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
    ends: dict[socket.socket, bytes] = {}
    reading: set[socket.socket] = set()
    at_once = 0
    with selectors.DefaultSelector() as waiting:
        for number in range(CLIENTS):
            client = connected(server.port)
            client.sendall(asked(number))
            waiting.register(client, selectors.EVENT_READ)
            ends[client] = b""
        while waiting.get_map():
            for key, _ in waiting.select():
                client = cast(socket.socket, key.fileobj)
                piece = client.recv(PIECE)
                ends[client] = (ends[client] + piece)[-64:]
                reading.add(client)
                if not piece:
                    waiting.unregister(client)
                    client.close()
                    reading.discard(client)
            at_once = max(at_once, len(reading))
            peak = max(peak, processes.memory(server.process))
            time.sleep(PAUSE)
    whole = sum(end.endswith(ENDS) for end in ends.values())
    return Streams(name, papers, CLIENTS, at_once, whole, before, peak)


def connected(port: int) -> socket.socket:
    """A connection with little room for what is not read yet."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    client.connect(("127.0.0.1", port))
    return client
