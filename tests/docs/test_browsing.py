"""The pages that the page for people names are there, and say what it says that they say."""

import re

import httpx
import pyoxigraph as ox
import pytest
from wgig.app import create_app, make_service
from wgig.lists.coverage_matrix import MAX_SHOWN_ROWS
from wgig.settings import Settings
from wgig.store.store import Store

from tests.docs.blocks import page
from tests.fixtures.service import client_of

PAGE = page("how-to/browsing.md")
PATHS = sorted(set(re.findall(r"`(/[^`]*)`", PAGE)))


@pytest.fixture(scope="module")
def service(shipped: ox.Store) -> httpx.Client:
    """A client of a service over the shipped graph."""
    return client_of(create_app(make_service(Settings(), Store(shipped))), Accept="text/html")


@pytest.mark.parametrize("path", PATHS)
def test_an_address_answers(service: httpx.Client, path: str) -> None:
    assert service.get(path).status_code == 200


def test_what_cells_say_is_what_the_page_says(service: httpx.Client) -> None:
    shown = service.get("/coverage").text
    for words in ("1 paper", "verdict not known", "none", "no paper"):
        assert words in PAGE
        assert words in shown
    assert f"up to {MAX_SHOWN_ROWS} rows" in PAGE


def test_what_is_not_known_of_people_is_called_as_the_page_says(service: httpx.Client) -> None:
    for words in ("not known", "not seen"):
        assert f"**{words}**" in PAGE
        assert f"<bdi>{words}</bdi>" in service.get("/people").text
