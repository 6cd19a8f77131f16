"""Requests into an application, with addresses that stay as they were written."""

import asyncio
from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx
from fastapi import FastAPI

Request = tuple[str, str, dict[str, Any]]  # method, path with query string, and options of httpx

URL = httpx.URL("http://localhost/")
HEADERS = httpx.Client().headers


def ask(app: FastAPI, requests: Iterable[Request]) -> list[httpx.Response]:
    """The answers to requests, one after the other.

    The client of httpx would take as long as the application: it parses each address again, and more.
    """

    async def every() -> list[httpx.Response]:
        return [await answer_to(app, *request) for request in requests]

    return asyncio.run(every())


async def answer_to(app: FastAPI, method: str, address: str, options: dict[str, Any]) -> httpx.Response:
    """The answer of an application to a request, whose path and query string are not written anew."""
    headers = HEADERS.copy()
    headers.update(options.get("headers"))
    request = httpx.Request(method, URL, **options | {"headers": headers})
    path, _, query = address.encode().partition(b"?")
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
    bodies = iter([request.read()])
    done = asyncio.Event()
    messages = list[MutableMapping[str, Any]]()

    async def receive() -> dict[str, Any]:
        for body in bodies:
            return {"type": "http.request", "body": body, "more_body": False}
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            done.set()

    await app(scope, receive, send)
    start, *rest = messages
    content = b"".join(message.get("body", b"") for message in rest)
    return httpx.Response(start["status"], headers=start["headers"], content=content)
