"""The memory of a server while several slow clients read 100,000 rows concurrently."""

import selectors
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..compare.peers import OURS, list_own_and_oxigraph
from ..measure import processes
from ..measure.server import RunningServer
from .http import RunningPeers
from .queries import ROWS_QUESTION

CLIENTS = 3  # with two cores, our service lets one IP address read so many results concurrently
READ_BYTES, PAUSE_SECONDS = 64 * 1024, 0.01  # each client reads, then pauses: 6 MB/s
RECEIVE_BUFFER_BYTES = 64 * 1024  # of the client's socket; all other data waits at the server
MAX_STREAM_BYTES = 32 * 2**20  # additional memory of the server for each stream
STATUS_LINE_200 = b"HTTP/1.1 200 "
RESPONSE_ENDS = (b"]}}", b"\r\n0\r\n\r\n")  # the last bytes of complete JSON, or of chunked encoding


@dataclass(frozen=True)
class StreamMemory:
    """Memory of a server in bytes, before and at its peak; numbers of concurrent and complete streams."""

    server: str
    papers: int
    clients: int
    concurrent_streams: int
    complete_streams: int
    before: int  # without clients
    peak: int

    @property
    def bytes_per_stream(self) -> float:
        """The additional memory of each concurrent stream."""
        return (self.peak - self.before) / max(1, self.concurrent_streams)

    @property
    def goal(self) -> int | None:
        """The maximum of `bytes_per_stream`; None for servers other than ours."""
        return MAX_STREAM_BYTES if self.server.startswith(OURS) else None


def compare_streams(scratch: Path, papers: int, settings: Mapping[str, str]) -> list[StreamMemory]:
    """The memory of ours and of `oxigraph serve`, measured one after the other."""
    peers = list_own_and_oxigraph(settings)
    with RunningPeers(scratch, papers, peers) as servers:
        return [
            measure_streams(
                peer.name,
                papers,
                servers[peer.name],
                partial(peer.request, ROWS_QUESTION, papers=papers, fields={"Connection": "close"}),
            )
            for peer in peers
        ]


def measure_streams(
    name: str, papers: int, server: RunningServer, build_request: Callable[[int], bytes]
) -> StreamMemory:
    """The memory of one server while the clients read the results of different queries."""
    before = peak = processes.measure_memory_bytes(server.pid)
    concurrent, readers = 0, [SlowReader(server.port, build_request(number)) for number in range(CLIENTS)]
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            selector.register(reader.socket, selectors.EVENT_READ, reader)
        while selector.get_map():
            for key, _ in selector.select():
                if not key.data.read_chunk():
                    selector.unregister(key.fileobj)
                    key.data.socket.close()
            concurrent = max(concurrent, sum(reader.is_reading for reader in readers))
            peak = max(peak, processes.measure_memory_bytes(server.pid))
            time.sleep(PAUSE_SECONDS)
    complete = sum(reader.is_complete for reader in readers)
    return StreamMemory(name, papers, CLIENTS, concurrent, complete, before, peak)


class SlowReader:
    """A client that sends a request, and reads the response slowly."""

    def __init__(self, port: int, request: bytes) -> None:
        """Connect and send the request."""
        self.socket = connect_with_small_buffer(port)
        self.socket.sendall(request)
        self.first_chunk = self.last_bytes = b""
        self.is_closed = False

    def read_chunk(self) -> bool:
        """Read a chunk of the response; return whether there was one."""
        try:
            chunk = self.socket.recv(READ_BYTES)
        except ConnectionError:  # the response is incomplete
            chunk = b""
        self.first_chunk, self.last_bytes = self.first_chunk or chunk, (self.last_bytes + chunk)[-64:]
        self.is_closed = not chunk
        return bool(chunk)

    @property
    def is_reading(self) -> bool:
        """Whether a response with status 200 has begun and not ended."""
        return self.first_chunk.startswith(STATUS_LINE_200) and not self.is_closed

    @property
    def is_complete(self) -> bool:
        """Whether a response with status 200 was received completely."""
        return self.first_chunk.startswith(STATUS_LINE_200) and self.last_bytes.endswith(RESPONSE_ENDS)


def connect_with_small_buffer(port: int) -> socket.socket:
    """A connection with a small receive buffer."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    client.connect(("127.0.0.1", port))
    return client
