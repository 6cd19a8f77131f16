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
from ..text import flatten_untrusted_text, replace_control_characters, shorten_untrusted_text
from .fast_path import RawResponse
from .telemetry import KNOWN_METHODS, OTHER_METHOD, Metrics, Tracing, format_trace_id

NO_ROUTE = "none"
MAX_CACHED_PATHS = 1024  # paths whose template is remembered, which must be as many as are asked most
PATH_PREFIX_PATTERN = re.compile(r"/(?:\.?[\w-]+)?")  # what a path begins with, up to a parameter or a suffix


class RouteTemplates:
    """The templates of the paths of a service. The first that fits a path counts, as in the application."""

    def __init__(self, templates: Iterable[str]) -> None:
        """Take the templates, such as `/graph/{name:path}`."""
        self.patterns_by_prefix: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        for one in dict.fromkeys(templates):
            self.patterns_by_prefix.setdefault(path_prefix(one), []).append((compile_path(one)[0], one))
        self.template_of = lru_cache(MAX_CACHED_PATHS)(self.match_template)

    def match_template(self, path: str) -> str:
        """The template of a path, `none` where there is no such route."""
        for pattern, template in self.patterns_by_prefix.get(path_prefix(path), ()):
            if pattern.match(path):
                return template
        return NO_ROUTE


def path_prefix(path: str) -> str:
    """What a path begins with."""
    found = PATH_PREFIX_PATTERN.match(path)
    return found[0] if found else ""


LOG_OFF, LOG_CLIENT_NETWORK, LOG_QUERY_TEXT, LOG_FORMAT_JSON = "off", "network", "text", "json"
NETWORK_PREFIX_BITS = {4: 24, 6: 48}  # of an address that tell the network, and not who in it
MAX_LOGGED_QUERY_CHARACTERS = 10_000  # characters of a query

request_logger = logging.getLogger("wgig.access")
query_logger = logging.getLogger("wgig.query")
service_logger = logging.getLogger("wgig.serve")


class AccessLogs:
    """The logs of requests and of queries, as the settings want them."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings."""
        self.apply_settings(settings)

    def apply_settings(self, settings: Settings) -> None:
        """Log as these settings want from now on."""
        self.settings = settings
        self.logs_requests = settings.access_log != LOG_OFF
        self.logs_queries = settings.query_log != LOG_OFF
        for log, wanted in ((request_logger, self.logs_requests), (query_logger, self.logs_queries)):
            log.setLevel(logging.INFO if wanted else logging.CRITICAL)

    def format_client(self, client: str) -> str:
        """What is logged of the address of a client."""
        return address_network(client) if self.settings.access_log == LOG_CLIENT_NETWORK else client

    def log_request(self, **fields: Any) -> None:
        """Log a request."""
        request_logger.info("request", extra={"fields": fields})

    def log_query(self, text: str, **fields: Any) -> None:
        """Log a query by the digest of its text without space around; the text where a setting wants it."""
        text = text.strip()
        said = (
            {"text": shorten_untrusted_text(text, MAX_LOGGED_QUERY_CHARACTERS)}
            if self.settings.query_log == LOG_QUERY_TEXT
            else {}
        )
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        query_logger.info("query", extra={"fields": {"sha256": digest, **fields, **said}})


@lru_cache
def address_network(address: str) -> str:
    """The network of an address, in which many are; what is no address as it is."""
    try:
        version = ip_address(address).version
        return str(ip_network(f"{address}/{NETWORK_PREFIX_BITS[version]}", strict=False))
    except ValueError:
        return address


def configure_logging(settings: Settings) -> None:
    """Let all logs of this process go to standard error, in the form that the settings want."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLineFormatter() if settings.log == LOG_FORMAT_JSON else TextLineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    service_logger.setLevel(logging.INFO)
    logging.captureWarnings(True)


def log_service_message(sentence: str) -> None:
    """Log what people are told at the start and at the end."""
    service_logger.info(sentence)


class LineFormatter(logging.Formatter):
    """What both forms have: when, how bad, by whom, what, and the fields beside."""

    def line_members(self, record: logging.LogRecord) -> dict[str, Any]:
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
            members |= {"error": f"{type(error).__name__}: {error}", "at": error_location(error)}
            if os.environ.get("WGIG_DEBUG"):
                members["traceback"] = "".join(traceback.format_exception(error))
        return members


class JsonLineFormatter(LineFormatter):
    """An object of JSON a line, in ASCII alone."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return json.dumps(self.line_members(record), default=str)


class TextLineFormatter(LineFormatter):
    """Words for people, then fields as `name=value`; a traceback is indented below."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        members = self.line_members(record)
        head = [members.pop(name) for name in ("time", "level", "logger", "message")]
        below = replace_control_characters(members.pop("traceback", "")).splitlines()
        pairs = [f"{name}={format_log_value(one)}" for name, one in members.items()]
        return "\n    ".join([flatten_untrusted_text(" ".join([*head, *pairs])), *below])


def format_log_value(given: Any) -> str:
    """A value of a field: bare where it is one word, else in quotes, with what would end them escaped."""
    text = str(given)
    return (
        text
        if text and text.isascii() and not set(text) & set(' "=\\') and text.isprintable()
        else json.dumps(text)
    )


def error_location(error: BaseException) -> str:
    """Where an error was raised: file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""  # noqa: PTH119


REQUEST_RECORD_KEY = "wgig.noted"  # what the scope calls it
REQUEST_ID_FIELD, TRACEPARENT_FIELD = b"x-request-id", b"traceparent"
REQUEST_ID_PATTERN = re.compile(rb"[\w.:+/=@-]{1,128}", re.ASCII)
TRACEPARENT_PATTERN = re.compile(
    r"(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-[\da-f]{2}(?:-.*)?"
)
# The status in logs and figures of a request whose client went away before its answer.
CLIENT_CLOSED_STATUS = 499

REQUEST_ID_FORMAT = secrets.token_hex(6).encode() + b"-%08x"
request_numbers = itertools.count()


@dataclass(slots=True)
class RequestRecord:
    """A request. `trace` is the id of its trace, `started_at` a time of the performance counter.

    `is_complete` tells whether all of the answer went out, `size` the bytes of its body so far.
    """

    id: str
    route: str
    method: str
    client: str
    started_at: float
    trace: str = ""
    status: int = CLIENT_CLOSED_STATUS
    size: int = 0
    is_complete: bool = False


@dataclass(frozen=True)
class Telemetry:
    """Where a service tells what it does: metrics, logs, and traces if there are any."""

    metrics: Metrics
    logs: AccessLogs
    tracing: Tracing | None = None


class RequestRecorder:
    """Takes notes of requests, for figures, logs and traces."""

    def __init__(self, telemetry: Telemetry, routing: RouteTemplates) -> None:
        """Take where notes go, and how routes are told."""
        self.metrics, self.logs, self.tracing = telemetry.metrics, telemetry.logs, telemetry.tracing
        self.route_templates = routing

    def start(self, scope: Scope) -> RequestRecord:
        """A request that begins."""
        client = scope.get("client")
        noted = RequestRecord(
            "",
            self.route_templates.template_of(scope["path"]),
            scope["method"],
            client[0] if client else "",
            time.perf_counter(),
        )
        for name, value in scope["headers"]:
            if name == REQUEST_ID_FIELD and not noted.id and REQUEST_ID_PATTERN.fullmatch(value):
                noted.id = value.decode("ascii")
            elif name == TRACEPARENT_FIELD and (
                found := TRACEPARENT_PATTERN.fullmatch(value.decode("latin-1"))
            ):
                noted.trace = found[1]
        noted.id = noted.id or make_request_id().decode()
        return noted

    def finish(self, noted: RequestRecord) -> None:
        """A request whose answer is out, or never will be."""
        seconds = time.perf_counter() - noted.started_at
        self.metrics.get_tally(noted.route, noted.method, noted.status).add(seconds)
        if self.logs.logs_requests:
            self.log(noted, seconds)

    def record_raw_response(self, known: RawResponse, id_: bytes, client: str, began: float) -> None:
        """A request that was answered from memory at once, which takes less than a note of it."""
        seconds = time.perf_counter() - began
        known.tally.add(seconds)
        self.metrics.cache_hits += 1
        if self.tracing:
            said = {"http.route": known.route, "http.response.status_code": known.status}
            self.tracing.record_past_span(f"GET {known.route}", began, attributes=said)
        if self.logs.logs_requests:
            route, status, size = known.route, known.status, known.size
            self.log(
                RequestRecord(id_.decode(), route, "GET", client, began, "", status, size, True), seconds
            )

    def log(self, noted: RequestRecord, seconds: float) -> None:
        """Log a request that took so long."""
        self.logs.log_request(
            method=noted.method,
            route=noted.route,
            status=noted.status,
            bytes=noted.size,
            milliseconds=round(1000 * seconds, 3),
            client=self.logs.format_client(noted.client),
            id=noted.id,
            **({"trace": noted.trace} if noted.trace else {}),
            **({} if noted.is_complete else {"whole": False}),
        )

    def record_refusal(self, status: int, client: str) -> None:
        """What was no request was refused."""
        self.finish(
            RequestRecord(
                make_request_id().decode(),
                NO_ROUTE,
                NO_ROUTE,
                client,
                time.perf_counter(),
                status=status,
                is_complete=True,
            )
        )


class RequestLogMiddleware:
    """ASGI middleware: takes notes of each request, and gives its answer the id."""

    def __init__(self, app: ASGIApp, notes: RequestRecorder) -> None:
        """Watch `app`."""
        self.app, self.recorder = app, notes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note what comes of it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        noted = scope[REQUEST_RECORD_KEY] = self.recorder.start(scope)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                noted.status = message["status"]
                message = {**message, "headers": [*message["headers"], (REQUEST_ID_FIELD, noted.id.encode())]}
            else:
                noted.size += len(message.get("body", b""))
                noted.is_complete = not message.get("more_body", False)
            await send(message)

        try:
            if self.recorder.tracing:
                await self.call_traced(self.recorder.tracing, scope, receive, watched)
            else:
                await self.app(scope, receive, watched)
        finally:
            self.recorder.finish(noted)

    async def call_traced(self, tracing: Tracing, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with a span around."""
        noted: RequestRecord = scope[REQUEST_RECORD_KEY]
        method = noted.method if noted.method in KNOWN_METHODS else OTHER_METHOD
        with tracing.request_span(method, noted.route, scope["headers"]) as span:
            noted.trace = format_trace_id(span)
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


def make_request_id() -> bytes:
    """An id that no other request has. It is no secret."""
    return REQUEST_ID_FORMAT % next(request_numbers)
