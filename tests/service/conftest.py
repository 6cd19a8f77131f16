"""A small graph served in the process, and how tests ask it."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
from fastapi import FastAPI
from wgig.app import create_app
from wgig.rdf import read
from wgig.records.versions import Versions
from wgig.settings import SHIPPED, Settings
from wgig.store import Store

from tests.service.filled import filled

BASE = Settings.base
TOKEN = "secret"
Get = Callable[..., httpx.Response]


@pytest.fixture(scope="session")
def small_store() -> Store:
    """The graph of `graph.ttl` and the shipped ontology."""
    store = Store.in_memory()
    files = {"test": Path(__file__).with_name("graph.ttl"), "ontology": SHIPPED / "ontology" / "wgig.ttl"}
    for name, path in files.items():
        store.apply(store.change_by(f"{BASE}graph/{name}", read(path.read_bytes(), "text/turtle")))
    return store


@pytest.fixture(scope="session")
def filled_store() -> Store:
    """All that a service holds at its first start; nobody writes it."""
    return filled()


@pytest.fixture(scope="session")
def get(small_store: Store) -> Get:
    """Ask the small graph: `get("/doc/issue/spam", accept="text/turtle")`; other headers by their names."""
    app = create_app(Settings(), small_store)

    def ask(path: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.request(method, path, headers=named)

        return asyncio.run(once())

    return ask


class Inside(httpx.BaseTransport):
    """A transport into an application of this process."""

    def __init__(self, app: FastAPI) -> None:
        self.app = httpx.ASGITransport(app=app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and read its whole answer."""
        sent = httpx.Request(
            request.method, request.url, headers=request.headers, stream=httpx.ByteStream(request.read())
        )

        async def once() -> httpx.Response:
            answer = await self.app.handle_async_request(sent)
            assert isinstance(answer.stream, httpx.AsyncByteStream)
            body = b"".join([chunk async for chunk in answer.stream])
            return httpx.Response(answer.status_code, headers=answer.headers, content=body)

        return asyncio.run(once())


def inside(settings: Settings, store: Store, **headers: str) -> httpx.Client:
    """A client of a service in this process."""
    return client_of(create_app(settings, store), **headers)


def client_of(app: FastAPI, **headers: str) -> httpx.Client:
    """A client of an application in this process."""
    return httpx.Client(transport=Inside(app), base_url="http://localhost", headers=headers)


@pytest.fixture(scope="session")
def over() -> Callable[..., httpx.Client]:
    """A client of an application, which sends the headers that are given by name."""
    return client_of


@pytest.fixture(scope="session")
def service_of() -> Callable[[Settings, Store], httpx.Client]:
    """A client of a service with these settings over this store."""
    return inside


@pytest.fixture
def client() -> Callable[[Store], httpx.Client]:
    """A client of a service over this store, with the settings as they come."""
    return partial(inside, Settings())


@pytest.fixture
def closed() -> httpx.Client:
    """A client of an empty service with the settings as they come."""
    return inside(Settings(), Store.in_memory())


@pytest.fixture
def unnamed() -> httpx.Client:
    """A client of an empty service whose default graph is the unnamed one alone."""
    return inside(Settings(default_graph="unnamed"), Store.in_memory())


@pytest.fixture
def broken() -> httpx.Client:
    """A client of a service whose store fails at everything."""
    store = SimpleNamespace(version=0, folder=None, forgetting=[], versions=lambda: Versions(None))
    return inside(Settings(), cast(Store, store))


@pytest.fixture
def writable() -> httpx.Client:
    """A client of an empty service that it may write, with small limits and nothing but what it writes."""
    settings = Settings(
        token=TOKEN, history="lost", body_bytes=10_000, result_bytes=20_000, query_length=2_000
    )
    return inside(settings, Store.in_memory(), Authorization=f"Bearer {TOKEN}")
