"""Request log: the request ID, the outcome and duration of each request, and the log formats.

The ASGI middleware gives each response an X-Request-Id, that of the client where it is usable, and joins the
trace of its `traceparent`. Status 499 stands for a client that disconnected before the response. Metrics and
traces are fed from the same records.

A log line is text or one JSON object, and cannot be broken by untrusted content. Nothing logged tells who
asked what unless a setting wants it: both logs are off by default, addresses can be cut to their network
(IPv4 /24, IPv6 /48), and queries can be logged by the SHA-256 of their text. Routes appear as templates, of
which there are few whatever clients ask for.
"""

import hashlib
import itertools
import json
import logging
import os
import re
import secrets
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..settings import Settings
from ..text import cut, harmless, one_line
from .fast_path import Shortcut
from .telemetry import METHODS, OTHER, Metrics, Tracing, trace_of

NONE = "none"
MANY = 1024  # paths whose template is remembered, which must be as many as are asked most
FIRST = re.compile(r"/(?:\.?[\w-]+)?")  # what a path begins with, up to a parameter or a suffix


class Routing:
    """The templates of the paths of a service. The first that fits a path counts, as in the application."""

    def __init__(self, templates: Iterable[str]) -> None:
        """Take the templates, such as `/graph/{name:path}`."""
        self.by_first: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        for one in dict.fromkeys(templates):
            self.by_first.setdefault(first(one), []).append((compile_path(one)[0], one))
        self.of = lru_cache(MANY)(self.found)

    def found(self, path: str) -> str:
        """The template of a path, `none` where there is no such route."""
        for pattern, template in self.by_first.get(first(path), ()):
            if pattern.match(path):
                return template
        return NONE


def first(path: str) -> str:
    """What a path begins with."""
    found = FIRST.match(path)
    return found[0] if found else ""


OFF, NETWORK, TEXT, JSON = "off", "network", "text", "json"
BITS = {4: 24, 6: 48}  # of an address that tell the network, and not who in it
LONGEST = 10_000  # characters of a query

requests = logging.getLogger("wgig.access")
queries = logging.getLogger("wgig.query")
service = logging.getLogger("wgig.serve")


class Logs:
    """The logs of requests and of queries, as the settings want them."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings."""
        self.follow(settings)

    def follow(self, settings: Settings) -> None:
        """Log as these settings want from now on."""
        self.settings = settings
        self.requests = settings.access_log != OFF
        self.queries = settings.query_log != OFF
        for log, wanted in ((requests, self.requests), (queries, self.queries)):
            log.setLevel(logging.INFO if wanted else logging.CRITICAL)

    def shown(self, client: str) -> str:
        """What is logged of the address of a client."""
        return network(client) if self.settings.access_log == NETWORK else client

    def request(self, **fields: Any) -> None:
        """Log a request."""
        requests.info("request", extra={"fields": fields})

    def query(self, text: str, **fields: Any) -> None:
        """Log a query by the digest of its text without space around; the text where a setting wants it."""
        text = text.strip()
        said = {"text": cut(text, LONGEST)} if self.settings.query_log == TEXT else {}
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        queries.info("query", extra={"fields": {"sha256": digest, **fields, **said}})


@lru_cache
def network(address: str) -> str:
    """The network of an address, in which many are; what is no address as it is."""
    try:
        version = ip_address(address).version
        return str(ip_network(f"{address}/{BITS[version]}", strict=False))
    except ValueError:
        return address


def begin(settings: Settings) -> None:
    """Let all logs of this process go to standard error, in the form that the settings want."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.log == JSON else Plain())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    service.setLevel(logging.INFO)
    logging.captureWarnings(True)


def say(sentence: str) -> None:
    """Log what people are told at the start and at the end."""
    service.info(sentence)


class Lines(logging.Formatter):
    """What both forms have: when, how bad, by whom, what, and the fields beside."""

    def members(self, record: logging.LogRecord) -> dict[str, Any]:
        """The members of a line. A mistake is told without its traceback unless we look for its cause."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        members = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and (error := record.exc_info[1]):
            members |= {"error": f"{type(error).__name__}: {error}", "at": place(error)}
            if os.environ.get("WGIG_DEBUG"):
                members["traceback"] = "".join(traceback.format_exception(error))
        return members


class JsonLines(Lines):
    """An object of JSON a line, in ASCII alone."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return json.dumps(self.members(record), default=str)


class Plain(Lines):
    """Words for people, then fields as `name=value`; a traceback is indented below."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        members = self.members(record)
        head = [members.pop(name) for name in ("time", "level", "logger", "message")]
        below = harmless(members.pop("traceback", "")).splitlines()
        pairs = [f"{name}={value(one)}" for name, one in members.items()]
        return "\n    ".join([one_line(" ".join([*head, *pairs])), *below])


def value(given: Any) -> str:
    """A value of a field: bare where it is one word, else in quotes, with what would end them escaped."""
    text = str(given)
    return (
        text
        if text and text.isascii() and not set(text) & set(' "=\\') and text.isprintable()
        else json.dumps(text)
    )


def place(error: BaseException) -> str:
    """Where an error was raised: file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""  # noqa: PTH119


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
