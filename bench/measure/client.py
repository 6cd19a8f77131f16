"""A client that costs little, the same for all servers: one connection, kept open, one request at a time."""

import socket
import time
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import NamedTuple, Self, cast

PIECE = 256 * 1024
NONE: Mapping[str, str] = {}


class Answer(NamedTuple):
    """A whole answer: status, seconds to its last byte and to the first of the body, bytes of the body."""

    status: int
    seconds: float
    first: float
    size: int
    etag: str
    body: bytes  # empty unless it was to be kept


class Client:
    """A connection to a port of this machine, usable in `with`."""

    def __init__(self, port: int, patience: float = 600) -> None:
        """Connect. Raises OSError, as all methods do when the other side gives up."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = cast(BufferedReader, self.socket.makefile("rb", buffering=PIECE))

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.file.close()
        self.socket.close()

    def ask(self, request: bytes, keep: bool = False) -> Answer:
        """Send a request and read its answer to the end. Raises ConnectionError for one that is cut."""
        start = time.perf_counter()
        self.socket.sendall(request)
        status = int(self.line()[9:12])
        fields = dict(self.fields())
        bodiless = status in (204, 304) or fields.get(b"content-length") == b"0"
        if not bodiless:
            self.file.peek(1)
        first = time.perf_counter() - start
        size, kept = 0, []
        for piece in () if bodiless else self.pieces(fields):
            size += len(piece)
            if keep:
                kept.append(piece)
        seconds = time.perf_counter() - start
        return Answer(status, seconds, first, size, fields.get(b"etag", b"").decode(), b"".join(kept))

    def line(self) -> bytes:
        """The next line of the answer."""
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("The answer ended early.")
        return line

    def fields(self) -> Iterator[tuple[bytes, bytes]]:
        """The header of the answer, names in small letters."""
        while (line := self.line()) != b"\r\n":
            name, _, value = line.partition(b":")
            yield name.lower(), value.strip()

    def pieces(self, fields: Mapping[bytes, bytes]) -> Iterator[bytes]:
        """The body, as it comes (RFC 9112, section 6)."""
        if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            while size := int(self.line().split(b";")[0], 16):
                yield self.read(size)
                self.line()
            while self.line() != b"\r\n":
                pass
        else:
            yield self.read(int(fields[b"content-length"]))

    def read(self, size: int) -> bytes:
        """So many bytes."""
        found = self.file.read(size)
        if len(found) < size:
            raise ConnectionError("The answer ended early.")
        return found


def request(
    path: str,
    accept: str = "*/*",
    fields: Mapping[str, str] = NONE,
    *,
    method: str = "GET",
    body: bytes = b"",
) -> bytes:
    """The bytes of a request, with more fields of the header."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Accept: {accept}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
