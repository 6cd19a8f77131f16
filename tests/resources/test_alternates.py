"""Lists and links of the representations of a resource, and tokens (short names) of profiles.

A profile is a vocabulary or a selection of facts in which a resource can be requested, such as `skos`.
The numbers are those of sections of Content Negotiation by Profile. The fixture `get` sends requests to a
service with the small graph of tests/fixtures/graph.ttl.
"""

from urllib.parse import quote

import httpx2
import pyoxigraph as ox
import pytest
from wgig.store.store import Store

from tests.fixtures.link_header import parse_links
from tests.fixtures.profiles import (
    BASE,
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
from tests.fixtures.service import GetFunction, make_store_client
from tests.fixtures.triples import response_triples

RDF_TYPE_IRI = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
DC_FORMAT_IRI = "http://purl.org/dc/terms/format"
RDF_MEDIA_TYPES = ("text/turtle", "application/n-triples", "application/rdf+xml")


# 6.3.1 List profiles: a server lists the profiles that it can deliver, and no others


def test_listed_profiles_and_no_others_are_delivered_for_each_type(
    shipped_store: ox.Store, shipped_client: httpx2.Client
) -> None:
    names_by_type = {
        quad.object: quad.subject.value.removeprefix(f"{BASE}id/")
        for quad in shipped_store.quads_for_pattern(None, ox.NamedNode(RDF_TYPE_IRI), None)
        if isinstance(quad.subject, ox.NamedNode) and quad.subject.value.startswith(f"{BASE}id/")
    }
    assert len(names_by_type) > 40
    paths = {f"/doc/{name}" for name in names_by_type.values()}
    for path in sorted(paths | {"/graph/issues", "/ontology"}):
        document = shipped_client.get(
            path, params={"_profile": "all", "_mediatype": "application/json"}
        ).json()
        offered_tokens = {profile["token"] for profile in document["profiles"]}
        for token in PROFILES_BY_TOKEN:
            response = shipped_client.get(path, params={"_profile": token})
            assert response.status_code == (200 if token in offered_tokens else 406), (path, token)
            assert token not in offered_tokens or content_profile(response) == token


@pytest.mark.parametrize("path", [SPAM_PATH, "/graph/documents", "/ontology", "/doc/document/declaration"])
def test_listed_media_types_are_delivered(shipped_client: httpx2.Client, path: str) -> None:
    document = shipped_client.get(path, params={"_profile": "all", "_mediatype": "application/json"}).json()
    for profile in document["profiles"]:
        for media_type in profile["media_types"]:
            response = shipped_client.get(
                path, params={"_profile": profile["token"], "_mediatype": media_type}
            )
            assert response.status_code == 200
            assert response.headers["content-type"].partition(";")[0] == media_type
            assert content_profile(response) == profile["token"]


# 6.4 Alternate Representations Data Model


@pytest.mark.parametrize("token", ["all", "alt"])
def test_list_in_rdf_is_the_same_as_in_link_header(get: GetFunction, token: str) -> None:
    response = get(f"/doc/agent/kim?_profile={token}", accept="text/turtle")
    assert response.headers["content-profile"] == f"<{REPRESENTATION_MODEL}>"
    kim = ox.NamedNode(f"{BASE}id/agent/kim")
    about_kim = [triple for triple in response_triples(response) if triple.subject == kim]
    nodes = [triple.object for triple in about_kim if triple.predicate.value.endswith("#hasRepresentation")]
    (default_node,) = (
        triple.object for triple in about_kim if triple.predicate.value.endswith("#hasDefaultRepresentation")
    )
    assert default_node in nodes
    assert {
        (find_value(response, node, DC_FORMAT_IRI), find_value(response, node, CONFORMS_TO)) for node in nodes
    } == {
        (link.attributes["type"], link.attributes["profile"])
        for link in list_representations(get("/doc/agent/kim"))
    } | {(find_value(response, default_node, DC_FORMAT_IRI), PROFILE_IRIS["wgig"])}


@pytest.mark.parametrize(
    "path", [SPAM_PATH, f"{SPAM_PATH}.html", f"{SPAM_PATH}?_profile=skos", "/doc/issue", "/graph/test"]
)
def test_response_links_its_profile(get: GetFunction, path: str) -> None:
    response = get(path)
    token = content_profile(response)
    assert [link.target for link in parse_links(response, "profile")] == [PROFILE_IRIS[token]]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_default_is_canonical_and_others_are_alternates(get: GetFunction, method: str) -> None:
    response = get("/doc/agent/kim", method)
    canonical_links = parse_links(response, "canonical")
    assert [(link.target, link.attributes) for link in canonical_links] == [
        ("/doc/agent/kim", {"type": "text/turtle", "profile": PROFILE_IRIS["wgig"]})
    ]
    default_response = get("/doc/agent/kim")
    assert (
        default_response.headers["content-type"].partition(";")[0],
        content_profile(default_response),
    ) == (
        "text/turtle",
        "wgig",
    )
    linked_formats = {
        (link.attributes["profile"], link.attributes["type"]) for link in list_representations(response)
    }
    assert linked_formats == {
        (PROFILES_BY_TOKEN[token].iri, format_.media_type)
        for token in ("wgig", "schema.org", "oai_dc")
        for format_ in PROFILES_BY_TOKEN[token].formats
    }
    for link in list_representations(response):
        alternate = get(link.target)
        assert alternate.headers["content-type"].partition(";")[0] == link.attributes["type"]
        assert alternate.headers["content-profile"] == f"<{link.attributes['profile']}>"


@pytest.mark.parametrize(
    "path", [f"{SPAM_PATH}.nt", f"{SPAM_PATH}?_profile=skos", "/graph/test?_profile=dcat", "/doc/issue"]
)
def test_content_location_identifies_representation(get: GetFunction, path: str) -> None:
    response = get(path, accept="*/*")
    repeated = get(response.headers["content-location"], accept="text/html;q=0.1")
    assert repeated.content == response.content
    assert repeated.headers["etag"] == response.headers["etag"]
    assert repeated.headers["content-location"] == response.headers["content-location"]


# 7.1.1.2 Token mappings


def test_links_map_tokens_to_profiles(get: GetFunction) -> None:
    token_links = list_token_links(get(SPAM_PATH))
    assert {link.attributes["token"]: link.attributes["anchor"] for link in token_links} == {
        token: PROFILE_IRIS[token] for token in ("wgig", "schema.org", "skos", "oai_dc")
    }
    assert {link.target for link in token_links} == {"http://www.w3.org/ns/dx/prof/Profile"}


# 7.2 Query string arguments


def test_list_is_page_json_or_rdf(get: GetFunction) -> None:
    page = get(f"{SPAM_PATH}?_profile=all", accept="text/html")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    document = get(f"{SPAM_PATH}?_profile=all", accept="application/json").json()
    assert document["resource"] == f"{BASE}id/issue/spam"
    assert document["default"] == {"token": "wgig", "media_type": "text/turtle"}
    for profile in document["profiles"]:
        assert profile["uri"] == PROFILE_IRIS[profile["token"]]
        assert profile["uri"] in page.text
    assert f'href="{SPAM_PATH}.xml?_profile=oai_dc"' in page.text
    for media_type in RDF_MEDIA_TYPES:
        response = get(f"{SPAM_PATH}?_profile=all&_mediatype={quote(media_type)}")
        assert response_triples(response, ox.RdfFormat.from_media_type(media_type))


def test_list_has_same_links_as_resource(get: GetFunction) -> None:
    response, response_of_list = get(SPAM_PATH), get(f"{SPAM_PATH}?_profile=all")
    assert parse_links(response_of_list, "canonical") == parse_links(response, "canonical")
    assert list_token_links(response_of_list) == list_token_links(response)


def test_resource_links_list_of_representations(get: GetFunction) -> None:
    alternates = parse_links(get(SPAM_PATH), "alternate")
    targets = [link.target for link in alternates if link.attributes["profile"] == REPRESENTATION_MODEL]
    assert targets == [f"{SPAM_PATH}?_profile=all"]


def test_profile_iri_may_be_percent_encoded_or_not(small_store: Store) -> None:
    escaped = make_store_client(small_store).get(f"{SPAM_PATH}?_profile=%3Chttps%3A%2F%2Fschema.org%2F%3E")
    unescaped = make_store_client(small_store).get(
        httpx2.URL("http://localhost", raw_path=f"{SPAM_PATH}?_profile=<https://schema.org/>".encode())
    )
    assert content_profile(escaped) == content_profile(unescaped) == "schema.org"


def test_first_available_profile_is_chosen(get: GetFunction) -> None:
    assert (
        content_profile(get("/doc/agent/kim?_profile=skos,%3Chttp://example.org/y%3E,oai_dc,schema.org"))
        == "oai_dc"
    )
    assert content_profile(get(f"{SPAM_PATH}?_profile=skos,oai_dc")) == "skos"
    assert content_profile(get(f"{SPAM_PATH}?_profile=skos,oai_dc,skos")) == "skos"
    assert content_profile(get(SPAM_PATH, accept_profile="skos;q=0.5, oai_dc;q=0.4, skos;q=0.1")) == "skos"


def test_first_available_media_type_is_chosen(get: GetFunction) -> None:
    response = get(f"{SPAM_PATH}?_mediatype=image/png,application/rdf%2Bxml,text/turtle")
    assert response.headers["content-type"] == "application/rdf+xml"


# Links of all responses with data, also those without profiles


@pytest.mark.parametrize("path", ["/", "/graphs", "/context.jsonld", "/doc/issue", SPAM_PATH, "/ontology"])
def test_data_links_ontology_and_license(get: GetFunction, path: str) -> None:
    targets = {link.target for link in parse_links(get(path), "describedby", "license")}
    assert targets >= {"/ontology", "https://creativecommons.org/licenses/by/4.0/"}


def test_list_of_graphs_links_its_formats(get: GetFunction) -> None:
    alternates = parse_links(get("/graphs", accept="text/html"), "alternate")
    assert len(alternates) == 5  # four RDF formats and JSON
    for link in alternates:
        assert get(link.target).headers["content-type"].partition(";")[0] == link.attributes["type"]
