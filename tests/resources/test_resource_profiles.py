"""Every resource that has representations keeps the clauses of Content Negotiation by Profile."""

from typing import Any
from urllib.parse import quote

import httpx
import pyoxigraph as ox
import pytest
from wgig.resources.alternates import MAX_LINK_FIELD_BYTES

from tests.fixtures.link_header import links
from tests.fixtures.profiles import CONFORMS_TO, IRIS, KNOWN, MODEL, SPAM, profile, representations, value
from tests.fixtures.triples import response_triples

# Every resource that has representations keeps the clauses, whatever it is.
RESOURCES = (
    SPAM,
    f"{SPAM}?_frame=issue",
    f"{SPAM}?inverse=issue&page=1",
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
resource = pytest.mark.parametrize("path", RESOURCES)


def beside(path: str, parameters: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{parameters}"


def listed(every: httpx.Client, path: str) -> dict[str, Any]:
    answer = every.get(beside(path, "_profile=all&_mediatype=application/json"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


# 6.3.1, 7.2.2: what is listed is what is delivered, by token and by IRI, in each media type, and nothing else


@resource
def test_a_resource_is_delivered_by_each_profile_that_it_lists_and_by_no_other(
    filled_client: httpx.Client, path: str
) -> None:
    there = listed(filled_client, path)["profiles"]
    assert there
    for one in there:
        for name in (one["token"], f"<{one['uri']}>"):
            by_address = filled_client.get(beside(path, f"_profile={quote(name, safe='')}"))
            by_field = filled_client.get(path, headers={"Accept-Profile": name})
            assert profile(by_address) == profile(by_field) == one["token"]
            assert by_address.content == by_field.content
        for media_type in one["media_types"]:
            answer = filled_client.get(
                beside(path, f"_profile={one['token']}&_mediatype={quote(media_type)}")
            )
            assert (answer.status_code, profile(answer)) == (200, one["token"])
            assert answer.headers["content-type"].partition(";")[0] == media_type
    for token in KNOWN.keys() - {one["token"] for one in there}:
        assert filled_client.get(beside(path, f"_profile={token}")).status_code == 406


# 6.3.2: a profile that is not there is told, and never replaced


@resource
@pytest.mark.parametrize("name", ["<urn:example:unknown>", "unknown"])
def test_a_resource_refuses_a_profile_that_it_does_not_know(
    filled_client: httpx.Client, path: str, name: str
) -> None:
    tokens = {one["token"] for one in listed(filled_client, path)["profiles"]}
    for answer in (
        filled_client.get(beside(path, f"_profile={quote(name)}")),
        filled_client.get(path, headers={"Accept-Profile": name}),
    ):
        assert answer.status_code == 406
        assert {one["token"] for one in answer.json()["profiles"]} >= tokens
        assert "Accept-Profile" in answer.headers["vary"]


@resource
def test_an_exact_match_beats_what_comes_after_it(filled_client: httpx.Client, path: str) -> None:
    there = [one["token"] for one in listed(filled_client, path)["profiles"]]
    for token in there:
        later = ", ".join(f"{one};q=0.5" for one in there if one != token)
        answer = filled_client.get(
            path, headers={"Accept-Profile": f"<urn:example:x>, {token};q=0.9, {later}".strip(", ")}
        )
        assert profile(answer) == token


# 6.4, 7.1.1: the default is canonical, the others are alternates; the list as RDF says the same


@resource
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_resource_links_its_default_and_all_its_other_representations(
    filled_client: httpx.Client, path: str, method: str
) -> None:
    answer = filled_client.request(method, path)
    (canonical,) = links(answer, "canonical")
    default = filled_client.get(canonical.target)
    assert default.headers["content-type"].partition(";")[0] == canonical.attributes["type"]
    assert default.headers["content-profile"] == f"<{canonical.attributes['profile']}>"
    assert default.content == filled_client.get(path).content
    listed_ = {
        (one["uri"], media_type)
        for one in listed(filled_client, path)["profiles"]
        for media_type in one["media_types"]
    }
    linked = {(one.attributes["profile"], one.attributes["type"]) for one in representations(answer)}
    assert linked == listed_ or (
        linked < listed_ and len(answer.headers["link"]) > MAX_LINK_FIELD_BYTES - 200
    )
    assert {iri for iri, _ in linked} == {iri for iri, _ in listed_}
    for one in representations(answer):
        there = filled_client.get(one.target)
        assert there.status_code == 200, one
        assert there.headers["content-type"].partition(";")[0] == one.attributes["type"]
        assert there.headers["content-profile"] == f"<{one.attributes['profile']}>"


@resource
def test_the_list_of_a_resource_is_said_by_the_model_in_rdf(filled_client: httpx.Client, path: str) -> None:
    answer = filled_client.get(beside(path, "_profile=alt&_mediatype=text/turtle"))
    assert answer.headers["content-profile"] == f"<{MODEL}>"
    found = response_triples(answer)
    said = {
        (value(answer, one.object, CONFORMS_TO), value(answer, one.object, "http://purl.org/dc/terms/format"))
        for one in found
        if one.predicate.value.endswith("#hasRepresentation")
    }
    assert said == {
        (one["uri"], media_type)
        for one in listed(filled_client, path)["profiles"]
        for media_type in one["media_types"]
    }
    (default,) = [one for one in found if one.predicate.value.endswith("#hasDefaultRepresentation")]
    assert default.subject == ox.NamedNode(listed(filled_client, path)["resource"])


@resource
def test_a_resource_links_the_list_by_its_model(filled_client: httpx.Client, path: str) -> None:
    (found,) = [
        one for one in links(filled_client.get(path), "alternate") if one.attributes["profile"] == MODEL
    ]
    answer = filled_client.get(found.target)
    assert answer.headers["content-profile"] == f"<{MODEL}>"
    assert links(answer, "canonical", "type") == links(filled_client.get(path), "canonical", "type")


# 7.1, 7.1.2: Content-Profile in all cases, between angle brackets; and what the answer depends on


@resource
def test_a_resource_says_which_profile_it_has_in_every_answer(filled_client: httpx.Client, path: str) -> None:
    answer = filled_client.get(path)
    assert [one.target for one in links(answer, "profile")] == [IRIS[profile(answer)]]
    for other in (
        filled_client.head(path),
        filled_client.get(path, headers={"If-None-Match": answer.headers["etag"]}),
        filled_client.get(answer.headers["content-location"]),
    ):
        assert other.headers["content-profile"] == answer.headers["content-profile"]
        assert other.headers["etag"] == answer.headers["etag"]
        assert {"accept", "accept-profile"} <= {*other.headers["vary"].lower().split(", ")}


# 7.1.1.2, 8: each token is mapped to its IRI in the answers to which it belongs


@resource
def test_a_resource_maps_each_of_its_tokens_to_an_iri(filled_client: httpx.Client, path: str) -> None:
    found = links(filled_client.get(path), "type")
    assert {one.target for one in found} == {"http://www.w3.org/ns/dx/prof/Profile"}
    assert {one.attributes["token"]: one.attributes["anchor"] for one in found} == {
        one["token"]: one["uri"] for one in listed(filled_client, path)["profiles"]
    }


# 6.5, 7.2.1: the address beats the fields, and what else it asks does not move the profile


@resource
def test_the_address_beats_the_fields_and_a_format_does_not_move_the_profile(
    filled_client: httpx.Client, path: str
) -> None:
    one = listed(filled_client, path)["profiles"][-1]
    fields = {"Accept-Profile": "<urn:example:unknown>", "Accept": "image/png"}
    for media_type in one["media_types"]:
        address = beside(path, f"_profile={one['token']}&_mediatype={quote(media_type)}")
        answer = filled_client.get(address, headers=fields)
        assert (answer.status_code, profile(answer)) == (200, one["token"])


# What has no profiles says so


@pytest.mark.parametrize("path", ["/", "/queries", "/graphs", "/.well-known/void", "/feed.atom"])
def test_a_profile_is_refused_in_the_address_of_what_has_none(filled_client: httpx.Client, path: str) -> None:
    assert filled_client.get(beside(path, "_profile=skos")).status_code == 400


def test_what_is_found_comes_by_our_own_profile_or_by_schema_org(filled_client: httpx.Client) -> None:
    path = "/search?q=spam"
    assert profile(filled_client.get(path)) == "wgig"
    for name in ("schema.org", "<https://schema.org/>", "skos, schema.org;q=0.1"):
        answer = filled_client.get(path, headers={"Accept-Profile": name})
        assert (answer.headers["content-type"], profile(answer)) == ("application/ld+json", "schema.org")
    assert profile(filled_client.get(path, headers={"Accept": "application/ld+json"})) == "schema.org"
    refused = filled_client.get(path, headers={"Accept-Profile": "<urn:example:unknown>"})
    assert (refused.status_code, [one["token"] for one in refused.json()["profiles"]]) == (
        406,
        ["wgig", "schema.org"],
    )
    for one in links(filled_client.get(path), "alternate"):
        there = filled_client.get(one.target, headers={"Accept": one.attributes["type"]})
        assert there.headers["content-type"].partition(";")[0] == one.attributes["type"]
