"""The commands and limits on the page about searching are those of the service."""

import asyncio
import re
import shlex
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from wgig.app import create_app, make_service
from wgig.http.parameter_models import list_parameter_names
from wgig.rdf.shipped import read_turtle_files
from wgig.search import criteria, ranking, routes, terms
from wgig.search.index import SEARCH_INDEX_PATH
from wgig.search.reconcile import candidates, extend, request
from wgig.seed import list_shipped_files
from wgig.settings import Settings
from wgig.store.store import Store

from tests.docs.blocks import find_calls, read_docs_page

PAGE = read_docs_page("reference/searching.md")
PAGE_TEXT = " ".join(PAGE.split())


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """A service with the shipped facts."""
    store = Store.in_memory()
    store.replace(
        {graph: read_turtle_files(paths) for graph, paths in list_shipped_files(Settings.base).items()}
    )
    return create_app(make_service(Settings(), store))


def fetch_response(app: FastAPI, curl_arguments: str) -> httpx2.Response:
    """The response to the request of a curl command."""
    arguments = [argument for argument in shlex.split(curl_arguments) if argument != "-s"]
    url = urlsplit(arguments.pop(0))
    path, form = f"{url.path}?{url.query}", {}
    if arguments:
        option, data = arguments
        assert option == "--data-urlencode"
        name, _, value = data.partition("=")
        form = {name: value}

    async def send() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await (client.post(path, data=form) if form else client.get(path))

    return asyncio.run(send())


# The arguments of the curl commands of the page.
SEARCH_CALL, MANIFEST_CALL, MATCH_CALL, SUGGEST_CALL, PREVIEW_CALL, EXTEND_CALL = find_calls(PAGE, "curl")


def test_a_search_finds_the_issue(app: FastAPI) -> None:
    results = fetch_response(app, SEARCH_CALL).json()
    assert results["items"][0]["id"] == f"{Settings.base}id/issue/root-server-system"


def test_the_manifest_is_at_the_url_for_openrefine(app: FastAPI) -> None:
    assert f"enter `{shlex.split(MANIFEST_CALL)[1]}`" in PAGE_TEXT
    assert set(fetch_response(app, MANIFEST_CALL).json()) > {"suggest", "preview", "extend"}


def test_a_misspelled_name_is_matched(app: FastAPI) -> None:
    (best, *_) = fetch_response(app, MATCH_CALL).json()["q0"]["result"]
    assert best["id"] == "agent/kummer"


def test_suggestions_previews_and_extensions_have_results(app: FastAPI) -> None:
    (first, *_) = fetch_response(app, SUGGEST_CALL).json()["result"]
    assert first["id"].startswith("issue/root")
    assert "Spam" in fetch_response(app, PREVIEW_CALL).text
    assert (
        fetch_response(app, EXTEND_CALL).json()["rows"]["paper/wp-spam"]["wgig:issue"][0]["id"]
        == "issue/spam"
    )


def test_parameters_and_limits_are_those_of_the_code() -> None:
    known = list_parameter_names(routes.SearchParameters)
    assert tuple(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == known.once
    for sentence in (
        f"At most {terms.MAX_SEARCH_CHARACTERS} characters and {terms.MAX_SEARCH_TERMS} words",
        f"with {routes.HITS_PER_PAGE} results each",
        f"in more than {ranking.FREQUENT_TERM_MATCHES:,} resources",
        f"At most {criteria.MAX_SEARCH_MATCHES} resources are found",
        f"each property has {round(100 * candidates.CONDITION_SCORE_WEIGHT)} % of the weight",
        f"scores {candidates.MIN_MATCH_SCORE} or more",
        f"at most {request.MAX_BATCH_QUERIES} queries",
        f"{extend.MAX_EXTENDED_THINGS} resources and {extend.MAX_EXTENDED_PROPERTIES} properties",
        f"`{SEARCH_INDEX_PATH.parent}` of the store's folder",
    ):
        assert sentence in PAGE_TEXT, sentence
