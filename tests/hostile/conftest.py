"""A service that holds everything and may be written with a token, which must not change by what is tried."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from wgig.app import create_app, make_service
from wgig.settings import Settings
from wgig.store.store import Store

TOKEN = "secret"


def held(store: Store) -> int:
    """A number for all statements of a store."""
    graphs = (None, *store.graphs())
    return hash(frozenset((graph, str(one)) for graph in graphs for one in store.triples(graph)))


@pytest.fixture(scope="module")
def app(filled_store: Store) -> Iterator[FastAPI]:
    """The application; at the end, the graph is as it was."""
    before = held(filled_store)
    yield create_app(make_service(Settings(token=TOKEN), filled_store))
    assert held(filled_store) == before
