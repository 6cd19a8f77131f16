"""Connections of the HTTP server (uvicorn, httptools): timeouts, malformed requests, raw cache, clean close.

If the exact bytes of a request are in the raw cache (`fast_path`), the response is sent without parsing the
request. The short path answers other requests without ASGI. The head of a request may take 10 seconds and
128 KiB, a header field 16 KiB. A refused request gets a problem document, and the connection is closed
without a TCP reset.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..problems import Problem
from .access_log import REQUEST_ID_FIELD, RequestRecorder, make_request_id
from .fast_path import (
    RAW_REQUEST_KEY,
    STARTED_KEY,
    PendingResponse,
    RawResponse,
    RawResponseCache,
    ShortPath,
    StartedResult,
    is_single_get_request,
)
from .limits import RateLimiter

HEAD_TIMEOUT_SECONDS = 10  # for the head of a request, and for draining a connection before it is closed
MAX_HEAD_BYTES = 128 * 1024
MAX_STARTED_LINE_BYTES = 256  # more than the name of a method
MAX_PARSED_ADDRESS_BYTES = 65535  # httptools refuses a longer one
MAX_FIELD_BYTES = 16 * 1024  # caches have up to 1,000 values of a header field as keys
REQUEST_ID_PREFIX = REQUEST_ID_FIELD + b": "
MAX_DISCARDED_BYTES = 128 * 1024 * 1024  # while a connection is drained; then it is closed
ABSOLUTE_TARGET_PATTERN = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://(?P<host>[^/?#]*)")


class FieldTooLargeError(Exception):
    """A header field of a request is larger than MAX_FIELD_BYTES; the message is its name."""


class ServerConnection(HttpToolsProtocol):
    """A connection with timeouts; errors are sent as problem documents, and it is closed without a reset.

    If a server closes a connection that has unread data, TCP resets it, and the client may lose the response.
    So data after the last response is drained: read and discarded, within limits (RFC 9112, section 9.6).
    """

    base = ""  # base IRI of the graph, for problem documents
    raw_cache: RawResponseCache | None = None
    short_path: ShortPath | None = None
    recorder: RequestRecorder | None = None
    limiter: RateLimiter | None = None
    by_peer = False  # whether each peer has its own raw cache entries; see `make_connection_class`
    peer_address, cache_prefix = "", b""
    raw_request = b""  # the bytes of a complete GET request, the key for the raw cache
    latest_data = b""  # that the parser got, after the start of its first line if that is in earlier data
    pending: PendingResponse | None = None  # that the short path is making
    pending_since = 0.0  # `time.perf_counter()` at its start
    pending_data = b""  # its request
    later_data = b""  # received after it
    started: Sequence[StartedResult] = ()  # by the short path for a request that took the long path
    is_closing_after_response = False
    timer: asyncio.TimerHandle | None = None
    is_head_started = False  # the head of a request has started and is incomplete
    is_request_incomplete = False  # the head or body is incomplete
    is_draining = False  # the last response is sent; more data is discarded
    received_bytes = 0  # since the start of the head or of draining

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timeout for the first request."""
        super().connection_made(transport)
        self.peer_address = self.client[0] if self.client else ""
        self.cache_prefix = self.peer_address.encode() if self.by_peer else b""
        self.draining_transport = DrainingTransport(self)
        self.start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timeout, and the short path."""
        self.stop_timer()
        if self.pending:
            pending, self.pending = self.pending, None
            pending.leave(self.respond_shortly)
        self.close_started()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Respond from the raw cache or by the short path, or parse the data."""
        if self.raw_cache and self.is_idle():
            cache_key = self.cache_prefix + data
            response = self.raw_cache.get(cache_key)
            if response and self.send_raw_response(response, time.perf_counter()):
                return
            if not response and self.take_short_path(data):
                return
            self.raw_request = cache_key if is_single_get_request(data) else b""
        elif self.pending:
            self.later_data += data
            self.flow.pause_reading()
            return
        self.parse_data(data)

    def take_short_path(self, data: bytes) -> bool:
        """Let the short path answer a request; False if it must take the long path."""
        if self.short_path is None or self.by_peer:
            return False
        if self.limiter and self.limiter.is_enabled and self.limiter.is_exhausted(self.peer_address):
            return False
        started_at = time.perf_counter()
        started = self.short_path.start(data, self.peer_address, self.respond_shortly)
        if started is None:
            return False
        if isinstance(started, RawResponse):
            return self.send_raw_response(started, started_at, is_cached=False)
        self.pending, self.pending_data, self.pending_since = started, data, started_at
        self._unset_keepalive_if_required()
        self.stop_timer()
        return True

    def respond_shortly(self, response: RawResponse | None, started: StartedResult | None) -> None:
        """Send the response of the short path; without one, take the long path with what was started."""
        data, self.pending, self.pending_data = self.pending_data, None, b""
        self.started = [started] if started else []
        if not (response and self.send_raw_response(response, self.pending_since, is_cached=False)):
            self.raw_request = data
            self.parse_data(data)
        if self.later_data:
            later_data, self.later_data = self.later_data, b""
            self.flow.resume_reading()
            self.data_received(later_data)
        elif self.is_closing_after_response and not self.is_handling_request():
            self.transport.close()

    def shutdown(self) -> None:
        """Close the connection after the response that the short path is making, if any."""
        if self.pending:
            self.is_closing_after_response = True
        else:
            super().shutdown()

    def close_started(self) -> None:
        """Stop what the short path started, if the long path did not take it."""
        for started in self.started:
            started.close()
        self.started = ()

    def parse_data(self, data: bytes) -> None:
        """Parse the data, or discard it while draining."""
        if not self.is_draining:
            started_line = self.latest_data.rpartition(b"\n")[2] if self.is_head_started else b""
            self.latest_data = started_line[:MAX_STARTED_LINE_BYTES] + data
            super().data_received(data)
        if self.transport.is_closing() or self.is_handling_request():
            return
        self.start_timer()
        self.received_bytes += len(data)
        if self.is_head_started and not self.is_draining and self.received_bytes > MAX_HEAD_BYTES:
            self.refuse(
                Problem(
                    400, f"The head of the request is larger than {MAX_HEAD_BYTES} bytes. Send fewer headers."
                )
            )
        elif self.received_bytes > MAX_DISCARDED_BYTES:
            self.transport.close()

    def is_idle(self) -> bool:
        """Whether all requests so far have complete responses, and all data has been sent."""
        return not (
            self.pending
            or self.is_handling_request()
            or self.is_request_incomplete
            or self.is_draining
            or self.flow.write_paused
        )

    def is_handling_request(self) -> bool:
        """Whether the application is still responding to a request."""
        return not (self.is_draining or self.cycle is None or self.cycle.response_complete)

    def send_raw_response(self, response: RawResponse, started_at: float, *, is_cached: bool = True) -> bool:
        """Send a response of the raw cache or the short path; False if the client exceeded the rate limit."""
        if self.transport.is_closing():
            return True
        id_ = make_request_id()
        # The entry of a proxy stores the client that the proxy named in these same bytes.
        client = response.client if self.by_peer else self.peer_address
        rate_limit_fields = b""
        if self.limiter and self.limiter.is_enabled:
            status = self.limiter.take(client)
            if status.is_refused:
                return False
            fields = self.limiter.header_fields(status)
            rate_limit_fields = b"".join(b"%s: %s\r\n" % pair for pair in fields)
        self.transport.write(
            b"".join(
                (
                    response.status_line,
                    self.default_fields(),
                    rate_limit_fields,
                    REQUEST_ID_PREFIX,
                    id_,
                    response.headers_and_body,
                )
            )
        )
        if self.recorder:
            self.recorder.record_raw_response(response, id_, client, started_at, is_cached=is_cached)
        self.server_state.total_requests += 1
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        self.stop_timer()
        self.start_timer()
        return True

    def default_fields(self) -> bytes:
        """The header fields of every response, such as Date."""
        return b"".join(b"%s: %s\r\n" % pair for pair in self.server_state.default_headers)

    def on_message_begin(self) -> None:
        """Handle the start of a request."""
        super().on_message_begin()
        self.is_request_incomplete = True
        self.is_head_started, self.received_bytes = True, 0

    def on_headers_complete(self) -> None:
        """Handle the end of the head: the application starts, and the timeout stops.

        Raises FieldTooLargeError, which `send_400_response` handles.
        """
        for name, value in self.headers:
            if len(value) > MAX_FIELD_BYTES:
                raise FieldTooLargeError(name.decode("latin-1"))
        if target := ABSOLUTE_TARGET_PATTERN.match(self.url):  # replaces Host (RFC 9112, section 3.2.2)
            self.headers[:] = [
                (name, target["host"] if name == b"host" else value) for name, value in self.headers
            ]
        super().on_headers_complete()
        self.is_head_started, self.received_bytes = False, 0
        self.stop_timer()
        self.cycle.transport = self.draining_transport
        scope = cast(dict[str, Any], self.scope)
        scope[RAW_REQUEST_KEY], self.raw_request = self.raw_request, b""
        if self.started:
            scope[STARTED_KEY] = self.started

    def on_message_complete(self) -> None:
        """Handle the end of a request."""
        super().on_message_complete()
        self.is_request_incomplete = False

    def on_response_complete(self) -> None:
        """Continue with the next request, unless the connection is draining."""
        self.close_started()
        if not self.is_draining:
            super().on_response_complete()

    def start_timer(self) -> None:
        """Start the timeout, unless it is running."""
        if self.timer is None:
            self.timer = self.loop.call_later(HEAD_TIMEOUT_SECONDS, self.on_timeout)

    def stop_timer(self) -> None:
        """Stop the timeout."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def on_timeout(self) -> None:
        """Close the connection; send a 408 first if the head of a request is incomplete."""
        self.timer = None
        if self.pending or self.is_handling_request() or self.transport.is_closing():
            return
        if self.is_head_started and not self.is_draining:
            self.refuse(
                Problem(
                    408,
                    f"The head of the request did not arrive within {HEAD_TIMEOUT_SECONDS} seconds. "
                    "Send it again.",
                )
            )
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse invalid HTTP: if no request is being handled, or the body of the current one is malformed.

        If the body of the current request has arrived, its response is still sent. Else the connection is
        aborted if the response has started, or other requests are waiting.
        """
        error = sys.exc_info()[1]
        is_parser_error = isinstance(error, httptools.HttpParserError) and not isinstance(
            error, httptools.HttpParserCallbackError
        )
        reason = str(error) if is_parser_error else msg.rstrip(".")
        cycle = self.cycle
        is_long_address = len(self.url) > MAX_PARSED_ADDRESS_BYTES
        if not self.is_handling_request() and is_long_address:
            self.refuse(long_address_problem())
        elif not self.is_handling_request() and isinstance(error, httptools.HttpParserInvalidMethodError):
            self.refuse(unknown_method_problem(self.latest_data, reason))
        elif not self.is_handling_request() and error and isinstance(error.__context__, FieldTooLargeError):
            self.refuse(large_field_problem(str(error.__context__)))
        elif not self.is_handling_request():
            self.refuse(malformed_request_problem(reason))
        elif not cycle.more_body:  # the error is in the data after a valid request
            cycle.keep_alive = False
        elif cycle.response_started or self.pipeline:
            self.transport.abort()
        else:
            cycle.disconnected = True
            cycle.message_event.set()
            self.refuse(
                Problem(
                    400, f"The body of the request is malformed: {reason}. The request was not carried out."
                )
            )

    def refuse(self, problem: Problem) -> None:
        """Send a problem document, and drain the connection."""
        body = json.dumps(problem.document(self.base, ""), ensure_ascii=False).encode()
        head = (
            f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n"
            f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
            "cache-control: no-store\r\naccess-control-allow-origin: *\r\nx-content-type-options: nosniff\r\n"
            "connection: close\r\n"
        )
        self.transport.write(head.encode("ascii") + self.default_fields() + b"\r\n" + body)
        if self.recorder:
            self.recorder.record_refusal(problem.status, self.peer_address)
        self.start_draining()

    def start_draining(self) -> None:
        """Send nothing more, and discard data until the client closes the connection."""
        self.is_draining, self.received_bytes = True, 0
        self._unset_keepalive_if_required()
        self.stop_timer()
        self.start_timer()
        self.transport.write_eof()
        self.flow.resume_reading()


# The last alternative is a line whose end has not arrived yet.
REQUEST_LINE_PATTERN = re.compile(
    rb"(?:\r?\n)*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40})(?: \S+ HTTP/1\.[01]\r?\n|(?: [^\n]*)?\Z)"
)


def unknown_method_problem(data: bytes, reason: str) -> Problem:
    """The 501 for a request whose method is unknown (RFC 9110, section 9.1); the 400 for any other data.

    The data may end within the request line, as the parser refuses a method at its first wrong letter.
    """
    match = REQUEST_LINE_PATTERN.match(data)
    if match is None:
        return malformed_request_problem(reason)
    name = f"{match[1].decode()}{'…' if match.end(1) == len(data) else ''}"
    return Problem(501, f"The method {name} is not supported. Use GET.", slug="not-implemented")


def long_address_problem() -> Problem:
    """The 414 for an address that the parser refuses (RFC 9110, section 15.5.15)."""
    return Problem(
        414,
        f"The address is longer than {MAX_PARSED_ADDRESS_BYTES} bytes. Send the query in the body of a POST "
        "request.",
    )


def large_field_problem(name: str) -> Problem:
    """The 431 for a request with a header field that is too large (RFC 6585, section 5)."""
    return Problem(
        431, f"The header field {name[:100]} is larger than {MAX_FIELD_BYTES} bytes. Send a shorter one."
    )


def malformed_request_problem(reason: str) -> Problem:
    """The 400 for data that is no HTTP request."""
    return Problem(400, f"The request is malformed: {reason}. It was not carried out.")


class DrainingTransport(asyncio.Transport):
    """A transport for responses that drains the connection instead of closing it with unread data."""

    def __init__(self, connection: ServerConnection) -> None:
        """Wrap the transport of a connection."""
        self.connection = connection

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send data, unless the client has just disconnected, as uvloop raises RuntimeError then."""
        if not self.connection.transport.is_closing():
            self.connection.transport.write(data)

    def is_closing(self) -> bool:
        """Whether no more data can be sent."""
        return self.connection.is_draining or self.connection.transport.is_closing()

    def close(self) -> None:
        """Close the connection, immediately if all its data has been read, else after draining."""
        if self.connection.cycle.more_body or self.connection.pipeline:
            self.connection.start_draining()
        else:
            self.connection.transport.close()


def make_connection_class(  # noqa: PLR0913 - the parts of a service that connections use
    base: str,
    raw_cache: RawResponseCache | None = None,
    recorder: RequestRecorder | None = None,
    limiter: RateLimiter | None = None,
    short_path: ShortPath | None = None,
    *,
    by_peer: bool = False,
) -> type[ServerConnection]:
    """The ServerConnection class of a service, with its base IRI, caches, recorder and rate limiter.

    `by_peer`: each peer has its own entries in the raw cache. This is needed with trusted proxies: the same
    bytes have another meaning if a proxy sends them, as only its X-Forwarded-For names the client.
    """
    members = {
        "base": base,
        "raw_cache": raw_cache,
        "recorder": recorder,
        "limiter": limiter,
        "short_path": short_path,
        "by_peer": by_peer,
    }
    return type("BoundServerConnection", (ServerConnection,), members)
