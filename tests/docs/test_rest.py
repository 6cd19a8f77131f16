"""The URLs on the page about the REST API exist, and it names all lists and types."""

import asyncio
import re

import httpx2
import pyoxigraph as ox
import pytest
from wgig.app import create_app, make_service
from wgig.lists.definitions import LIST_DEFINITIONS
from wgig.rdf.sparql_lexer import SparqlText
from wgig.rdf.values import RESOURCE_KINDS, VALUE_TYPES
from wgig.settings import Settings
from wgig.sparql.examples import EXAMPLE_PARAMETER_PATTERN, find_value_tokens
from wgig.store.store import Store

from tests.docs.blocks import SHOWN_URL, find_calls, read_docs_page

PAGE = read_docs_page("reference/rest.md")
PATHS = [call.removeprefix(f"-s '{SHOWN_URL}").removesuffix("'") for call in find_calls(PAGE, "curl")]


def test_the_page_names_every_list() -> None:
    assert all(f"`/{name}`" in PAGE for name in LIST_DEFINITIONS)


async def fetch_path(path: str, quads: ox.Store) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=create_app(make_service(Settings(), Store(quads))))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get(f"/{path}")


@pytest.mark.parametrize("path", PATHS)
def test_a_url_returns_results(path: str, shipped_store: ox.Store) -> None:
    response = asyncio.run(fetch_path(path, shipped_store))
    assert response.status_code == 200
    if "json" in response.headers["content-type"]:
        assert response.json().get("total") != 0  # only lists have `total`
    else:
        assert response.text


def test_the_query_on_the_page_has_a_place_for_its_parameter() -> None:
    ((name, type_, _, _),) = EXAMPLE_PARAMETER_PATTERN.findall(PAGE)
    assert type_ in RESOURCE_KINDS
    shown = SparqlText(PAGE.partition("- Only this issue.\n")[2].partition("```")[0])
    assert name in find_value_tokens(shown.tokens)
    assert set(re.findall(r"`(text|integer|date|year|boolean)`", PAGE)) <= VALUE_TYPES.keys()
