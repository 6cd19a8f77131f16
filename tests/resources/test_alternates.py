"""What there is of a thing is listed, linked and mapped to tokens (Content Negotiation by Profile, 6.4)."""

from urllib.parse import quote

import httpx
import pyoxigraph as ox
import pytest
from wgig.store.store import Store

from tests.fixtures.link_header import links
from tests.fixtures.profiles import (
    BASE,
    CONFORMS_TO,
    IRIS,
    KNOWN,
    MODEL,
    SPAM,
    profile,
    representations,
    value,
)
from tests.fixtures.service import Get, client_over
from tests.fixtures.triples import response_triples

RDF_NS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDF = ("text/turtle", "application/n-triples", "application/rdf+xml")


# 6.3.1 List profiles: a server lists what it is able to deliver, and nothing else


def test_what_is_listed_is_delivered_and_nothing_else_for_things_of_each_type(
    shipped: ox.Store, reader: httpx.Client
) -> None:
    some = {
        quad.object: quad.subject.value.removeprefix(f"{BASE}id/")
        for quad in shipped.quads_for_pattern(None, ox.NamedNode(f"{RDF_NS}type"), None)
        if isinstance(quad.subject, ox.NamedNode) and quad.subject.value.startswith(f"{BASE}id/")
    }
    assert len(some) > 40
    for path in sorted({f"/doc/{one}" for one in some.values()} | {"/graph/issues", "/ontology"}):
        listed = reader.get(path, params={"_profile": "all", "_mediatype": "application/json"}).json()
        offered = {one["token"] for one in listed["profiles"]}
        for token in KNOWN:
            answer = reader.get(path, params={"_profile": token})
            assert answer.status_code == (200 if token in offered else 406), (path, token)
            assert token not in offered or profile(answer) == token


@pytest.mark.parametrize("path", [SPAM, "/graph/documents", "/ontology", "/doc/document/declaration"])
def test_each_media_type_that_is_listed_is_delivered(reader: httpx.Client, path: str) -> None:
    listed = reader.get(path, params={"_profile": "all", "_mediatype": "application/json"}).json()
    for one in listed["profiles"]:
        for media_type in one["media_types"]:
            asked = {"_profile": one["token"], "_mediatype": media_type}
            answer = reader.get(path, params=asked)
            assert answer.status_code == 200
            assert answer.headers["content-type"].partition(";")[0] == media_type
            assert profile(answer) == one["token"]


# 6.4 Alternate Representations Data Model


@pytest.mark.parametrize("token", ["all", "alt"])
def test_the_list_as_rdf_is_that_of_the_link_field(get: Get, token: str) -> None:
    answer = get(f"/doc/agent/kim?_profile={token}", accept="text/turtle")
    assert answer.headers["content-profile"] == f"<{MODEL}>"
    found = {
        (one.subject, one.predicate.value.rpartition("#")[2], one.object) for one in response_triples(answer)
    }
    thing = ox.NamedNode(f"{BASE}id/agent/kim")
    all_ = [end for start, name, end in found if (start, name) == (thing, "hasRepresentation")]
    default = [end for start, name, end in found if (start, name) == (thing, "hasDefaultRepresentation")]
    assert len(default) == 1
    assert default[0] in all_
    said = {
        (value(answer, one, "http://purl.org/dc/terms/format"), value(answer, one, CONFORMS_TO))
        for one in all_
    }
    assert said == {
        (one.attributes["type"], one.attributes["profile"]) for one in representations(get("/doc/agent/kim"))
    } | {(default_type(answer, default[0]), IRIS["wgig"])}


def default_type(answer: httpx.Response, node: object) -> str:
    return value(answer, node, "http://purl.org/dc/terms/format")


@pytest.mark.parametrize("path", [SPAM, f"{SPAM}.html", f"{SPAM}?_profile=skos", "/doc/issue", "/graph/test"])
def test_every_answer_says_which_profile_it_has(get: Get, path: str) -> None:
    answer = get(path)
    token = profile(answer)
    assert [one.target for one in links(answer, "profile")] == [IRIS[token]]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_default_is_canonical_and_all_others_are_alternates(get: Get, method: str) -> None:
    answer = get("/doc/agent/kim", method)
    canonical = links(answer, "canonical")
    assert [(one.target, one.attributes) for one in canonical] == [
        ("/doc/agent/kim", {"type": "text/turtle", "profile": IRIS["wgig"]})
    ]
    default = get("/doc/agent/kim")
    assert (default.headers["content-type"].partition(";")[0], profile(default)) == ("text/turtle", "wgig")
    found = {(one.attributes["profile"], one.attributes["type"]) for one in representations(answer)}
    assert found == {
        (KNOWN[token].iri, format_.media_type)
        for token in ("wgig", "schema.org", "oai_dc")
        for format_ in KNOWN[token].formats
    }
    for one in representations(answer):
        there = get(one.target)
        assert there.headers["content-type"].partition(";")[0] == one.attributes["type"]
        assert there.headers["content-profile"] == f"<{one.attributes['profile']}>"


@pytest.mark.parametrize(
    "path", [f"{SPAM}.nt", f"{SPAM}?_profile=skos", "/graph/test?_profile=dcat", "/doc/issue"]
)
def test_content_location_names_just_this_representation(get: Get, path: str) -> None:
    answer = get(path, accept="*/*")
    again = get(answer.headers["content-location"], accept="text/html;q=0.1")
    assert again.content == answer.content
    assert again.headers["etag"] == answer.headers["etag"]
    assert again.headers["content-location"] == answer.headers["content-location"]


# 7.1.1.2 Token mappings


def test_for_each_token_a_link_says_which_profile_it_means(get: Get) -> None:
    found = {one.attributes["token"]: one for one in links(get(SPAM), "type")}
    assert {token: one.attributes["anchor"] for token, one in found.items()} == {
        token: IRIS[token] for token in ("wgig", "schema.org", "skos", "oai_dc")
    }
    assert {one.target for one in found.values()} == {"http://www.w3.org/ns/dx/prof/Profile"}


# 7.2 Query string arguments


def test_the_list_can_be_had_as_a_page_as_json_and_as_rdf(get: Get) -> None:
    page = get(f"{SPAM}?_profile=all", accept="text/html")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    document = get(f"{SPAM}?_profile=all", accept="application/json").json()
    assert document["resource"] == f"{BASE}id/issue/spam"
    assert document["default"] == {"token": "wgig", "media_type": "text/turtle"}
    for one in document["profiles"]:
        assert one["uri"] == IRIS[one["token"]]
        assert one["uri"] in page.text
    assert f'href="{SPAM}.xml?_profile=oai_dc"' in page.text
    for media_type in RDF:
        answer = get(f"{SPAM}?_profile=all&_mediatype={quote(media_type)}")
        assert response_triples(answer, ox.RdfFormat.from_media_type(media_type))


def test_the_list_has_the_link_field_of_the_thing(get: Get) -> None:
    listed = links(get(f"{SPAM}?_profile=all"), "canonical", "type")
    assert listed == links(get(SPAM), "canonical", "type")


def test_the_way_to_the_list_is_linked_by_the_model_of_the_list(get: Get) -> None:
    found = [one.target for one in links(get(SPAM), "alternate") if one.attributes["profile"] == MODEL]
    assert found == [f"{SPAM}?_profile=all"]


def test_an_iri_may_be_escaped_or_not(small_store: Store) -> None:
    escaped = client_over(small_store).get(f"{SPAM}?_profile=%3Chttps%3A%2F%2Fschema.org%2F%3E")
    plain = client_over(small_store).get(
        httpx.URL("http://localhost", raw_path=f"{SPAM}?_profile=<https://schema.org/>".encode())
    )
    assert profile(escaped) == profile(plain) == "schema.org"


def test_profiles_are_listed_in_the_order_of_preference(get: Get) -> None:
    assert (
        profile(get("/doc/agent/kim?_profile=skos,%3Chttp://example.org/y%3E,oai_dc,schema.org")) == "oai_dc"
    )
    assert profile(get(f"{SPAM}?_profile=skos,oai_dc")) == "skos"
    assert profile(get(f"{SPAM}?_profile=skos,oai_dc,skos")) == "skos"
    assert profile(get(SPAM, accept_profile="skos;q=0.5, oai_dc;q=0.4, skos;q=0.1")) == "skos"


def test_media_types_are_listed_in_the_order_of_preference(get: Get) -> None:
    answer = get(f"{SPAM}?_mediatype=image/png,application/rdf%2Bxml,text/turtle")
    assert answer.headers["content-type"] == "application/rdf+xml"


# Links stand in what has no profiles as well


@pytest.mark.parametrize("path", ["/", "/graphs", "/context.jsonld", "/doc/issue", SPAM, "/ontology"])
def test_whatever_holds_data_links_what_describes_it_and_its_license(get: Get, path: str) -> None:
    found = {one.target for one in links(get(path), "describedby", "license")}
    assert found >= {"/ontology", "https://creativecommons.org/licenses/by/4.0/"}


def test_the_list_of_graphs_links_its_formats(get: Get) -> None:
    found = links(get("/graphs", accept="text/html"), "alternate")
    assert len(found) == 5
    for one in found:
        assert get(one.target).headers["content-type"].partition(";")[0] == one.attributes["type"]
