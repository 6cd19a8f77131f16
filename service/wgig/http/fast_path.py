"""Answers by the very bytes of their requests, which a connection gives without reading the request again."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import NamedTuple

from .telemetry import DurationTally, Metrics

MAX_RAW_REQUEST_BYTES = 8 * 1024  # bytes of a request
MAX_RAW_RESPONSE_BYTES = 64 * 1024  # bytes of an answer
RAW_RESPONSE_OVERHEAD_BYTES = 500  # bytes that an entry takes beside them
REQUEST_HEAD_END = b"\r\n\r\n"
RAW_REQUEST_KEY = "wgig.request"  # what the scope calls the bytes of a whole request


class RawResponse(NamedTuple):
    """An answer in two pieces, between which belong the fields of the server and the id of the request.

    The rest is what is noted of it: `size` is the number of bytes of its body, `client` who asks, where that
    is not the peer of the connection.
    """

    status_line: bytes
    headers_and_body: bytes
    tally: DurationTally
    route: str
    status: int
    size: int
    client: str


class RawResponseCache:
    """Answers to requests for as long as `version` gives the same; up to `room` bytes of them."""

    def __init__(self, version: Callable[[], object], room: int, metrics: Metrics) -> None:
        """There is none yet."""
        self.get_version, self.max_bytes, self.metrics = version, room, metrics
        self.clear()

    def clear(self) -> None:
        """Forget all answers."""
        self.store_version, self.size_bytes = self.get_version(), 0
        self.responses: dict[bytes, RawResponse] = {}

    def get(self, request: bytes) -> RawResponse | None:
        """The answer to a request, if it is here."""
        if self.store_version != self.get_version():
            self.clear()
        return self.responses.get(request)

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
        if len(body) > MAX_RAW_RESPONSE_BYTES:
            return
        size = len(request) + len(body) + RAW_RESPONSE_OVERHEAD_BYTES
        if self.store_version != self.get_version() or self.size_bytes + size > self.max_bytes:
            self.clear()
        begin = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        fields = b"".join(b"%s: %s\r\n" % pair for pair in headers)
        rest = b"\r\n" + fields + b"\r\n" + body
        tally = self.metrics.get_tally(route, "GET", status)
        self.responses[request] = RawResponse(begin, rest, tally, route, status, len(body), client)
        self.size_bytes += size


def is_single_get_request(data: bytes) -> bool:
    """Whether the bytes are one request to read something, no more and no less."""
    return (
        len(data) <= MAX_RAW_REQUEST_BYTES
        and data.startswith(b"GET ")
        and data.find(REQUEST_HEAD_END) == len(data) - len(REQUEST_HEAD_END)
    )
