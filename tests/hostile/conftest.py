"""A service with the bundled data that accepts writes with a token; no attack may change its store."""

import os
from collections.abc import Iterator

import httpx2
import pytest
from starlette.types import ASGIApp
from wgig.app import create_app, make_service
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.processes import ServiceStarter
from tests.hostile.client import ForwardingApp

TOKEN = "secret"


def hash_store(store: Store) -> int:
    """A hash of all triples of a store with their graphs."""
    graphs = (None, *store.graphs())
    return hash(frozenset((graph, str(triple)) for graph in graphs for triple in store.triples(graph)))


@pytest.fixture(scope="module")
def app(
    filled_store: Store, start_service: ServiceStarter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ASGIApp]:
    """The application; with front processes (WGIG_WORKERS), a running service that gets the requests.

    After the tests, the store must be unchanged.
    """
    if os.environ.get("WGIG_WORKERS", "1") == "1":
        hash_before = hash_store(filled_store)
        yield create_app(make_service(Settings(token=TOKEN), filled_store))
        assert hash_store(filled_store) == hash_before
        return
    with start_service(tmp_path_factory.mktemp("store"), WGIG_TOKEN=TOKEN) as url:
        lines_before = read_dump(url)
        yield ForwardingApp(url)
        assert read_dump(url) == lines_before


def read_dump(url: str) -> set[str]:
    """The statements of a service with their graphs."""
    return set(httpx2.get(f"{url}dump.nq", timeout=60).text.splitlines())
