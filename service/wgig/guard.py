"""What holds for every request and response, whoever answers: no smuggling, no leaks, safe pages."""

import json
import logging
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_TARGET = 64 * 1024  # bytes of path and query string

# A page loads its own styles and pictures, sends its forms home, and runs nothing.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

log = logging.getLogger("wgig")


class Guard:
    """ASGI middleware: refuses ambiguous framing, turns bugs into a 500 that tells nothing, sets safety headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

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
                secure(MutableHeaders(scope=message))
            await send(message)

        headers = Headers(scope=scope)
        if "transfer-encoding" in headers and "content-length" in headers:
            await refuse(watched, 400, "Content-Length together with Transfer-Encoding is ambiguous. Send one of them.")
            return
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_TARGET:
            await refuse(watched, 414, "The address is too long. Send the query in the body of a POST.")
            return
        try:
            await self.app(scope, receive, watched)
        except Exception:
            request_id = uuid.uuid4().hex
            log.exception("request %s failed: %s %s", request_id, scope["method"], scope["path"])
            if started:  # half an answer must not look whole
                raise
            await refuse(watched, 500, f"The service made a mistake. Report it with this number: {request_id}.")


def secure(headers: MutableHeaders) -> None:
    """Nothing is sniffed, and a page may load nothing from elsewhere."""
    headers["X-Content-Type-Options"] = "nosniff"
    if headers.get("content-type", "").startswith("text/html"):
        headers["Content-Security-Policy"] = PAGE_POLICY
        headers["Referrer-Policy"] = "same-origin"


async def refuse(send: Send, status: int, detail: str) -> None:
    """A problem document, made where nothing of the application can be trusted any more."""
    titles = {400: "Bad Request", 414: "URI Too Long", 500: "Internal Server Error"}
    body = json.dumps({"title": titles[status], "status": status, "detail": detail}).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
