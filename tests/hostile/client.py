"""Sends requests to an application in this process, with URLs that no client normalizes."""

import asyncio
import socket
from collections.abc import Iterable, MutableMapping
from http.client import HTTPResponse
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

Request = tuple[str, str, dict[str, Any]]  # method, path with query string, and options of httpx2

BASE_URL = httpx2.URL("http://localhost/")
DEFAULT_HEADERS = httpx2.Client().headers


class ForwardingApp:
    """ASGI application that passes each request to a running service, as it is."""

    def __init__(self, url: str) -> None:
        """Take the URL of the service."""
        self.address = urlsplit(url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a request on a new connection, and read the complete response."""
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        lines = [
            b" ".join((scope["method"].encode(), target, b"HTTP/1.1")),
            *(b": ".join(pair) for pair in scope["headers"] if pair[0] != b"connection"),
            b"connection: close",
        ]
        message = await receive()
        with socket.create_connection((self.address.hostname, self.address.port), timeout=60) as connection:
            connection.sendall(b"\r\n".join([*lines, b"", message["body"]]))
            response = HTTPResponse(connection, method=scope["method"])
            response.begin()
            body = response.read()
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.getheaders()]
        headers = [(name, value) for name, value in headers if name != b"transfer-encoding"]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def send_requests(app: ASGIApp, requests: Iterable[Request]) -> list[httpx2.Response]:
    """The responses to requests that are sent one after another.

    The client of httpx2 is not used: its parsing of URLs would take as much time as the application.
    """

    async def send_all() -> list[httpx2.Response]:
        return [await send_request(app, *request) for request in requests]

    return asyncio.run(send_all())


async def send_request(
    app: ASGIApp, method: str, path_and_query: str, options: dict[str, Any]
) -> httpx2.Response:
    """The response to a request, whose path and query string are sent as they are."""
    headers = DEFAULT_HEADERS.copy()
    headers.update(options.get("headers"))
    request = httpx2.Request(method, BASE_URL, **options | {"headers": headers})
    path, _, query = path_and_query.encode().partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": "http",
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path,
        "query_string": query,
        "server": ("localhost", None),
        "client": ("127.0.0.1", 123),
        "root_path": "",
    }
    incoming = iter([{"type": "http.request", "body": request.read(), "more_body": False}])
    is_complete = asyncio.Event()
    messages = list[MutableMapping[str, Any]]()

    async def receive() -> dict[str, Any]:
        for message in incoming:
            return message
        await is_complete.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            is_complete.set()

    await app(scope, receive, send)
    start, *body_messages = messages
    content = b"".join(message.get("body", b"") for message in body_messages)
    return httpx2.Response(start["status"], headers=start["headers"], content=content)
