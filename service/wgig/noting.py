"""What is noted of each request: which it was, whose, what came of it. Its id goes out with its answer."""

import itertools
import re
import secrets
import time
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .logs import Logs
from .metrics import METHODS, OTHER, Metrics
from .routing import NONE, Routing
from .shortcuts import Shortcut
from .tracing import Tracing, trace_of

NOTED = "wgig.noted"  # what the scope calls it
FIELD, TRACE = b"x-request-id", b"traceparent"
OWN = re.compile(rb"[\w.:+/=@-]{1,128}", re.ASCII)
PARENT = re.compile(r"(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-[\da-f]{2}(?:-.*)?")
LEFT = 499  # the status in logs and figures of a request whose client went away before its answer

BEGINNING = secrets.token_hex(6).encode() + b"-%08x"
numbers = itertools.count()


@dataclass(slots=True)
class Noted:
    """A request. `trace` is the id of its trace, `began` a time of the performance counter.

    `whole` tells whether all of the answer went out, `size` the bytes of its body so far.
    """

    id: str
    route: str
    method: str
    client: str
    began: float
    trace: str = ""
    status: int = LEFT
    size: int = 0
    whole: bool = False


class Notes:
    """Takes notes of requests, for figures, logs and traces."""

    def __init__(
        self, metrics: Metrics, routing: Routing, logs: Logs, tracing: Tracing | None = None
    ) -> None:
        """Take where notes go, and how routes are told."""
        self.metrics, self.routing, self.logs, self.tracing = metrics, routing, logs, tracing

    def begin(self, scope: Scope) -> Noted:
        """A request that begins."""
        client = scope.get("client")
        noted = Noted(
            "",
            self.routing.of(scope["path"]),
            scope["method"],
            client[0] if client else "",
            time.perf_counter(),
        )
        for name, value in scope["headers"]:
            if name == FIELD and not noted.id and OWN.fullmatch(value):
                noted.id = value.decode("ascii")
            elif name == TRACE and (found := PARENT.fullmatch(value.decode("latin-1"))):
                noted.trace = found[1]
        noted.id = noted.id or new_id().decode()
        return noted

    def end(self, noted: Noted) -> None:
        """A request whose answer is out, or never will be."""
        seconds = time.perf_counter() - noted.began
        self.metrics.tally(noted.route, noted.method, noted.status).add(seconds)
        if self.logs.requests:
            self.log(noted, seconds)

    def given(self, known: Shortcut, id_: bytes, client: str, began: float) -> None:
        """A request that was answered from memory at once, which takes less than a note of it."""
        seconds = time.perf_counter() - began
        known.tally.add(seconds)
        self.metrics.hits += 1
        if self.tracing:
            said = {"http.route": known.route, "http.response.status_code": known.status}
            self.tracing.past(f"GET {known.route}", began, attributes=said)
        if self.logs.requests:
            route, status, size = known.route, known.status, known.size
            self.log(Noted(id_.decode(), route, "GET", client, began, "", status, size, True), seconds)

    def log(self, noted: Noted, seconds: float) -> None:
        """Log a request that took so long."""
        self.logs.request(
            method=noted.method,
            route=noted.route,
            status=noted.status,
            bytes=noted.size,
            milliseconds=round(1000 * seconds, 3),
            client=self.logs.shown(noted.client),
            id=noted.id,
            **({"trace": noted.trace} if noted.trace else {}),
            **({} if noted.whole else {"whole": False}),
        )

    def unread(self, status: int, client: str) -> None:
        """What was no request was refused."""
        self.end(Noted(new_id().decode(), NONE, NONE, client, time.perf_counter(), status=status, whole=True))


class Noting:
    """ASGI middleware: takes notes of each request, and gives its answer the id."""

    def __init__(self, app: ASGIApp, notes: Notes) -> None:
        """Watch `app`."""
        self.app, self.notes = app, notes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note what comes of it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        noted = scope[NOTED] = self.notes.begin(scope)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                noted.status = message["status"]
                message = {**message, "headers": [*message["headers"], (FIELD, noted.id.encode())]}
            else:
                noted.size += len(message.get("body", b""))
                noted.whole = not message.get("more_body", False)
            await send(message)

        try:
            if self.notes.tracing:
                await self.traced(self.notes.tracing, scope, receive, watched)
            else:
                await self.app(scope, receive, watched)
        finally:
            self.notes.end(noted)

    async def traced(self, tracing: Tracing, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with a span around."""
        noted: Noted = scope[NOTED]
        method = noted.method if noted.method in METHODS else OTHER
        with tracing.request(method, noted.route, scope["headers"]) as span:
            noted.trace = trace_of(span)
            try:
                await self.app(scope, receive, send)
            finally:
                span.set_attributes(
                    {
                        "http.response.status_code": noted.status,
                        "http.response.body.size": noted.size,
                        "wgig.request.id": noted.id,
                    }
                )


def new_id() -> bytes:
    """An id that no other request has. It is no secret."""
    return BEGINNING % next(numbers)
