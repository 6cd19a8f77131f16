"""Middleware for every request: request validation, CORS, security headers, CSP, upload budget, fast routes.

An unexpected exception becomes a 500 without details. Scripts of any origin may read responses, content is
not sniffed, and the Content-Security-Policy lets a page load its own styles, images and scripts only.
Malformed hosts (RFC 9110, section 7.2), transfer codings that cannot be read (RFC 9112, section 6.1) and
targets over 32 KiB are refused, and the connection is closed.

The upload budget bounds the bytes that the bodies of all requests under way hold together; each may hold 64
KiB anyway, so that large uploads do not keep out a query. The most requested paths are routed around FastAPI,
which takes longer than their handlers do.
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

from ..i18n import PAGE_LANGUAGES
from ..problems import Problem
from .access_log import REQUEST_RECORD_KEY, make_request_id
from .auth import LEAKED_TOKEN_DETAIL, MISPLACED_TOKEN_HEADERS, has_token_in_query
from .fast_path import RAW_REQUEST_KEY
from .language import LanguageContext, language_context
from .responses import ResponseAbortedError

# Bytes that each request may hold anyway, so that large ones do not keep out a query.
FREE_BODY_BYTES = 64 * 1024


class UploadBudget:
    """Room for so many bytes, of which requests take and give back."""

    def __init__(self, total: int) -> None:
        """Nothing is taken yet."""
        self.free_bytes = total

    def open_reservation(self) -> "UploadReservation":
        """What one request will hold."""
        return UploadReservation(self)


class UploadReservation:
    """The bytes of one request."""

    def __init__(self, room: UploadBudget) -> None:
        """Hold nothing yet."""
        self.budget = room
        self.size_bytes = 0

    def take(self, size: int) -> None:
        """Hold so many bytes more. Raises Problem 503 where there is no room for them."""
        more = max(0, self.size_bytes + size - FREE_BODY_BYTES) - max(0, self.size_bytes - FREE_BODY_BYTES)
        if more > self.budget.free_bytes:
            raise Problem(
                503,
                "Too much is being uploaded at this moment. Nothing of this was done; try again soon.",
                headers={"Retry-After": "10"},
            )
        self.budget.free_bytes -= more
        self.size_bytes += size

    def release(self) -> None:
        """Hold nothing any more."""
        self.budget.free_bytes += max(0, self.size_bytes - FREE_BODY_BYTES)
        self.size_bytes = 0


MAX_TARGET_BYTES = 32 * 1024  # bytes of path and query string

# A page loads its own styles, pictures and scripts, and its scripts and forms ask this service alone.
# Nothing that stands in a page itself runs. What the service answers is no script by its type, and nobody
# guesses it.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

EXPOSED_HEADERS = (
    "Accept-Ranges, Content-Language, Content-Location, Content-Profile, Content-Range, ETag, Link, "
    "Location, Memento-Datetime, RateLimit, RateLimit-Policy, Repr-Digest, Retry-After, WGIG-Warning, "
    "X-Request-Id"
)

CLOSE_HEADER = (b"connection", b"close")  # as nothing that comes can be trusted any more
HOST_PATTERN = re.compile(rb"(?:[\w.-]*|\[(?P<address>[0-9A-Fa-f:.]+)\])(?::(?P<port>\d{0,5}))?")

log = logging.getLogger("wgig")


class RequestGuardMiddleware:
    """ASGI middleware: turns bugs into a silent 500, opens answers to scripts, sets safety headers.

    It also bounds what all requests together hold.
    """

    def __init__(self, app: ASGIApp, base: str, room: UploadBudget) -> None:
        """Watch over `app`; `base` is the base IRI of the graph, `room` is for the bodies of requests."""
        self.app = app
        self.base = base
        self.budget = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and watch over its response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                set_security_headers(MutableHeaders(scope=message))
            await send(message)

        held = self.budget.open_reservation()

        async def counted() -> Message:
            message = await receive()
            held.take(len(message.get("body", b"")))
            return message

        if fault := next(iter_request_problems(scope), None):
            await send_problem(self.base, scope, watched, fault, CLOSE_HEADER)
            return
        try:
            await self.app(scope, counted, watched)
        except ClientDisconnect:  # nobody is left to answer
            log.info("the client of %s %s went away", scope["method"], scope["path"])
        except ResponseAbortedError as error:
            log.info("%s %s: %s", scope["method"], scope["path"], error)
            raise
        except Exception:
            request_id = (
                scope[REQUEST_RECORD_KEY].id if REQUEST_RECORD_KEY in scope else make_request_id().decode()
            )
            log.exception("request %s failed: %s %s", request_id, scope["method"], scope["path"])
            if started:  # half an answer must not look whole
                raise
            sentence = f"The service made a mistake. Report it with this number: {request_id}."
            await send_problem(self.base, scope, watched, Problem(500, sentence), CLOSE_HEADER)
        finally:
            held.release()


async def send_problem(
    base: str, scope: Scope, send: Send, problem: Problem, *more: tuple[bytes, bytes]
) -> None:
    """Say no where nothing of the application is asked, with these header fields beside."""
    members = problem.document(base, scope["raw_path"].decode("latin-1"))
    body = json.dumps(members, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
        *more,
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def iter_request_problems(scope: Scope) -> Iterator[Problem]:
    """What is wrong with a request whatever it asks for."""
    headers = Headers(scope=scope)
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET_BYTES:
        yield Problem(414, "The address is too long. Send the query in the body of a POST.")
    if has_token_in_query(scope["query_string"]):
        yield Problem(400, LEAKED_TOKEN_DETAIL.format(where="address"), headers=MISPLACED_TOKEN_HEADERS)
    if scope["http_version"] == "1.1" and len(hosts) != 1:
        yield Problem(400, "A request by HTTP/1.1 has one Host field. Send it.")
    if not all(map(is_host_field, hosts)):
        yield Problem(400, "The Host field names no host. Send a name or an address, with a port or without.")
    if transfer_codings(headers) not in ([], ["chunked"]):
        yield Problem(
            400, "The body has a transfer coding that is not read here. Send it chunked, or as it is."
        )
    if is_upgrade_with_body(headers):
        yield Problem(
            400, "The request asks for an upgrade, which is not done here. Send it without Upgrade."
        )


def is_host_field(value: bytes) -> bool:
    """Whether a Host field may stand in addresses (RFC 9110, section 7.2): a name or address, and a port."""
    found = HOST_PATTERN.fullmatch(value)
    if found is None or int(found["port"] or 0) >= 2**16:
        return False
    try:
        return found["address"] is None or bool(IPv6Address(found["address"].decode()))
    except ValueError:
        return False


def transfer_codings(headers: Headers) -> list[str]:
    """The transfer codings of a body (RFC 9112, section 6.1)."""
    return [one.strip().lower() for field in headers.getlist("transfer-encoding") for one in field.split(",")]


def is_upgrade_with_body(headers: Headers) -> bool:
    """Whether the server takes what follows for another protocol, and so gives us no body that was sent."""
    return "upgrade" in headers and ("content-length" in headers or "transfer-encoding" in headers)


def set_security_headers(headers: MutableHeaders) -> None:
    """Scripts of any origin may read the answer, nothing is sniffed, a page loads nothing from elsewhere."""
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    headers["X-Content-Type-Options"] = "nosniff"
    if headers.get("content-type", "").startswith("text/html"):
        # One page may stand in those of others.
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        headers["Referrer-Policy"] = "same-origin"


LANGUAGE_COOKIE = "lang"
PAGE_LANGUAGES_PATTERN = "|".join(PAGE_LANGUAGES).encode()
LANGUAGE_IN_QUERY_PATTERN = re.compile(rb"(?:^|(?<=&))_lang=(%s)(?:&|$)" % PAGE_LANGUAGES_PATTERN)
LANGUAGE_COOKIE_PATTERN = re.compile(rb"(?:^|;)\s*lang=(%s)\s*(?=;|$)" % PAGE_LANGUAGES_PATTERN)
SET_LANGUAGE_COOKIE = f"{LANGUAGE_COOKIE}=%s; Path=/; Max-Age={365 * 24 * 3600}; HttpOnly; SameSite=Lax"


class LanguageMiddleware:
    """ASGI middleware: makes a choice the first of Accept-Language, and has it remembered."""

    def __init__(self, app: ASGIApp) -> None:
        """Pass what is chosen to `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with what its pages are to speak."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        chosen = LANGUAGE_IN_QUERY_PATTERN.search(scope["query_string"])
        tongue = chosen[1] if chosen else read_language_cookie(scope)
        if tongue:
            scope = put_language_first(scope, tongue)
        language_context.set(LanguageContext(scope, chosen=bool(chosen)))
        if not chosen:
            return await self.app(scope, receive, send)

        async def remembering(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(scope=message)
                if fields.get("content-type", "").startswith("text/html"):
                    fields.append("Set-Cookie", SET_LANGUAGE_COOKIE % chosen[1].decode())
            await send(message)

        return await self.app(scope, receive, remembering)


def read_language_cookie(scope: Scope) -> bytes | None:
    """The language that a browser chose before; it goes for pages alone."""
    fields = Headers(scope=scope)
    if "cookie" not in fields or "text/html" not in fields.get("accept", ""):
        return None
    found = LANGUAGE_COOKIE_PATTERN.search(fields["cookie"].encode("latin-1"))
    return found[1] if found else None


def put_language_first(scope: Scope, tongue: bytes) -> Scope:
    """The request with a language before those that it likes, and no other trace of the choice.

    Its bytes are not those of another request that says the same, so that nothing may be known by them.
    """
    liked = (b"accept-language", tongue)
    fields = [pair for pair in scope["headers"] if pair[0] != b"cookie"]
    query = LANGUAGE_IN_QUERY_PATTERN.sub(b"", scope["query_string"], count=1).rstrip(b"&")
    changed = {"headers": [liked, *fields], "query_string": query}
    return {key: value for key, value in scope.items() if key != RAW_REQUEST_KEY} | changed


RouteHandler = Callable[[Request], Awaitable[Response]]


class FastRouteMiddleware:
    """ASGI middleware: calls the handler of a method and path; all others are the application's.

    An exception of the classes in `errors` is answered by `refuse`.
    """

    def __init__(
        self,
        app: ASGIApp,
        handlers: Mapping[tuple[str, str], RouteHandler],
        errors: tuple[type[Exception], ...],
        refuse: Callable[[Request, Exception], Response],
    ) -> None:
        """Take the handlers by method and path."""
        self.app, self.handlers, self.errors, self.render_error = app, handlers, errors, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        handler = self.handlers.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if handler is None:
            return await self.app(scope, receive, send)
        request = Request(scope, receive)
        try:
            response = await handler(request)
        except self.errors as error:
            response = self.render_error(request, error)
        return await response(scope, receive, send)
