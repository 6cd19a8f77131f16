"""A service whose papers are written in the form."""

import httpx
import pytest
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.paper_form import TOKEN
from tests.fixtures.service import service_of


@pytest.fixture
def client() -> httpx.Client:
    """A client of an empty service that may be written with a token, which the client does not send."""
    return service_of(Settings(token=TOKEN), Store.in_memory())
