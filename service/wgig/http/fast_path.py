"""Raw cache: responses by the exact bytes of a request, sent by the server without parsing the request."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import NamedTuple, Protocol

from .telemetry import DurationTally, Metrics

MAX_RAW_REQUEST_BYTES = 8 * 1024
MAX_RAW_RESPONSE_BYTES = 64 * 1024  # of a response body
RAW_RESPONSE_OVERHEAD_BYTES = 500  # memory of an entry in addition to request and body
REQUEST_HEAD_END = b"\r\n\r\n"
# Keys of the ASGI scope: the raw bytes of a request, and what the short path has started for it.
RAW_REQUEST_KEY, STARTED_KEY = "wgig.request", "wgig.started"


class WholeResponse(NamedTuple):
    """A response with its whole body."""

    status: int
    headers: Iterable[tuple[bytes, bytes]]
    body: bytes


class RawResponse(NamedTuple):
    """A response in two parts, between which the server inserts its own headers and the request ID.

    The other fields are for metrics and logs: `size` is the number of bytes of the body, `client` the address
    of the client if a proxy forwarded the request.
    """

    status_line: bytes
    headers_and_body: bytes
    tally: DurationTally
    route: str
    status: int
    size: int
    client: str


class StartedResult(Protocol):
    """A result that the short path has started, for the long path."""

    def close(self) -> None:
        """Stop it, unless it has ended."""


# Called with a response, or with None for the long path, which may continue with a started result.
ShortResponder = Callable[[RawResponse | None, StartedResult | None], None]


class PendingResponse(Protocol):
    """A response that the short path is making."""

    def leave(self, responder: ShortResponder) -> None:
        """Stop, as the client of this responder has disconnected."""


class ShortPath(Protocol):
    """Answers some requests from their bytes, without ASGI."""

    def start(
        self, data: bytes, client: str, responder: ShortResponder
    ) -> PendingResponse | RawResponse | None:
        """Answer a request, or start to answer it; None if it must take the long path."""


class RawResponseCache:
    """Raw responses by raw request, valid while `get_version` returns the same value; at most `max_bytes`."""

    def __init__(self, get_version: Callable[[], object], max_bytes: int, metrics: Metrics) -> None:
        """Start empty."""
        self.get_version, self.max_bytes, self.metrics = get_version, max_bytes, metrics
        self.restart(get_version())

    def restart(self, version: object) -> None:
        """Drop all responses, and continue with a version."""
        self.store_version, self.size_bytes = version, 0
        self.responses: dict[bytes, RawResponse] = {}

    def get(self, request: bytes) -> RawResponse | None:
        """The response to the bytes of a request; None if it is not cached."""
        version = self.get_version()
        if self.store_version != version:
            self.restart(version)
        return self.responses.get(request)

    def add(
        self, request: bytes, version: object, response: WholeResponse, route: str = "", client: str = ""
    ) -> None:
        """Build and store the response to a request, unless it is larger than MAX_RAW_RESPONSE_BYTES."""
        if len(response.body) <= MAX_RAW_RESPONSE_BYTES:  # a copy of a larger one would be made for nothing
            self.store(request, version, self.build(response, route, client))

    def store(self, request: bytes, version: object, raw: RawResponse) -> None:
        """Store the raw response to a request, unless it is larger than MAX_RAW_RESPONSE_BYTES.

        `version` is the result of `get_version` from before the response was computed; if it changed since,
        the response may be outdated and is not stored.
        """
        if raw.size > MAX_RAW_RESPONSE_BYTES or version != self.get_version():
            return
        size = len(request) + raw.size + RAW_RESPONSE_OVERHEAD_BYTES
        if self.store_version != version or self.size_bytes + size > self.max_bytes:
            self.restart(version)
        self.responses[request] = raw
        self.size_bytes += size

    def build(self, response: WholeResponse, route: str, client: str = "") -> RawResponse:
        """The raw response to a GET request of a route."""
        status, headers, body = response
        status_line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        fields = b"".join(b"%s: %s\r\n" % pair for pair in headers)
        headers_and_body = b"\r\n" + fields + b"\r\n" + body
        tally = self.metrics.get_tally(route, "GET", status)
        return RawResponse(status_line, headers_and_body, tally, route, status, len(body), client)


def is_single_get_request(data: bytes) -> bool:
    """Whether the bytes are exactly one complete GET request without a body."""
    return (
        len(data) <= MAX_RAW_REQUEST_BYTES
        and data.startswith(b"GET ")
        and data.find(REQUEST_HEAD_END) == len(data) - len(REQUEST_HEAD_END)
    )
