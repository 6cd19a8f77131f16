"""The shipped graphs in a store that describes itself."""

from collections.abc import Callable

import httpx
import pytest
from wgig.about.portrait import Portrait
from wgig.board import Board
from wgig.settings import Settings
from wgig.shipped import refresh, rules
from wgig.store import Store

BASE = Settings.base


def filled() -> Store:
    """A store in memory with all that a service holds at its first start."""
    board, portrait = Board(BASE, Settings.shacl), Portrait(BASE)
    store = Store.in_memory(rules(), f"{BASE}graph/inferred", [board], [portrait])
    refresh(store, BASE)
    return store


@pytest.fixture(scope="module")
def whole() -> Store:
    """The store with the shipped graphs."""
    return filled()


@pytest.fixture
def ask(whole: Store, service_of: Callable[[Settings, Store], httpx.Client]) -> httpx.Client:
    """A client of a service over it."""
    return service_of(Settings(), whole)
