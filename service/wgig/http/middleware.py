"""Middleware for every request: request validation, CORS, security headers, CSP, upload budget, fast routes.

An unexpected exception becomes a 500 without details. Scripts of any origin may read responses, browsers do
not sniff content types, and the Content-Security-Policy lets a page load only styles, images and scripts of
this service. Malformed hosts (RFC 9110, section 7.2), unsupported transfer codings (RFC 9112, section 6.1)
and targets over 32 KiB are refused, and the connection is closed.

The upload budget limits the memory of all request bodies together. The first 64 KiB of each body are not
counted, so that large uploads do not block queries. The most requested paths bypass FastAPI, which takes
longer than their handlers.
"""

import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from ipaddress import IPv6Address

from fastapi import Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..i18n import PAGE_LANGUAGES, gettext_noop
from ..problems import Problem, build_sentence
from .access_log import REQUEST_RECORD_KEY, make_request_id
from .auth import LEAKED_TOKEN_DETAIL, MISPLACED_TOKEN_HEADERS, has_token_in_query
from .fast_path import RAW_REQUEST_KEY
from .language import LanguageContext, address_in_language, language_context
from .responses import ResponseAbortedError

# The first bytes of each body, which are not counted, so that large uploads do not block queries.
FREE_BODY_BYTES = 64 * 1024


class UploadBudget:
    """The memory, in bytes, that all request bodies may use together; see FREE_BODY_BYTES."""

    def __init__(self, max_bytes: int) -> None:
        """Start with all bytes free."""
        self.free_bytes = max_bytes

    def open_reservation(self) -> "UploadReservation":
        """An empty reservation for one request."""
        return UploadReservation(self)


class UploadReservation:
    """The bytes of the budget that one request uses."""

    def __init__(self, budget: UploadBudget) -> None:
        """Start with no bytes."""
        self.budget = budget
        self.size_bytes = 0

    def take(self, size: int) -> None:
        """Reserve `size` more bytes. Raises Problem 503 if the budget is exhausted."""
        extra = max(0, self.size_bytes + size - FREE_BODY_BYTES) - max(0, self.size_bytes - FREE_BODY_BYTES)
        if extra > self.budget.free_bytes:
            raise Problem(
                503,
                "Too many uploads are in progress. This request was not carried out; try again soon.",
                headers={"Retry-After": "10"},
            )
        self.budget.free_bytes -= extra
        self.size_bytes += size

    def release(self) -> None:
        """Return all bytes to the budget."""
        self.budget.free_bytes += max(0, self.size_bytes - FREE_BODY_BYTES)
        self.size_bytes = 0


MAX_TARGET_BYTES = 32 * 1024  # of path and query string together

# Pages load only styles, images and scripts of this service, and their scripts and forms send requests only
# to it. Inline scripts do not run. Other responses cannot be used as scripts, as content types are not
# sniffed.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

# Response headers that scripts of other origins may read.
EXPOSED_HEADERS = (
    "Accept-Ranges, Content-Language, Content-Location, Content-Profile, Content-Range, ETag, Link, "
    "Location, Memento-Datetime, RateLimit, RateLimit-Policy, Repr-Digest, Retry-After, WGIG-Warning, "
    "X-Request-Id"
)

CLOSE_HEADER = (b"connection", b"close")  # after an invalid request, as more data cannot be trusted
HOST_PATTERN = re.compile(rb"(?:[\w.-]*|\[(?P<address>[0-9A-Fa-f:.]+)\])(?::(?P<port>\d{0,5}))?")

log = logging.getLogger("wgig")


class RequestGuardMiddleware:
    """ASGI middleware: validates requests, and sets security headers.

    It also turns exceptions into a 500 without details, and counts request bodies against the upload budget.
    """

    def __init__(self, app: ASGIApp, base: str, budget: UploadBudget) -> None:
        """Wrap `app`; `base` is the base IRI of the graph, for problem documents."""
        self.app = app
        self.base = base
        self.budget = budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Validate a request, and pass it to `app`."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_started = False

        async def send_secured(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                set_security_headers(MutableHeaders(scope=message))
            await send(message)

        reservation = self.budget.open_reservation()

        async def receive_counted() -> Message:
            message = await receive()
            reservation.take(len(message.get("body", b"")))
            return message

        if problem := next(iter_request_problems(scope), None):
            await send_problem(self.base, scope, send_secured, problem, CLOSE_HEADER)
            return
        try:
            await self.app(scope, receive_counted, send_secured)
        except ClientDisconnect:  # no response can be sent
            log.info("the client of %s %s disconnected", scope["method"], scope["path"])
        except ResponseAbortedError as error:
            log.info("%s %s: %s", scope["method"], scope["path"], error)
            raise
        except Exception:
            request_id = (
                scope[REQUEST_RECORD_KEY].id if REQUEST_RECORD_KEY in scope else make_request_id().decode()
            )
            log.exception("request %s failed: %s %s", request_id, scope["method"], scope["path"])
            if is_started:  # a partial response must not look complete
                raise
            detail = [
                build_sentence(gettext_noop("The service failed.")),
                build_sentence(
                    gettext_noop("Report this error with the number %(number)s."), number=request_id
                ),
            ]
            await send_problem(self.base, scope, send_secured, Problem(500, detail), CLOSE_HEADER)
        finally:
            reservation.release()


async def send_problem(
    base: str, scope: Scope, send: Send, problem: Problem, *extra_headers: tuple[bytes, bytes]
) -> None:
    """Send a problem document from middleware, with additional header fields."""
    members = problem.document(base, scope["raw_path"].decode("latin-1"))
    body = json.dumps(members, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
        *extra_headers,
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def iter_request_problems(scope: Scope) -> Iterator[Problem]:
    """The problems that make a request invalid for every route."""
    headers = Headers(scope=scope)
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET_BYTES:
        yield Problem(414, "The address is too long. Send the query in the body of a POST request.")
    if has_token_in_query(scope["query_string"]):
        yield Problem(400, LEAKED_TOKEN_DETAIL.format(where="URL"), headers=MISPLACED_TOKEN_HEADERS)
    if scope["http_version"] == "1.1" and len(hosts) != 1:
        yield Problem(400, "An HTTP/1.1 request must have exactly one Host header. Send one.")
    if not all(map(is_host_field, hosts)):
        yield Problem(
            400, "The Host header is invalid. Send a host name or IP address, with or without a port."
        )
    if transfer_codings(headers) not in ([], ["chunked"]):
        yield Problem(
            400, "The body has an unsupported transfer coding. Send it chunked, or without a transfer coding."
        )
    if is_upgrade_with_body(headers):
        yield Problem(
            400, "Protocol upgrades are not supported. Send the request without the Upgrade header."
        )


def is_host_field(value: bytes) -> bool:
    """Whether a Host header is valid (RFC 9110, section 7.2): a name or IP address, and optionally a port."""
    match = HOST_PATTERN.fullmatch(value)
    if match is None or int(match["port"] or 0) >= 2**16:
        return False
    try:
        return match["address"] is None or bool(IPv6Address(match["address"].decode()))
    except ValueError:
        return False


def transfer_codings(headers: Headers) -> list[str]:
    """The transfer codings of a body (RFC 9112, section 6.1)."""
    return [
        coding.strip().lower()
        for field in headers.getlist("transfer-encoding")
        for coding in field.split(",")
    ]


def is_upgrade_with_body(headers: Headers) -> bool:
    """Whether the HTTP server would treat the body as data of another protocol, so that it would be lost."""
    return "upgrade" in headers and ("content-length" in headers or "transfer-encoding" in headers)


def set_security_headers(headers: MutableHeaders) -> None:
    """Set the headers for CORS (any origin) and against content sniffing; for pages, also the CSP."""
    content_type = headers.get("content-type", "")
    headers["X-Content-Type-Options"] = "nosniff"
    if content_type.startswith(("text/css", "text/javascript")):
        return  # only our own pages load them, at 290 bytes less each
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    if content_type.startswith("text/html"):
        # The preview of a resource in reconciliation may be framed by other sites, and sets another policy.
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        headers["Referrer-Policy"] = "same-origin"


LANGUAGE_COOKIE = "lang"
PAGE_LANGUAGES_REGEX = "|".join(PAGE_LANGUAGES).encode()
LANGUAGE_IN_QUERY_PATTERN = re.compile(rb"(?:^|(?<=&))_lang=(%s)(?:&|$)" % PAGE_LANGUAGES_REGEX)
HTML_IN_QUERY_PATTERN = re.compile(rb"(?:^|&)_mediatype=[^&]*html", re.IGNORECASE)
LANGUAGE_COOKIE_PATTERN = re.compile(rb"(?:^|;)\s*lang=(%s)\s*(?=;|$)" % PAGE_LANGUAGES_REGEX)
SET_LANGUAGE_COOKIE = f"{LANGUAGE_COOKIE}=%s; Path=/; Max-Age={365 * 24 * 3600}; HttpOnly; SameSite=Lax"


class LanguageMiddleware:
    """ASGI middleware: puts the language of `_lang` or the cookie first in Accept-Language."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the language context of a request. Pages store the language of `_lang`, redirects keep it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        match = LANGUAGE_IN_QUERY_PATTERN.search(scope["query_string"])
        language = match[1] if match else read_language_cookie(scope)
        if language:
            scope = put_language_first(scope, language)
        language_context.set(LanguageContext(scope, is_chosen=bool(match)))
        if not match:
            return await self.app(scope, receive, send)

        chosen_language = match[1].decode()

        async def send_with_language(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(scope=message)
                if fields.get("content-type", "").startswith("text/html"):
                    fields.append("Set-Cookie", SET_LANGUAGE_COOKIE % chosen_language)
                elif message["status"] >= 300 and "location" in fields:
                    fields["Location"] = address_in_language(chosen_language, fields["location"])
            await send(message)

        return await self.app(scope, receive, send_with_language)


def read_language_cookie(scope: Scope) -> bytes | None:
    """The language in the cookie; None if it has none, or the request is not for a page."""
    fields = Headers(scope=scope)
    if "cookie" not in fields or not may_accept_page(scope, fields):
        return None
    match = LANGUAGE_COOKIE_PATTERN.search("; ".join(fields.getlist("cookie")).encode("latin-1"))
    return match[1] if match else None


def may_accept_page(scope: Scope, fields: Headers) -> bool:
    """Whether Accept, the suffix of the path or `_mediatype` names HTML, maybe among other formats."""
    return (
        "text/html" in ", ".join(fields.getlist("accept")).lower()
        or scope["path"].endswith(".html")
        or HTML_IN_QUERY_PATTERN.search(scope["query_string"]) is not None
    )


def put_language_first(scope: Scope, language: bytes) -> Scope:
    """The request with a language first in Accept-Language, without `_lang` and the cookie.

    The raw bytes of the request are removed from the scope, too, so that `fast_path` does not cache the
    response.
    """
    accept_language = (b"accept-language", language)
    fields = [pair for pair in scope["headers"] if pair[0] != b"cookie"]
    query = LANGUAGE_IN_QUERY_PATTERN.sub(b"", scope["query_string"], count=1).rstrip(b"&")
    changed = {"headers": [accept_language, *fields], "query_string": query}
    return {key: value for key, value in scope.items() if key != RAW_REQUEST_KEY} | changed


RouteHandler = Callable[[Request], Awaitable[Response]]


class FastRouteMiddleware:
    """ASGI middleware: calls the handlers of certain methods and paths directly, without FastAPI.

    `render_error` makes the response to an exception of the classes in `errors`.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the tables of handlers, and what they need
        self,
        app: ASGIApp,
        handlers: Mapping[tuple[str, str], RouteHandler],
        plain_handlers: Mapping[tuple[str, str], RouteHandler],
        find_template: Callable[[str], str],
        errors: tuple[type[Exception], ...],
        render_error: Callable[[Request, Exception], Response],
    ) -> None:
        """Wrap `app`; `handlers` are by method and path.

        `plain_handlers`, of requests without a query string, are by method and template of the path, such as
        `/doc/{path:path}`, which `find_template` returns.
        """
        self.app, self.handlers, self.plain_handlers = app, handlers, plain_handlers
        self.find_template, self.errors, self.render_error = find_template, errors, render_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the handler of a request, or `app` if it has none."""
        handler = self.find_handler(scope) if scope["type"] == "http" else None
        if handler is None:
            return await self.app(scope, receive, send)
        request = Request(scope, receive)
        try:
            response = await handler(request)
        except self.errors as error:
            response = self.render_error(request, error)
        return await response(scope, receive, send)

    def find_handler(self, scope: Scope) -> RouteHandler | None:
        """The handler of a request; None if it has none."""
        method, path = scope["method"], scope["path"]
        handler = self.handlers.get((method, path))
        if handler is None and not scope["query_string"]:
            return self.plain_handlers.get((method, self.find_template(path)))
        return handler
