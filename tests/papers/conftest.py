"""Fixtures for tests of papers."""

import httpx2
import pytest
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import make_service_client


@pytest.fixture(scope="module")
def client() -> httpx2.Client:
    """A client of an empty service with default settings."""
    return make_service_client(Settings(), Store.in_memory())
