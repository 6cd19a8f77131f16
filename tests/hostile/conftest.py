"""A service with the bundled data that accepts writes with a token; no attack may change its store."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from wgig.app import create_app, make_service
from wgig.settings import Settings
from wgig.store.store import Store

TOKEN = "secret"


def hash_store(store: Store) -> int:
    """A hash of all triples of a store with their graphs."""
    graphs = (None, *store.graphs())
    return hash(frozenset((graph, str(triple)) for graph in graphs for triple in store.triples(graph)))


@pytest.fixture(scope="module")
def app(filled_store: Store) -> Iterator[FastAPI]:
    """The application. After the tests, the store must be unchanged."""
    hash_before = hash_store(filled_store)
    yield create_app(make_service(Settings(token=TOKEN), filled_store))
    assert hash_store(filled_store) == hash_before
