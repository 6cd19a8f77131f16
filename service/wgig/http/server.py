"""Connections of the HTTP server (uvicorn, httptools): timeouts, malformed requests, fast path, clean ends.

A request whose very bytes were answered before is answered at once (`fast_path`), before it is parsed. A head
may take ten seconds and 128 KiB; what is refused is told in a problem document, and the connection is closed
without a reset.
"""

import asyncio
import json
import sys
import time
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..problems import Problem
from .access_log import REQUEST_ID_FIELD, RequestRecorder, make_request_id
from .fast_path import RAW_REQUEST_KEY, RawResponse, RawResponseCache, is_single_get_request
from .limits import RateLimiter

HEAD_TIMEOUT_SECONDS = 10  # for the head of a request, and for what still comes when all is said
MAX_HEAD_BYTES = 128 * 1024
REQUEST_ID_PREFIX = REQUEST_ID_FIELD + b": "
MAX_DISCARDED_BYTES = 128 * 1024 * 1024  # of a body that nobody reads any more


class ServerConnection(HttpToolsProtocol):
    """A connection that says no in problem documents, waits for nothing for ever, and ends without a reset.

    A server that closes with something unread resets the connection, and the client loses the answer with it.
    So what still comes is taken and thrown away, within bounds (RFC 9112, section 9.6).
    """

    base = ""  # base IRI of the graph
    raw_cache: RawResponseCache | None = None
    recorder: RequestRecorder | None = None
    limiter: RateLimiter | None = None
    by_peer = False  # whether it matters who sends the same bytes, as some are believed who asks
    peer_address, cache_prefix = "", b""
    raw_request = b""  # the bytes of a whole one
    timer: asyncio.TimerHandle | None = None
    is_head_started = False  # whether a head is under way
    is_request_incomplete = False  # whether more of a request is to come
    is_draining = False  # whether all is said
    received_bytes = 0  # of what came since, in bytes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self.peer_address = self.client[0] if self.client else ""
        self.cache_prefix = self.peer_address.encode() if self.by_peer else b""
        self.draining_transport = DrainingTransport(self)
        self.start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self.stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on in a request, or answer one that is known; or throw away what is beyond an answer."""
        if self.raw_cache and self.is_idle():
            request = self.cache_prefix + data
            known = self.raw_cache.get(request)
            if known and self.send_raw_response(known):
                return
            self.raw_request = request if is_single_get_request(data) else b""
        if not self.is_draining:
            super().data_received(data)
        if self.transport.is_closing() or not self.is_at_rest():
            return
        self.start_timer()
        self.received_bytes += len(data)
        if self.is_head_started and self.received_bytes > MAX_HEAD_BYTES:
            self.refuse(Problem(400, f"The head of the request is larger than {MAX_HEAD_BYTES} bytes."))
        elif self.received_bytes > MAX_DISCARDED_BYTES:
            self.transport.close()
        return

    def is_idle(self) -> bool:
        """Whether all is done and sent that was asked so far."""
        return self.is_at_rest() and not (
            self.is_request_incomplete or self.is_draining or self.flow.write_paused
        )

    def send_raw_response(self, known: RawResponse) -> bool:
        """Send an answer, unless this client has asked too much, and wait for the next request."""
        began, id_ = time.perf_counter(), make_request_id()
        client = known.client if self.by_peer else self.peer_address
        left = b""
        if self.limiter and self.limiter.is_enabled:
            taken = self.limiter.take(client)
            if taken.is_refused:
                return False
            left = b"".join(b"%s: %s\r\n" % pair for pair in self.limiter.header_fields(taken))
        self.transport.write(
            b"".join(
                (
                    known.status_line,
                    self.default_fields(),
                    left,
                    REQUEST_ID_PREFIX,
                    id_,
                    known.headers_and_body,
                )
            )
        )
        if self.recorder:
            self.recorder.record_raw_response(known, id_, client, began)
        self.server_state.total_requests += 1
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        self.stop_timer()
        self.start_timer()
        return True

    def default_fields(self) -> bytes:
        """The fields that every answer has, such as Date."""
        return b"".join(b"%s: %s\r\n" % pair for pair in self.server_state.default_headers)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self.is_request_incomplete = True
        self.is_head_started, self.received_bytes = True, 0

    def on_headers_complete(self) -> None:
        """A head is there, and its request is at work."""
        super().on_headers_complete()
        self.is_head_started, self.received_bytes = False, 0
        self.stop_timer()
        self.cycle.transport = self.draining_transport
        cast(dict[str, Any], self.scope)[RAW_REQUEST_KEY], self.raw_request = self.raw_request, b""

    def on_message_complete(self) -> None:
        """All of a request is there."""
        super().on_message_complete()
        self.is_request_incomplete = False

    def on_response_complete(self) -> None:
        """Go on to the next request, unless this was the last."""
        if not self.is_draining:
            super().on_response_complete()

    def is_at_rest(self) -> bool:
        """Whether no request is at work."""
        return self.is_draining or self.cycle is None or self.cycle.response_complete

    def start_timer(self) -> None:
        """Begin to count the seconds, unless they are counted already."""
        if self.timer is None:
            self.timer = self.loop.call_later(HEAD_TIMEOUT_SECONDS, self.on_timeout)

    def stop_timer(self) -> None:
        """Count no more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def on_timeout(self) -> None:
        """The time is over: say so where a head had begun, and close."""
        self.timer = None
        if not self.is_at_rest() or self.transport.is_closing():
            return
        if self.is_head_started and not self.is_draining:
            self.refuse(
                Problem(
                    408,
                    f"The head of the request did not come within {HEAD_TIMEOUT_SECONDS} seconds. "
                    "Send it again.",
                )
            )
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP. An answer under way stays what it is: whole, or visibly broken off."""
        error = sys.exc_info()[1]
        known = isinstance(error, httptools.HttpParserError) and not isinstance(
            error, httptools.HttpParserCallbackError
        )
        why = str(error) if known else msg.rstrip(".")
        cycle = self.cycle
        if self.is_at_rest():
            self.refuse(Problem(400, f"The request is malformed: {why}. Nothing of it was done."))
        elif not cycle.more_body:  # it is what follows a good request
            cycle.keep_alive = False
        elif cycle.response_started or self.pipeline:
            self.transport.abort()
        else:
            cycle.disconnected = True
            cycle.message_event.set()
            self.refuse(Problem(400, f"The body of the request is malformed: {why}. Nothing of it was done."))

    def refuse(self, problem: Problem) -> None:
        """Answer with a problem document, and leave."""
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
        """Say nothing more, and take what still comes until the client is done."""
        self.is_draining, self.received_bytes = True, 0
        self._unset_keepalive_if_required()
        self.stop_timer()
        self.start_timer()
        self.transport.write_eof()
        self.flow.resume_reading()


class DrainingTransport(asyncio.Transport):
    """The way of answers to their client, which ends so that the client can read all of them."""

    def __init__(self, connection: ServerConnection) -> None:
        """Take the connection."""
        self.connection = connection
        self.write = connection.transport.write  # type: ignore[method-assign]

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self.connection.is_draining or self.connection.transport.is_closing()

    def close(self) -> None:
        """Close at once where all that was sent was read."""
        if self.connection.cycle.more_body or self.connection.pipeline:
            self.connection.start_draining()
        else:
            self.connection.transport.close()


def make_connection_class(
    base: str,
    shortcuts: RawResponseCache | None = None,
    notes: RequestRecorder | None = None,
    limits: RateLimiter | None = None,
    *,
    by_peer: bool = False,
) -> type[ServerConnection]:
    """The connections of a service with this base IRI, with what they answer, note and limit by.

    `by_peer`: what one peer says of who asks is not what another says.
    """
    members = {
        "base": base,
        "raw_cache": shortcuts,
        "recorder": notes,
        "limiter": limits,
        "by_peer": by_peer,
    }
    return type("BoundServerConnection", (ServerConnection,), members)
