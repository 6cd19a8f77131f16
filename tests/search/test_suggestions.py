"""/search/suggestions: what is suggested while one types."""

from typing import Any, NamedTuple

import httpx2
import pytest
from wgig.rdf.serialization import parse_graph_document
from wgig.search.suggestions import MAX_SEARCH_SUGGESTIONS, MAX_SUGGESTION_CHARACTERS
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import make_store_client

BASE = Settings.base
LONG_NAME = "Enormous " * 1000


class SuggestedResource(NamedTuple):
    label: str
    description: str
    path: str


def suggest(client: httpx2.Client, text: str) -> list[SuggestedResource]:
    response = client.get("/search/suggestions", params={"q": text})
    assert response.headers["content-type"] == "application/x-suggestions+json"
    typed_text, *columns = response.json()
    assert typed_text == text
    labels, descriptions, urls = columns
    assert all(url.startswith("http://localhost/") for url in urls)
    paths = [url.removeprefix("http://localhost") for url in urls]
    return [SuggestedResource(*row) for row in zip(labels, descriptions, paths, strict=True)]


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("cybercr", ("Cybersecurity, cybercrime", "Issue", "/doc/issue/cybersecurity-cybercrime")),
        ("pollupost", ("Spam", "Issue · Pollupostage", "/doc/issue/spam")),
        ("ITU", ("International Telecommunication Union", "Person or organization · ITU", None)),
        ("markus k", ("Markus Kummer", "Person or organization", "/doc/agent/kummer")),
        ("kurbalia", ("Jovan Kurbalija", "Person or organization", "/doc/agent/kurbalija")),
        ("root serv", ("Administration of root server system", "Issue", "/doc/issue/root-server-system")),
        ("council of", ("Council of Europe", "Person or organization", "/doc/agent/council-of-europe")),
        ("members by gr", ("Members by group and region", "Question and answer", None)),
        ("原则宣", ("Geneva Declaration of Principles", "Document · 原则宣言", "/doc/document/declaration")),
    ],
)
def test_first_suggestion_is_what_is_typed(
    filled_client: httpx2.Client, text: str, suggestion: tuple[str, str, str | None]
) -> None:
    label, description, path = suggestion
    first = suggest(filled_client, text)[0]
    assert (first.label, first.description) == (label, description)
    assert path in (first.path, None)
    assert filled_client.get(first.path).status_code == 200


def test_labels_and_kinds_are_in_the_language_of_the_page(filled_client: httpx2.Client) -> None:
    response = filled_client.get("/search/suggestions?q=spam&_lang=fr")
    _, labels, descriptions, _ = response.json()
    assert (labels[0], descriptions[0]) == ("Pollupostage", "Question · Spam")
    assert "Accept-Language" in response.headers["vary"].split(", ")
    assert "set-cookie" not in response.headers
    assert suggest(filled_client, "spam")[0].label == "Spam"


def test_suggestions_are_few_different_and_no_records_for_programs(filled_client: httpx2.Client) -> None:
    suggestions = suggest(filled_client, "internet")
    assert len({suggestion.path for suggestion in suggestions}) == MAX_SEARCH_SUGGESTIONS
    governments = [suggestion.label for suggestion in suggest(filled_client, "govern")]
    assert len(set(governments)) == len(governments) == MAX_SEARCH_SUGGESTIONS
    paths = [
        suggestion.path
        for text in ("mileston", "turtle", "shape")
        for suggestion in suggest(filled_client, text)
    ]
    assert not [path for path in paths if path.startswith(("/ontology", "/shapes", "/graphs", "/doc/scheme"))]


@pytest.mark.parametrize("text", ["zzzzzz", "spam zzzzzz", "!", '"', "* *", "VeriSing"])
def test_nothing_is_suggested_without_a_match(filled_client: httpx2.Client, text: str) -> None:
    assert suggest(filled_client, text) == []


@pytest.mark.parametrize("parameters", [{}, {"q": ""}, {"q": " "}, {"q": "a", "limit": "5"}])
def test_invalid_request_is_refused(filled_client: httpx2.Client, parameters: dict[str, Any]) -> None:
    assert filled_client.get("/search/suggestions", params=parameters).status_code == 400


def test_very_long_texts_and_names_are_cut(store: Store) -> None:
    data = f'<{BASE}id/issue/a> <http://www.w3.org/2004/02/skos/core#prefLabel> "{LONG_NAME}"@en .'
    store.apply(store.compute_addition(None, parse_graph_document(data.encode(), "text/turtle")))
    client = make_store_client(store)
    (suggestion,) = suggest(client, "enorm")
    assert len(suggestion.label) == MAX_SUGGESTION_CHARACTERS
    assert suggest(client, "enorm" * 2000) == []
