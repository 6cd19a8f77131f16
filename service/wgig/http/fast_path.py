"""Answers by the very bytes of their requests, which a connection gives without reading the request again."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import NamedTuple

from .telemetry import Metrics, Tally

LONGEST = 8 * 1024  # bytes of a request
LARGEST = 64 * 1024  # bytes of an answer
OVERHEAD = 500  # bytes that an entry takes beside them
END = b"\r\n\r\n"
REQUEST = "wgig.request"  # what the scope calls the bytes of a whole request


class Shortcut(NamedTuple):
    """An answer in two pieces, between which belong the fields of the server and the id of the request.

    The rest is what is noted of it: `size` is the number of bytes of its body, `client` who asks, where that
    is not the peer of the connection.
    """

    begin: bytes
    rest: bytes
    tally: Tally
    route: str
    status: int
    size: int
    client: str


class Shortcuts:
    """Answers to requests for as long as `version` gives the same; up to `room` bytes of them."""

    def __init__(self, version: Callable[[], object], room: int, metrics: Metrics) -> None:
        """There is none yet."""
        self.version, self.room, self.metrics = version, room, metrics
        self.clear()

    def clear(self) -> None:
        """Forget all answers."""
        self.as_of, self.size = self.version(), 0
        self.answers: dict[bytes, Shortcut] = {}

    def get(self, request: bytes) -> Shortcut | None:
        """The answer to a request, if it is here."""
        if self.as_of != self.version():
            self.clear()
        return self.answers.get(request)

    def add(  # noqa: PLR0913, PLR0917 - what an answer consists of, and whose it is
        self,
        request: bytes,
        status: int,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        route: str = "",
        client: str = "",
    ) -> None:
        """Keep an answer to a request, unless it is large."""
        if len(body) > LARGEST:
            return
        size = len(request) + len(body) + OVERHEAD
        if self.as_of != self.version() or self.size + size > self.room:
            self.clear()
        begin = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        fields = b"".join(b"%s: %s\r\n" % pair for pair in headers)
        rest = b"\r\n" + fields + b"\r\n" + body
        tally = self.metrics.tally(route, "GET", status)
        self.answers[request] = Shortcut(begin, rest, tally, route, status, len(body), client)
        self.size += size


def is_whole(data: bytes) -> bool:
    """Whether the bytes are one request to read something, no more and no less."""
    return len(data) <= LONGEST and data.startswith(b"GET ") and data.find(END) == len(data) - len(END)
