"""Requests into an application, with addresses that stay as they were written."""

import asyncio
from collections.abc import Iterable
from typing import Any

import httpx
from fastapi import FastAPI

Request = tuple[str, str, dict[str, Any]]  # method, path with query string, and options of httpx


def ask(app: FastAPI, requests: Iterable[Request]) -> list[httpx.Response]:
    """The answers to requests, one after the other."""

    async def every() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [await client.request(method, url(path), **options) for method, path, options in requests]

    return asyncio.run(every())


def url(path: str) -> httpx.URL:
    """A URL whose path and query string are not written anew."""
    return httpx.URL("http://localhost", raw_path=path.encode())
