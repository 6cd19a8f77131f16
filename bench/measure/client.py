"""An HTTP client that needs little CPU, the same for all servers: one persistent connection."""

import socket
import time
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import NamedTuple, Self, cast

READ_BUFFER_BYTES = 256 * 1024
NO_FIELDS: Mapping[str, str] = {}


class Response(NamedTuple):
    """A complete response, with the seconds until the first byte of its body and until its last byte."""

    status: int
    seconds: float
    first_byte_seconds: float
    size: int  # bytes of the body
    etag: str  # empty if there is none
    body: bytes  # empty unless `keep_body` is set


class Client:
    """A connection to a port of this machine, as a context manager."""

    def __init__(self, port: int, timeout_seconds: float = 600, *, address: str = "") -> None:
        """Connect, from an address of this machine.

        Like all methods, raises OSError if the server does not respond in time.
        """
        self.port, self.timeout_seconds = port, timeout_seconds
        self.source = (address, 0) if address else None
        self.connect()

    def connect(self) -> None:
        """Connect to the server."""
        address = ("127.0.0.1", self.port)
        self.socket = socket.create_connection(address, self.timeout_seconds, self.source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = cast(BufferedReader, self.socket.makefile("rb", buffering=READ_BUFFER_BYTES))

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.file.close()
        self.socket.close()

    def send(self, request: bytes, keep_body: bool = False) -> Response:
        """Send a request and read the response to its end. Raises ConnectionError if it is incomplete.

        This connects again if the last response closed the connection.
        """
        if self.file.closed:
            self.connect()
        start = time.perf_counter()
        self.socket.sendall(request)
        status = int(self.read_line()[9:12])  # after "HTTP/1.1 "
        fields = dict(self.iter_header_fields())
        has_no_body = status in (204, 304) or fields.get(b"content-length") == b"0"
        if not has_no_body:
            self.file.peek(1)  # waits for the first byte of the body
        first_byte_seconds = time.perf_counter() - start
        size, kept_chunks = 0, []
        for chunk in () if has_no_body else self.iter_body_chunks(fields):
            size += len(chunk)
            if keep_body:
                kept_chunks.append(chunk)
        seconds = time.perf_counter() - start
        if fields.get(b"connection") == b"close":
            self.close()
        etag = fields.get(b"etag", b"").decode()
        return Response(status, seconds, first_byte_seconds, size, etag, b"".join(kept_chunks))

    def read_line(self) -> bytes:
        """The next line of the response."""
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("The response ended early.")
        return line

    def iter_header_fields(self) -> Iterator[tuple[bytes, bytes]]:
        """The header fields of the response, with names in lowercase."""
        while (line := self.read_line()) != b"\r\n":
            name, _, value = line.partition(b":")
            yield name.lower(), value.strip()

    def iter_body_chunks(self, fields: Mapping[bytes, bytes]) -> Iterator[bytes]:
        """The body, chunk by chunk (RFC 9112, section 6)."""
        if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            while size := int(self.read_line().split(b";")[0], 16):
                yield self.read_bytes(size)
                self.read_line()  # the line end after the chunk
            while self.read_line() != b"\r\n":  # trailer fields
                pass
        else:
            yield self.read_bytes(int(fields[b"content-length"]))

    def read_bytes(self, size: int) -> bytes:
        """Exactly `size` bytes of the response."""
        data = self.file.read(size)
        if len(data) < size:
            raise ConnectionError("The response ended early.")
        return data


def build_request(
    path: str,
    accept: str = "*/*",
    fields: Mapping[str, str] = NO_FIELDS,
    *,
    method: str = "GET",
    body: bytes = b"",
) -> bytes:
    """The bytes of a request, with additional header fields."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Accept: {accept}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
