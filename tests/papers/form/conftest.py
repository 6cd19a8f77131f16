"""Fixtures for tests of the web form for papers."""

import httpx
import pytest
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.paper_form import TOKEN
from tests.fixtures.service import make_service_client


@pytest.fixture
def client() -> httpx.Client:
    """A client, without a token, of an empty service that accepts papers with a token."""
    return make_service_client(Settings(token=TOKEN), Store.in_memory())
