"""The paths on the page about browsing exist, and their pages have the texts that it quotes."""

import re

import httpx2
import pyoxigraph as ox
import pytest
from wgig.app import create_app, make_service
from wgig.lists.matrix_view import JUDGED_STATES, MAX_SHOWN_ROWS
from wgig.settings import Settings
from wgig.store.store import Store

from tests.docs.blocks import read_docs_page
from tests.fixtures.service import make_client

PAGE = read_docs_page("how-to/browsing.md")
PATHS = sorted(set(re.findall(r"`(/[^`]*)`", PAGE)))


@pytest.fixture(scope="module")
def service(shipped_store: ox.Store) -> httpx2.Client:
    """A client of a service over the shipped graph."""
    return make_client(create_app(make_service(Settings(), Store(shipped_store))), Accept="text/html")


@pytest.mark.parametrize("path", PATHS)
def test_a_path_exists(service: httpx2.Client, path: str) -> None:
    assert service.get(path).status_code == 200


def test_cells_of_papers_have_the_texts_that_the_page_quotes(service: httpx2.Client) -> None:
    coverage = service.get("/coverage?layer=papers").text
    for text in ("1 paper", "verdict not known", "not seen", "no known paper"):
        assert text in PAGE
        assert text in coverage
    assert f"up to {MAX_SHOWN_ROWS} rows" in PAGE


def test_states_of_judged_cells_are_named_as_on_the_page(service: httpx2.Client) -> None:
    coverage = service.get("/coverage").text
    for text in JUDGED_STATES.values():
        assert f"**{text}**" in PAGE
        assert text in coverage


def test_derived_and_unknown_values_of_seats_are_named_as_on_the_page(service: httpx2.Client) -> None:
    people = service.get("/people").text
    for text in ("not known", "derived"):
        assert f"**{text}**" in PAGE
        assert text in people
