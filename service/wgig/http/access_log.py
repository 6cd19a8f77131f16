"""Request log and query log: request IDs, the outcome and duration of each request, the log formats.

The ASGI middleware sets X-Request-Id in each response, to the ID that the client sent if that is valid. It
continues the trace of the `traceparent` header. Status 499 means that the client disconnected before the
response. Metrics and traces use the same records.

A log line is plain text or one JSON object, and untrusted content cannot break it. By default nothing links
clients to their requests: both logs are off. The settings can cut addresses to their network (IPv4 /24, IPv6
/48), and log queries only by the SHA-256 of their text. A request is logged with the template of its route,
not with its path, so that the number of metrics is bounded.
"""

import hashlib
import itertools
import json
import logging
import os
import re
import secrets
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
from .log_writer import DirectLogHandler, LogWriter
from .telemetry import KNOWN_METHODS, OTHER_METHOD, Metrics, Tracing, format_trace_id

NO_ROUTE = "none"  # in metrics, also the method of data that is not valid HTTP
MAX_CACHED_PATHS = 1024  # paths whose template is cached; enough for the most frequent paths
PATH_PREFIX_PATTERN = re.compile(r"/(?:\.?[\w-]+)?")  # the first segment, without parameter and suffix


class RouteTemplates:
    """The route templates of the service. The first one that matches a path wins, as in the application."""

    def __init__(self, templates: Iterable[str]) -> None:
        """Compile templates such as `/graph/{name:path}`."""
        self.patterns_by_prefix: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        for template in dict.fromkeys(templates):
            pattern = compile_path(template)[0]
            self.patterns_by_prefix.setdefault(path_prefix(template), []).append((pattern, template))
        self.template_of = lru_cache(MAX_CACHED_PATHS)(self.match_template)

    def match_template(self, path: str) -> str:
        """The template of a path; `none` if no route matches."""
        for pattern, template in self.patterns_by_prefix.get(path_prefix(path), ()):
            if pattern.match(path):
                return template
        return NO_ROUTE


def path_prefix(path: str) -> str:
    """The first segment of a path or template without its suffix, such as `/dump` for `/dump.{suffix}`."""
    match = PATH_PREFIX_PATTERN.match(path)
    return match[0] if match else ""


LOG_OFF, LOG_CLIENT_NETWORK, LOG_QUERY_TEXT, LOG_FORMAT_JSON = "off", "network", "text", "json"
NETWORK_PREFIX_BITS = {4: 24, 6: 48}  # bits of an address that identify the network
MAX_LOGGED_QUERY_CHARACTERS = 10_000

request_logger = logging.getLogger("wgig.access")
query_logger = logging.getLogger("wgig.query")
service_logger = logging.getLogger("wgig.serve")


class AccessLogs:
    """The logs of requests and queries, configured by the settings."""

    def __init__(self, settings: Settings) -> None:
        """Configure the logs."""
        self.apply_settings(settings)

    def apply_settings(self, settings: Settings) -> None:
        """Configure the logs again, after a reload of the settings."""
        self.settings = settings
        self.logs_requests = settings.access_log != LOG_OFF
        self.logs_queries = settings.query_log != LOG_OFF
        for logger, is_enabled in ((request_logger, self.logs_requests), (query_logger, self.logs_queries)):
            logger.setLevel(logging.INFO if is_enabled else logging.CRITICAL)

    def format_client(self, client: str) -> str:
        """The address of a client as it is logged: the full address, or only its network."""
        return address_network(client) if self.settings.access_log == LOG_CLIENT_NETWORK else client

    def log_request(self, **fields: Any) -> None:
        """Log a request."""
        request_logger.info("request", extra={"fields": fields})

    def log_query(self, query: str, **fields: Any) -> None:
        """Log a query by the SHA-256 of its stripped text; with the text, if WGIG_QUERY_LOG is `text`."""
        query = query.strip()
        text_field = (
            {"text": shorten_untrusted_text(query, MAX_LOGGED_QUERY_CHARACTERS)}
            if self.settings.query_log == LOG_QUERY_TEXT
            else {}
        )
        digest = hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest()
        query_logger.info("query", extra={"fields": {"sha256": digest, **fields, **text_field}})


@lru_cache
def address_network(address: str) -> str:
    """The network of an IP address; other text is returned unchanged."""
    try:
        version = ip_address(address).version
        return str(ip_network(f"{address}/{NETWORK_PREFIX_BITS[version]}", strict=False))
    except ValueError:
        return address


def configure_logging(settings: Settings, *, forks: bool = False) -> None:
    """Send all logs of this process to standard error, in the format of the settings.

    With `forks`, no thread writes them, so that other processes can be forked at any time.
    """
    root = logging.getLogger()
    kind = DirectLogHandler if forks else LogWriter
    writers = [handler for handler in root.handlers if type(handler) is kind] or [kind()]
    writers[0].setFormatter(JsonLineFormatter() if settings.log == LOG_FORMAT_JSON else TextLineFormatter())
    root.handlers[:] = writers
    root.setLevel(logging.WARNING)
    service_logger.setLevel(logging.INFO)
    logging.captureWarnings(True)


def log_service_message(message: str) -> None:
    """Log a message about the start or stop of the service."""
    service_logger.info(message)


class LineFormatter(logging.Formatter):
    """Base of both formats: time, level, logger, message, and extra fields."""

    def line_members(self, record: logging.LogRecord) -> dict[str, Any]:
        """The members of a log line. An error has a traceback only if WGIG_DEBUG is set."""
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
    """One JSON object per line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """The log line of a record."""
        return json.dumps(self.line_members(record), default=str)


class TextLineFormatter(LineFormatter):
    """Plain text, then fields as `name=value`; a traceback is indented on the following lines.

    A message of `log_service_message` is formatted as by the other commands: `wgig: Stopped.`
    """

    def format(self, record: logging.LogRecord) -> str:
        """The log line of a record."""
        if record.name == service_logger.name:
            return f"wgig: {flatten_untrusted_text(record.getMessage())}"
        members = self.line_members(record)
        head = [members.pop(name) for name in ("time", "level", "logger", "message")]
        traceback_lines = replace_control_characters(members.pop("traceback", "")).splitlines()
        pairs = [f"{name}={format_log_value(value)}" for name, value in members.items()]
        return "\n    ".join([flatten_untrusted_text(" ".join([*head, *pairs])), *traceback_lines])


def format_log_value(value: Any) -> str:
    """The text of a field value: unchanged if it is one ASCII word, else as a JSON string."""
    text = str(value)
    return (
        text
        if text and text.isascii() and not set(text) & set(' "=\\') and text.isprintable()
        else json.dumps(text)
    )


def error_location(error: BaseException) -> str:
    """`file:line` where an error was raised; empty without a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""  # noqa: PTH119


REQUEST_RECORD_KEY = "wgig.record"  # key of the RequestRecord in the ASGI scope
REQUEST_ID_FIELD, TRACEPARENT_FIELD = b"x-request-id", b"traceparent"
REQUEST_ID_PATTERN = re.compile(rb"[\w.:+/=@-]{1,128}", re.ASCII)
TRACEPARENT_PATTERN = re.compile(
    r"(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-[\da-f]{2}(?:-.*)?"
)
# The status in logs and metrics if the client disconnected before the response.
CLIENT_CLOSED_STATUS = 499


class RequestIdCounter:
    """Makes request IDs: a random prefix for each process, and a number."""

    def __init__(self) -> None:
        """Choose a prefix, for this process and those forked from it until they call `restart`."""
        self.restart()

    def restart(self) -> None:
        """Choose another prefix, and start again with number 0."""
        self.format = secrets.token_hex(6).encode() + b"-%08x"
        self.numbers = itertools.count()

    def make_id(self) -> bytes:
        """A new unique request ID."""
        return self.format % next(self.numbers)


request_ids = RequestIdCounter()


@dataclass(slots=True)
class RequestRecord:
    """What is logged and measured about a request.

    `trace` is the trace ID, `started_at` a value of `time.perf_counter()`, `size` the number of bytes of the
    response body sent so far. `is_complete`: all of the response was sent.
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
    """The metrics and logs of the service, and its traces, if enabled."""

    metrics: Metrics
    logs: AccessLogs
    tracing: Tracing | None = None


class RequestRecorder:
    """Records requests for metrics, logs and traces."""

    def __init__(self, telemetry: Telemetry, route_templates: RouteTemplates) -> None:
        """Record in `telemetry`; `route_templates` has the route of each path."""
        self.metrics, self.logs, self.tracing = telemetry.metrics, telemetry.logs, telemetry.tracing
        self.route_templates = route_templates

    def start(self, scope: Scope) -> RequestRecord:
        """The record of a request at its start."""
        client = scope.get("client")
        record = RequestRecord(
            "",
            self.route_templates.template_of(scope["path"]),
            scope["method"],
            client[0] if client else "",
            time.perf_counter(),
        )
        for name, value in scope["headers"]:
            if name == REQUEST_ID_FIELD and not record.id and REQUEST_ID_PATTERN.fullmatch(value):
                record.id = value.decode("ascii")
            elif name == TRACEPARENT_FIELD and (
                match := TRACEPARENT_PATTERN.fullmatch(value.decode("latin-1"))
            ):
                record.trace = match[1]
        record.id = record.id or make_request_id().decode()
        return record

    def finish(self, record: RequestRecord) -> None:
        """Measure and log a request after its response, or after the client disconnected."""
        seconds = time.perf_counter() - record.started_at
        self.metrics.get_tally(record.route, record.method, record.status).add(seconds)
        if self.logs.logs_requests:
            self.log(record, seconds)

    def record_raw_response(
        self, response: RawResponse, id_: bytes, client: str, started_at: float, *, is_cached: bool
    ) -> None:
        """Measure and log a request that the server answered without the middleware.

        A RequestRecord is made only if requests are logged, to save its cost.
        """
        seconds = time.perf_counter() - started_at
        response.tally.add(seconds)
        self.metrics.cache_hits += is_cached
        if self.tracing:
            attributes = {"http.route": response.route, "http.response.status_code": response.status}
            self.tracing.record_past_span(f"GET {response.route}", started_at, attributes=attributes)
        if self.logs.logs_requests:
            route, status, size = response.route, response.status, response.size
            self.log(
                RequestRecord(id_.decode(), route, "GET", client, started_at, "", status, size, True), seconds
            )

    def log(self, record: RequestRecord, seconds: float) -> None:
        """Log a request with its duration in seconds."""
        self.logs.log_request(
            method=record.method,
            route=record.route,
            status=record.status,
            bytes=record.size,
            milliseconds=round(1000 * seconds, 3),
            client=self.logs.format_client(record.client),
            id=record.id,
            **({"trace": record.trace} if record.trace else {}),
            **({} if record.is_complete else {"whole": False}),
        )

    def record_refusal(self, status: int, client: str) -> None:
        """Measure and log the refusal of bytes that are not a valid HTTP request."""
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
    """ASGI middleware that records each request, and adds X-Request-Id to its response."""

    def __init__(self, app: ASGIApp, recorder: RequestRecorder) -> None:
        """Wrap `app`."""
        self.app, self.recorder = app, recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record a request while `app` handles it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        record = scope[REQUEST_RECORD_KEY] = self.recorder.start(scope)

        async def send_recorded(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                message = {
                    **message,
                    "headers": [*message["headers"], (REQUEST_ID_FIELD, record.id.encode())],
                }
            else:
                record.size += len(message.get("body", b""))
                record.is_complete = not message.get("more_body", False)
            await send(message)

        try:
            if self.recorder.tracing:
                await self.call_traced(self.recorder.tracing, scope, receive, send_recorded)
            else:
                await self.app(scope, receive, send_recorded)
        finally:
            self.recorder.finish(record)

    async def call_traced(self, tracing: Tracing, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request inside a span."""
        record: RequestRecord = scope[REQUEST_RECORD_KEY]
        method = record.method if record.method in KNOWN_METHODS else OTHER_METHOD
        with tracing.request_span(method, record.route, scope["headers"]) as span:
            record.trace = format_trace_id(span)
            try:
                await self.app(scope, receive, send)
            finally:
                span.set_attributes(
                    {
                        "http.response.status_code": record.status,
                        "http.response.body.size": record.size,
                        "wgig.request.id": record.id,
                    }
                )


def make_request_id() -> bytes:
    """A new unique request ID. IDs are numbered, so they are not secret."""
    return request_ids.make_id()
