"""The addresses that the page about lists and things shows answer."""

import asyncio
import re

import httpx
import pyoxigraph as ox
import pytest
from wgig.app import create_app, make_service
from wgig.lists.definitions import LIST_DEFINITIONS
from wgig.rdf.sparql_lexer import SparqlText
from wgig.rdf.values import RESOURCE_KINDS, VALUE_TYPES
from wgig.settings import Settings
from wgig.sparql.examples import EXAMPLE_PARAMETER_PATTERN, find_parameter_places
from wgig.store.store import Store

from tests.docs.blocks import HERE, calls, page

PAGE = page("reference/rest.md")
ADDRESSES = [one.removeprefix(f"-s '{HERE}").removesuffix("'") for one in calls(PAGE, "curl")]


def test_the_page_names_every_list() -> None:
    assert all(f"`/{name}`" in PAGE for name in LIST_DEFINITIONS)


async def answer_to(address: str, quads: ox.Store) -> httpx.Response:
    transport = httpx.ASGITransport(app=create_app(make_service(Settings(), Store(quads))))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get(f"/{address}")


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_answers_as_shown(address: str, shipped: ox.Store) -> None:
    answer = asyncio.run(answer_to(address, shipped))
    assert answer.status_code == 200
    assert answer.json().get("total") != 0 if "json" in answer.headers["content-type"] else answer.text


def test_the_query_that_is_shown_keeps_a_place_for_its_parameter() -> None:
    ((name, type_, _, _),) = EXAMPLE_PARAMETER_PATTERN.findall(PAGE)
    assert type_ in RESOURCE_KINDS
    shown = SparqlText(PAGE.partition("- Only this issue.\n")[2].partition("```")[0])
    assert name in find_parameter_places(shown.tokens)
    assert set(re.findall(r"`(text|integer|date|year|boolean)`", PAGE)) <= VALUE_TYPES.keys()
