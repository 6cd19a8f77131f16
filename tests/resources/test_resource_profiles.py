"""All resources with representations conform to Content Negotiation by Profile.

The numbers are those of its sections.
"""

from typing import Any
from urllib.parse import quote

import httpx2
import pyoxigraph as ox
import pytest
from wgig.resources.alternates import MAX_LINK_FIELD_BYTES

from tests.fixtures.link_header import parse_links
from tests.fixtures.profiles import (
    CONFORMS_TO,
    PROFILE_IRIS,
    PROFILES_BY_TOKEN,
    REPRESENTATION_MODEL,
    SPAM_PATH,
    content_profile,
    find_value,
    list_representations,
    list_token_links,
)
from tests.fixtures.triples import response_triples

PATHS = (
    SPAM_PATH,
    f"{SPAM_PATH}?_frame=issue",
    f"{SPAM_PATH}?inverse=issue&page=1",
    "/doc/agent/kofi-annan",
    "/doc/issue",
    "/graph/issues",
    "/graphs?default",
    "/graphs?graph=https%3A%2F%2Fw3id.org%2Fwgig%2Fgraph%2Fissues",
    "/ontology",
    "/shapes",
    "/shapes/WGIG-7B-MISSING",
    "/issues",
    "/issues?category=access-for-all&sort=-label&size=2&page=2&fields=label",
    "/conformance",
    "/coverage",
    "/coverage?issue=spam&issue=voip",
    "/catalog",
    "/search?q=spam",
    "/search?q=internet&page=2",
)
for_each_path = pytest.mark.parametrize("path", PATHS)


def add_parameters(path: str, parameters: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{parameters}"


def get_representation_list(client: httpx2.Client, path: str) -> dict[str, Any]:
    response = client.get(add_parameters(path, "_profile=all&_mediatype=application/json"))
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def listed_pairs(client: httpx2.Client, path: str) -> set[tuple[str, str]]:
    """The IRIs of the listed profiles with each of their media types."""
    return {
        (listed["uri"], media_type)
        for listed in get_representation_list(client, path)["profiles"]
        for media_type in listed["media_types"]
    }


# 6.3.1, 7.2.2: listed profiles are delivered, by token and by IRI, in each media type, and no others


@for_each_path
def test_exactly_listed_profiles_are_delivered(filled_client: httpx2.Client, path: str) -> None:
    profiles = get_representation_list(filled_client, path)["profiles"]
    assert profiles
    for listed in profiles:
        for name in (listed["token"], f"<{listed['uri']}>"):
            by_parameter = filled_client.get(add_parameters(path, f"_profile={quote(name, safe='')}"))
            by_field = filled_client.get(path, headers={"Accept-Profile": name})
            assert content_profile(by_parameter) == content_profile(by_field) == listed["token"]
            assert by_parameter.content == by_field.content
        for media_type in listed["media_types"]:
            response = filled_client.get(
                add_parameters(path, f"_profile={listed['token']}&_mediatype={quote(media_type)}")
            )
            assert (response.status_code, content_profile(response)) == (200, listed["token"])
            assert response.headers["content-type"].partition(";")[0] == media_type
    for token in PROFILES_BY_TOKEN.keys() - {listed["token"] for listed in profiles}:
        assert filled_client.get(add_parameters(path, f"_profile={token}")).status_code == 406


# 6.3.2: an unknown profile is refused, not replaced by another


@for_each_path
@pytest.mark.parametrize("name", ["<urn:example:unknown>", "unknown"])
def test_unknown_profile_is_refused(filled_client: httpx2.Client, path: str, name: str) -> None:
    tokens = {listed["token"] for listed in get_representation_list(filled_client, path)["profiles"]}
    for response in (
        filled_client.get(add_parameters(path, f"_profile={quote(name)}")),
        filled_client.get(path, headers={"Accept-Profile": name}),
    ):
        assert response.status_code == 406
        assert {available["token"] for available in response.json()["profiles"]} >= tokens
        assert "Accept-Profile" in response.headers["vary"]


@for_each_path
def test_profile_with_greatest_weight_is_chosen(filled_client: httpx2.Client, path: str) -> None:
    tokens = [listed["token"] for listed in get_representation_list(filled_client, path)["profiles"]]
    for token in tokens:
        others = [f"{other};q=0.5" for other in tokens if other != token]
        accept_profile = ", ".join(["<urn:example:x>", f"{token};q=0.9", *others])
        assert content_profile(filled_client.get(path, headers={"Accept-Profile": accept_profile})) == token


# 6.4, 7.1.1: the default is canonical, the others are alternates; the list in RDF is the same


@for_each_path
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_link_header_has_default_and_alternate_representations(
    filled_client: httpx2.Client, path: str, method: str
) -> None:
    response = filled_client.request(method, path)
    (canonical,) = parse_links(response, "canonical")
    default = filled_client.get(canonical.target)
    assert default.headers["content-type"].partition(";")[0] == canonical.attributes["type"]
    assert default.headers["content-profile"] == f"<{canonical.attributes['profile']}>"
    assert default.content == filled_client.get(path).content
    listed = listed_pairs(filled_client, path)
    linked = {
        (link.attributes["profile"], link.attributes["type"]) for link in list_representations(response)
    }
    # Links are left out only if the field is full: a link has fewer than 200 bytes.
    assert linked == listed or (
        linked < listed and len(response.headers["link"]) > MAX_LINK_FIELD_BYTES - 200
    )
    assert {iri for iri, _ in linked} == {iri for iri, _ in listed}
    for link in list_representations(response):
        alternate = filled_client.get(link.target)
        assert alternate.status_code == 200, link
        assert alternate.headers["content-type"].partition(";")[0] == link.attributes["type"]
        assert alternate.headers["content-profile"] == f"<{link.attributes['profile']}>"


@for_each_path
def test_list_in_rdf_has_same_representations_as_in_json(filled_client: httpx2.Client, path: str) -> None:
    response = filled_client.get(add_parameters(path, "_profile=alt&_mediatype=text/turtle"))
    assert response.headers["content-profile"] == f"<{REPRESENTATION_MODEL}>"
    triples = response_triples(response)
    nodes = [triple.object for triple in triples if triple.predicate.value.endswith("#hasRepresentation")]
    assert {
        (
            find_value(response, node, CONFORMS_TO),
            find_value(response, node, "http://purl.org/dc/terms/format"),
        )
        for node in nodes
    } == listed_pairs(filled_client, path)
    (default,) = [
        triple for triple in triples if triple.predicate.value.endswith("#hasDefaultRepresentation")
    ]
    assert default.subject == ox.NamedNode(get_representation_list(filled_client, path)["resource"])


@for_each_path
def test_link_header_has_list_of_representations(filled_client: httpx2.Client, path: str) -> None:
    alternates = parse_links(filled_client.get(path), "alternate")
    (link_to_list,) = [link for link in alternates if link.attributes["profile"] == REPRESENTATION_MODEL]
    response = filled_client.get(link_to_list.target)
    assert response.headers["content-profile"] == f"<{REPRESENTATION_MODEL}>"
    response_of_path = filled_client.get(path)
    assert parse_links(response, "canonical") == parse_links(response_of_path, "canonical")
    assert list_token_links(response) == list_token_links(response_of_path)


# 7.1, 7.1.2: Content-Profile, between angle brackets, and Vary are in all responses


@for_each_path
def test_all_responses_have_content_profile(filled_client: httpx2.Client, path: str) -> None:
    response = filled_client.get(path)
    assert [link.target for link in parse_links(response, "profile")] == [
        PROFILE_IRIS[content_profile(response)]
    ]
    for other in (
        filled_client.head(path),
        filled_client.get(path, headers={"If-None-Match": response.headers["etag"]}),
        filled_client.get(response.headers["content-location"]),
    ):
        assert other.headers["content-profile"] == response.headers["content-profile"]
        assert other.headers["etag"] == response.headers["etag"]
        assert {"accept", "accept-profile"} <= {*other.headers["vary"].lower().split(", ")}


# 7.1.1.2, 8: each token is mapped to its IRI


@for_each_path
def test_link_header_maps_tokens_to_iris(filled_client: httpx2.Client, path: str) -> None:
    token_links = list_token_links(filled_client.get(path))
    assert {link.target for link in token_links} == {"http://www.w3.org/ns/dx/prof/Profile"}
    assert {link.attributes["token"]: link.attributes["anchor"] for link in token_links} == {
        listed["token"]: listed["uri"] for listed in get_representation_list(filled_client, path)["profiles"]
    }


# 6.5, 7.2.1: the query string takes precedence over the header fields


@for_each_path
def test_query_string_takes_precedence_over_header_fields(filled_client: httpx2.Client, path: str) -> None:
    listed = get_representation_list(filled_client, path)["profiles"][-1]
    headers = {"Accept-Profile": "<urn:example:unknown>", "Accept": "image/png"}
    for media_type in listed["media_types"]:
        parameters = f"_profile={listed['token']}&_mediatype={quote(media_type)}"
        response = filled_client.get(add_parameters(path, parameters), headers=headers)
        assert (response.status_code, content_profile(response)) == (200, listed["token"])


# Pages without profiles


@pytest.mark.parametrize("path", ["/", "/queries", "/graphs", "/.well-known/void", "/feed.atom"])
def test_profile_parameter_is_refused_where_there_are_no_profiles(
    filled_client: httpx2.Client, path: str
) -> None:
    assert filled_client.get(add_parameters(path, "_profile=skos")).status_code == 400


def test_search_results_have_profiles_wgig_and_schema_org(filled_client: httpx2.Client) -> None:
    path = "/search?q=spam"
    assert content_profile(filled_client.get(path)) == "wgig"
    for name in ("schema.org", "<https://schema.org/>", "skos, schema.org;q=0.1"):
        response = filled_client.get(path, headers={"Accept-Profile": name})
        assert (response.headers["content-type"], content_profile(response)) == (
            "application/ld+json",
            "schema.org",
        )
    assert content_profile(filled_client.get(path, headers={"Accept": "application/ld+json"})) == "schema.org"
    refused = filled_client.get(path, headers={"Accept-Profile": "<urn:example:unknown>"})
    assert refused.status_code == 406
    assert [available["token"] for available in refused.json()["profiles"]] == ["wgig", "schema.org"]
    for link in parse_links(filled_client.get(path), "alternate"):
        if "type" not in link.attributes:  # the list of representations
            continue
        alternate = filled_client.get(link.target, headers={"Accept": link.attributes["type"]})
        assert alternate.headers["content-type"].partition(";")[0] == link.attributes["type"]
