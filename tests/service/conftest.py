"""A small graph served in the process, and how tests ask it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from wgig.app import create_app
from wgig.settings import SHIPPED, Settings
from wgig.store import Store

BASE = Settings.base
TOKEN = "secret"
Get = Callable[..., httpx.Response]


@pytest.fixture(scope="session")
def small_store() -> Store:
    """The graph of `graph.ttl` and the shipped ontology."""
    store = Store.in_memory()
    store.add(f"{BASE}graph/test", (Path(__file__).parent / "graph.ttl").read_bytes(), "text/turtle")
    store.add(f"{BASE}graph/ontology", (SHIPPED / "ontology" / "wgig.ttl").read_bytes(), "text/turtle")
    return store


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


@pytest.fixture
def writable() -> TestClient:
    """A client of an empty store that may be written with the token, with small limits."""
    settings = Settings(token=TOKEN, body_bytes=10_000, result_bytes=20_000, query_length=2_000)
    return TestClient(
        create_app(settings, Store.in_memory()),
        headers={"Authorization": f"Bearer {TOKEN}"},
        raise_server_exceptions=False,
    )
