"""What the page about searching shows is what the service does."""

import asyncio
import re
import shlex
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from wgig.app import create_app, make_service
from wgig.http.parameter_models import list_parameter_names
from wgig.rdf.shipped import read_turtle_files
from wgig.search import ranking, routes, tokenizer
from wgig.search.index import SEARCH_INDEX_PATH
from wgig.search.reconcile import candidates, extend, request
from wgig.seed import list_shipped_files
from wgig.settings import Settings
from wgig.store.store import Store

from tests.docs.blocks import calls, page

PAGE = page("reference/searching.md")
WORDS = " ".join(PAGE.split())


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """A service of the shipped facts."""
    store = Store.in_memory()
    store.replace(
        {graph: read_turtle_files(paths) for graph, paths in list_shipped_files(Settings.base).items()}
    )
    return create_app(make_service(Settings(), store))


def answered(app: FastAPI, command: str) -> httpx.Response:
    """The answer to what a command of curl asks for."""
    words = [one for one in shlex.split(command) if one != "-s"]
    url = urlsplit(words.pop(0))
    path, form = f"{url.path}?{url.query}", {}
    if words:
        option, given = words
        assert option == "--data-urlencode"
        name, _, value = given.partition("=")
        form = {name: value}

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await (client.post(path, data=form) if form else client.get(path))

    return asyncio.run(once())


SEARCH, MANIFEST, MATCH, SUGGEST, PREVIEW, EXTEND = calls(PAGE, "curl")


def test_a_search_finds_what_it_is_about(app: FastAPI) -> None:
    found = answered(app, SEARCH).json()
    assert found["items"][0]["id"] == f"{Settings.base}id/issue/root-server-system"


def test_openrefine_is_given_an_address_that_says_what_can_be_done(app: FastAPI) -> None:
    assert f"enter `{shlex.split(MANIFEST)[1]}`" in WORDS
    assert set(answered(app, MANIFEST).json()) > {"suggest", "preview", "extend"}


def test_a_name_of_a_table_is_matched(app: FastAPI) -> None:
    (best, *_) = answered(app, MATCH).json()["q0"]["result"]
    assert best["id"] == "agent/kummer"


def test_what_openrefine_asks_then_is_answered(app: FastAPI) -> None:
    (first, *_) = answered(app, SUGGEST).json()["result"]
    assert first["id"].startswith("issue/root")
    assert "Spam" in answered(app, PREVIEW).text
    assert answered(app, EXTEND).json()["rows"]["paper/wp-spam"]["wgig:issue"][0]["id"] == "issue/spam"


def test_parameters_and_bounds_are_those_of_the_code() -> None:
    known = list_parameter_names(routes.SearchParameters)
    assert tuple(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == known.once
    for sentence in (
        f"At most {tokenizer.MAX_SEARCH_CHARACTERS} characters and {tokenizer.MAX_SEARCH_TERMS} words",
        f"with {routes.HITS_PER_PAGE} results each",
        f"in more than {ranking.FREQUENT_TERM_MATCHES:,} resources",
        f"At most {ranking.MAX_SEARCH_MATCHES} resources are found",
        f"each property weighs {round(100 * candidates.CONDITION_SCORE_WEIGHT)} %",
        f"scores {candidates.MIN_MATCH_SCORE} or more",
        f"at most {request.MAX_BATCH_QUERIES} queries",
        f"{extend.MAX_EXTENDED_THINGS} resources and {extend.MAX_EXTENDED_PROPERTIES} properties",
        f"`{SEARCH_INDEX_PATH.parent}` of the store's folder",
    ):
        assert sentence in WORDS, sentence
