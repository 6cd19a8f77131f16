"""The profiles of JSON-LD in Accept, for all documents in JSON-LD."""

import json
from typing import Any

import httpx2
import pyoxigraph as ox
import pytest
from pyld import jsonld
from wgig.http.jsonld_profiles import (
    COMPACTED_PROFILE,
    EXPANDED_PROFILE,
    FLATTENED_PROFILE,
    FRAMED_PROFILE,
    apply_jsonld_profiles,
    parse_jsonld_profiles,
)
from wgig.http.negotiation import parse_accept_weights

PATHS = ("/doc/issue/spam", "/graph/issues", "/papers", "/.well-known/void", "/catalog", "/ontology")
CONSTRUCT_PATH = "/sparql?query=CONSTRUCT+%7B+%3Fs+a+%3Fc+%7D+%7B+%3Fs+a+%3Fc+%7D+LIMIT+5"


def accept_jsonld(*profiles: str, q: str = "1") -> str:
    return f'application/ld+json;profile="{" ".join(profiles)}";q={q}'


def get_jsonld(client: httpx2.Client, path: str, accept: str) -> httpx2.Response:
    response = client.get(path, headers={"Accept": accept})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/ld+json")
    assert "Accept" in response.headers["vary"]
    return response


def parse_canonical_quads(response: httpx2.Response) -> ox.Dataset:
    dataset = ox.Dataset(ox.parse(response.content, ox.RdfFormat.JSON_LD))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return dataset


@pytest.mark.parametrize(
    ("accept", "profiles"),
    [
        ("", set()),
        ("application/ld+json", set()),
        (accept_jsonld(EXPANDED_PROFILE), {EXPANDED_PROFILE}),
        (accept_jsonld(FLATTENED_PROFILE, COMPACTED_PROFILE), {FLATTENED_PROFILE, COMPACTED_PROFILE}),
        (f"{accept_jsonld(EXPANDED_PROFILE, q='0.5')}, application/ld+json", set()),
        (f"{accept_jsonld(EXPANDED_PROFILE, q='0.5')}, {accept_jsonld(FRAMED_PROFILE)}", {FRAMED_PROFILE}),
        (f"text/turtle;profile={EXPANDED_PROFILE}", set()),
        (f"Application/LD+JSON;profile={EXPANDED_PROFILE}", {EXPANDED_PROFILE}),
        (accept_jsonld(EXPANDED_PROFILE, q="0"), set()),
        (accept_jsonld(EXPANDED_PROFILE, q="x"), set()),
    ],
)
def test_profiles_are_those_of_the_preferred_json_ld(accept: str, profiles: set[str]) -> None:
    assert parse_jsonld_profiles([accept]) == profiles


def test_profile_does_not_change_the_weight() -> None:
    accept = f"text/turtle;q=0.4, {accept_jsonld(EXPANDED_PROFILE, q='0.3')}"
    assert parse_accept_weights([accept]) == {"text/turtle": 0.4, "application/ld+json": 0.3}


@pytest.mark.parametrize("path", PATHS)
def test_expanded_document_is_in_expanded_form(filled_client: httpx2.Client, path: str) -> None:
    compact = get_jsonld(filled_client, path, "application/ld+json")
    assert compact.headers["content-type"] == "application/ld+json"
    expanded = get_jsonld(filled_client, path, accept_jsonld(EXPANDED_PROFILE))
    assert expanded.headers["content-type"] == f'application/ld+json;profile="{EXPANDED_PROFILE}"'
    assert expanded.headers["etag"] != compact.headers["etag"]
    document: Any = expanded.json()
    assert jsonld.expand(document) == document
    assert parse_canonical_quads(expanded) == parse_canonical_quads(compact)


@pytest.mark.parametrize("path", [*PATHS, CONSTRUCT_PATH])
def test_flattened_document_has_each_node_once(filled_client: httpx2.Client, path: str) -> None:
    flattened = get_jsonld(filled_client, path, accept_jsonld(FLATTENED_PROFILE))
    assert flattened.headers["content-type"] == f'application/ld+json;profile="{FLATTENED_PROFILE}"'
    document: Any = flattened.json()
    names = [node["@id"] for node in document]
    assert len(names) == len(set(names)) > 0
    assert not [
        value for node in document for values in node.values() for value in values if is_nested_node(value)
    ]


def is_nested_node(value: object) -> bool:
    return isinstance(value, dict) and "@id" in value and len(value) > 1


def test_compacted_document_says_so(filled_client: httpx2.Client) -> None:
    accept = accept_jsonld(COMPACTED_PROFILE)
    response = get_jsonld(filled_client, "/doc/issue/spam", accept)
    assert response.headers["content-type"] == f'application/ld+json;profile="{COMPACTED_PROFILE}"'
    assert response.content == get_jsonld(filled_client, "/doc/issue/spam", "application/ld+json").content


def test_result_of_a_query_is_expanded(filled_client: httpx2.Client) -> None:
    expanded = get_jsonld(filled_client, CONSTRUCT_PATH, accept_jsonld(EXPANDED_PROFILE))
    assert expanded.headers["content-type"] == f'application/ld+json;profile="{EXPANDED_PROFILE}"'
    compacted = get_jsonld(filled_client, CONSTRUCT_PATH, accept_jsonld(COMPACTED_PROFILE))
    assert compacted.headers["content-type"] == "application/ld+json"  # it is not compact


def test_framed_document_has_the_frame_of_its_type(filled_client: httpx2.Client) -> None:
    framed = get_jsonld(filled_client, "/doc/paper/wp-spam", accept_jsonld(FRAMED_PROFILE))
    assert framed.headers["content-type"] == f'application/ld+json;profile="{FRAMED_PROFILE}"'
    by_name = get_jsonld(filled_client, "/doc/paper/wp-spam?_frame=paper", "application/ld+json")
    assert framed.json() == by_name.json()
    assert by_name.headers["content-type"] == "application/ld+json"


def test_without_a_frame_the_document_is_not_framed(filled_client: httpx2.Client) -> None:
    response = get_jsonld(filled_client, "/doc/verdict/adequate", accept_jsonld(FRAMED_PROFILE))
    assert response.headers["content-type"] == "application/ld+json"
    assert "@graph" in response.json()


def test_other_format_that_is_preferred_has_no_frame(filled_client: httpx2.Client) -> None:
    accept = f"text/turtle, {accept_jsonld(FRAMED_PROFILE, q='0.5')}"
    response = filled_client.get("/doc/paper/wp-spam", headers={"Accept": accept})
    assert response.headers["content-type"] == "text/turtle; charset=utf-8"


@pytest.mark.parametrize("profile", [EXPANDED_PROFILE, FLATTENED_PROFILE])
def test_context_keeps_its_form(filled_client: httpx2.Client, profile: str) -> None:
    response = get_jsonld(filled_client, "/context.jsonld", accept_jsonld(profile))
    assert response.headers["content-type"] == "application/ld+json"
    assert response.json()["@context"]["wgig"]


def test_unknown_profile_is_ignored(filled_client: httpx2.Client) -> None:
    response = get_jsonld(filled_client, "/doc/issue/spam", accept_jsonld("http://example.org/p"))
    assert response.headers["content-type"] == "application/ld+json"


def test_document_with_a_remote_context_is_not_changed() -> None:
    body = json.dumps({"@context": "https://example.org/context.jsonld", "name": "x"}).encode()
    assert apply_jsonld_profiles(body, frozenset([EXPANDED_PROFILE])) == (body, [])
