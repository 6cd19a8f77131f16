"""Services to which papers are sent."""

import httpx
import pytest
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import service_of


@pytest.fixture(scope="module")
def service() -> httpx.Client:
    """A client of an empty service with the settings as they come."""
    return service_of(Settings(), Store.in_memory())
