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
from .access_log import FIELD, Notes, new_id
from .fast_path import REQUEST, Shortcut, Shortcuts, is_whole
from .limits import Limits

SECONDS = 10  # for the head of a request, and for what still comes when all is said
HEAD_BYTES = 128 * 1024
OWN = FIELD + b": "
REST_BYTES = 128 * 1024 * 1024  # of a body that nobody reads any more


class Connection(HttpToolsProtocol):
    """A connection that says no in problem documents, waits for nothing for ever, and ends without a reset.

    A server that closes with something unread resets the connection, and the client loses the answer with it.
    So what still comes is taken and thrown away, within bounds (RFC 9112, section 9.6).
    """

    base = ""  # base IRI of the graph
    shortcuts: Shortcuts | None = None
    notes: Notes | None = None
    limits: Limits | None = None
    by_peer = False  # whether it matters who sends the same bytes, as some are believed who asks
    peer, prefix = "", b""
    request = b""  # the bytes of a whole one
    timer: asyncio.TimerHandle | None = None
    begun = False  # whether a head is under way
    unfinished = False  # whether more of a request is to come
    leaving = False  # whether all is said
    size = 0  # of what came since, in bytes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self.peer = self.client[0] if self.client else ""
        self.prefix = self.peer.encode() if self.by_peer else b""
        self.farewell = Farewell(self)
        self.watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self.unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on in a request, or answer one that is known; or throw away what is beyond an answer."""
        if self.shortcuts and self.idle():
            request = self.prefix + data
            known = self.shortcuts.get(request)
            if known and self.given(known):
                return
            self.request = request if is_whole(data) else b""
        if not self.leaving:
            super().data_received(data)
        if self.transport.is_closing() or not self.at_rest():
            return
        self.watch()
        self.size += len(data)
        if self.begun and self.size > HEAD_BYTES:
            self.refuse(Problem(400, f"The head of the request is larger than {HEAD_BYTES} bytes."))
        elif self.size > REST_BYTES:
            self.transport.close()
        return

    def idle(self) -> bool:
        """Whether all is done and sent that was asked so far."""
        return self.at_rest() and not (self.unfinished or self.leaving or self.flow.write_paused)

    def given(self, known: Shortcut) -> bool:
        """Send an answer, unless this client has asked too much, and wait for the next request."""
        began, id_ = time.perf_counter(), new_id()
        client = known.client if self.by_peer else self.peer
        left = b""
        if self.limits and self.limits.on:
            taken = self.limits.take(client)
            if taken.refused:
                return False
            left = b"".join(b"%s: %s\r\n" % pair for pair in self.limits.fields(taken))
        self.transport.write(b"".join((known.begin, self.fields(), left, OWN, id_, known.rest)))
        if self.notes:
            self.notes.given(known, id_, client, began)
        self.server_state.total_requests += 1
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        self.unwatch()
        self.watch()
        return True

    def fields(self) -> bytes:
        """The fields that every answer has, such as Date."""
        return b"".join(b"%s: %s\r\n" % pair for pair in self.server_state.default_headers)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self.unfinished = True
        self.begun, self.size = True, 0

    def on_headers_complete(self) -> None:
        """A head is there, and its request is at work."""
        super().on_headers_complete()
        self.begun, self.size = False, 0
        self.unwatch()
        self.cycle.transport = self.farewell
        cast(dict[str, Any], self.scope)[REQUEST], self.request = self.request, b""

    def on_message_complete(self) -> None:
        """All of a request is there."""
        super().on_message_complete()
        self.unfinished = False

    def on_response_complete(self) -> None:
        """Go on to the next request, unless this was the last."""
        if not self.leaving:
            super().on_response_complete()

    def at_rest(self) -> bool:
        """Whether no request is at work."""
        return self.leaving or self.cycle is None or self.cycle.response_complete

    def watch(self) -> None:
        """Begin to count the seconds, unless they are counted already."""
        if self.timer is None:
            self.timer = self.loop.call_later(SECONDS, self.give_up)

    def unwatch(self) -> None:
        """Count no more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def give_up(self) -> None:
        """The time is over: say so where a head had begun, and close."""
        self.timer = None
        if not self.at_rest() or self.transport.is_closing():
            return
        if self.begun and not self.leaving:
            self.refuse(
                Problem(408, f"The head of the request did not come within {SECONDS} seconds. Send it again.")
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
        if self.at_rest():
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
        self.transport.write(head.encode("ascii") + self.fields() + b"\r\n" + body)
        if self.notes:
            self.notes.unread(problem.status, self.peer)
        self.leave()

    def leave(self) -> None:
        """Say nothing more, and take what still comes until the client is done."""
        self.leaving, self.size = True, 0
        self._unset_keepalive_if_required()
        self.unwatch()
        self.watch()
        self.transport.write_eof()
        self.flow.resume_reading()


class Farewell(asyncio.Transport):
    """The way of answers to their client, which ends so that the client can read all of them."""

    def __init__(self, connection: Connection) -> None:
        """Take the connection."""
        self.connection = connection
        self.write = connection.transport.write  # type: ignore[method-assign]

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self.connection.leaving or self.connection.transport.is_closing()

    def close(self) -> None:
        """Close at once where all that was sent was read."""
        if self.connection.cycle.more_body or self.connection.pipeline:
            self.connection.leave()
        else:
            self.connection.transport.close()


def connection(
    base: str,
    shortcuts: Shortcuts | None = None,
    notes: Notes | None = None,
    limits: Limits | None = None,
    *,
    by_peer: bool = False,
) -> type[Connection]:
    """The connections of a service with this base IRI, with what they answer, note and limit by.

    `by_peer`: what one peer says of who asks is not what another says.
    """
    members = {"base": base, "shortcuts": shortcuts, "notes": notes, "limits": limits, "by_peer": by_peer}
    return type("Connection", (Connection,), members)
