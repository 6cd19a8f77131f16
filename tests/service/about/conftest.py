"""The shipped graphs in a store that describes itself."""

from collections.abc import Callable

import httpx
import pytest
from wgig.settings import Settings
from wgig.store import Store

from tests.service.filled import filled


@pytest.fixture(scope="module")
def whole() -> Store:
    """The store with the shipped graphs."""
    return filled()


@pytest.fixture
def ask(whole: Store, service_of: Callable[[Settings, Store], httpx.Client]) -> httpx.Client:
    """A client of a service over it."""
    return service_of(Settings(), whole)
