"""Content Negotiation by Profile (W3C): each clause for servers, by the section that states it."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pyoxigraph as ox
import pytest
from wgig.rdf.serialization import parse_graph_document as parse
from wgig.resources import mappings
from wgig.resources.alternates import MAX_LINK_FIELD_BYTES
from wgig.resources.profiles import PROFILES_FOLDER, profile_triples, profiles_by_token, read_profile_file
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.link_header import Link, links
from tests.fixtures.service import Get, client_over, service_of
from tests.fixtures.triples import response_triples

Client = Callable[[Store], httpx.Client]

BASE = Settings.base
KNOWN = profiles_by_token(BASE)
IRIS = {token: one.iri for token, one in KNOWN.items()}
SPAM = "/doc/issue/spam"
MODEL = "http://www.w3.org/ns/dx/conneg/altr"
RDF_NS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
CONFORMS_TO = "http://purl.org/dc/terms/conformsTo"
RDF = ("text/turtle", "application/n-triples", "application/rdf+xml")


@pytest.fixture(scope="module")
def client_of_module() -> Client:
    return lambda store: service_of(Settings(), store)


def profile(answer: httpx.Response) -> str:
    """The token of the profile that an answer says it has."""
    field = answer.headers["content-profile"]
    return next(token for token, iri in IRIS.items() if field == f"<{iri}>")


def representations(answer: httpx.Response) -> list[Link]:
    return [one for one in links(answer, "canonical", "alternate") if one.attributes.get("profile") != MODEL]


# 6.2 Profile identification


@pytest.mark.parametrize("token", ["schema.org", "skos", "oai_dc", "wgig"])
def test_a_profile_is_identified_by_its_iri_or_by_a_token(get: Get, token: str) -> None:
    by_token = get(SPAM, accept_profile=token)
    by_iri = get(SPAM, accept_profile=f"<{IRIS[token]}>")
    assert profile(by_token) == profile(by_iri) == token
    assert by_token.content == by_iri.content


@pytest.mark.parametrize("iri", ["http://schema.org/", "https://schema.org"])
def test_a_profile_may_have_other_names(get: Get, iri: str) -> None:
    assert profile(get(SPAM, accept_profile=f"<{iri}>")) == "schema.org"


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


# 6.3.2 Get resource by profile


def test_who_asks_for_no_profile_gets_our_own(get: Get) -> None:
    assert profile(get(SPAM)) == "wgig"


def test_the_best_that_there_is_of_several_is_given(get: Get) -> None:
    assert profile(get("/doc/agent/kim", accept_profile="skos, <https://schema.org/>;q=0.5")) == "schema.org"


def test_a_profile_that_nobody_knows_is_refused_with_those_that_there_are(get: Get) -> None:
    for answer in (
        get(SPAM, accept_profile="<urn:example:unknown>"),
        get(f"{SPAM}?_profile=unknown"),
        get(f"{SPAM}?_profile=%3Curn:example:unknown%3E"),
    ):
        assert answer.status_code == 406
        assert {one["token"]: one["uri"] for one in answer.json()["profiles"]} == IRIS
        assert "Accept-Profile" in answer.headers["vary"]


def test_a_profile_that_has_nothing_for_a_thing_is_refused_with_those_that_have(get: Get) -> None:
    answer = get("/doc/agent/kim?_profile=skos")
    assert answer.status_code == 406
    assert [one["token"] for one in answer.json()["profiles"]] == ["wgig", "oai_dc", "schema.org"]
    assert "by the profile skos" in answer.json()["detail"]


def test_the_way_to_a_description_says_which_profile_it_takes(get: Get) -> None:
    answer = get("/id/issue/spam", accept_profile="dcat, skos;q=0.9, oai_dc;q=0.8")
    assert (answer.status_code, profile(answer)) == (303, "skos")
    assert answer.headers["location"] == f"{SPAM}?_profile=skos"
    assert "Accept-Profile" in answer.headers["vary"]
    assert profile(get(answer.headers["location"])) == "skos"


def test_the_way_to_a_description_keeps_what_else_was_asked(get: Get) -> None:
    answer = get("/id/issue/spam?lang=ar&_mediatype=text/turtle&_profile=skos")
    assert answer.headers["location"] == f"{SPAM}?lang=ar&_mediatype=text/turtle&_profile=skos"
    assert get("/id/issue/spam?_profile=all").headers["location"] == f"{SPAM}?_profile=all"
    assert get("/id/agent/kim?_profile=skos").status_code == 406
    assert get("/id/issue?_profile=schema.org").status_code == 406  # a list


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


def value(answer: httpx.Response, node: object, property_: str) -> str:
    return next(
        str(one.object.value)
        for one in response_triples(answer)
        if (one.subject, one.predicate.value) == (node, property_) and not isinstance(one.object, ox.Triple)
    )


def default_type(answer: httpx.Response, node: object) -> str:
    return value(answer, node, "http://purl.org/dc/terms/format")


# 6.5 Order of precedence


def test_the_query_string_beats_the_header_fields(get: Get) -> None:
    answer = get(f"{SPAM}?_profile=skos", accept_profile=f"<{IRIS['schema.org']}>", accept="text/turtle")
    assert profile(answer) == "skos"
    answer = get(f"{SPAM}?_profile=skos&_mediatype=application/n-triples", accept="text/turtle")
    assert answer.headers["content-type"] == "application/n-triples"


# 7.1 Header fields


def test_a_profile_that_is_liked_beats_a_media_type_that_is_liked(get: Get) -> None:
    answer = get(SPAM, accept_profile="skos", accept="text/html, text/turtle;q=0.1")
    assert (profile(answer), answer.headers["content-type"]) == ("skos", "text/turtle; charset=utf-8")


def test_what_conforms_to_no_profile_that_is_listed_is_not_given(get: Get) -> None:
    assert get(SPAM, accept_profile="skos", accept="text/html").status_code == 406
    assert get(SPAM, accept_profile="wgig;q=0, skos;q=0").status_code == 406
    assert profile(get(SPAM, accept_profile="wgig;q=0, *;q=0.1")) != "wgig"


def test_without_a_wish_for_a_profile_the_media_type_alone_decides(get: Get) -> None:
    assert profile(get(SPAM, accept="application/xml")) == "oai_dc"
    assert profile(get(SPAM, accept="text/html")) == "wgig"


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


# 7.1.2 Get resource by profile


def test_several_profiles_are_parted_by_commas_or_stand_in_fields_of_their_own(small_store: Store) -> None:
    fields = [("Accept-Profile", "<urn:x>"), ("Accept-Profile", f"<{IRIS['skos']}>;q=0.3,schema.org;q=0.4")]
    answer = client_over(small_store).get(SPAM, headers=fields)
    assert profile(answer) == "schema.org"


@pytest.mark.parametrize(
    "field",
    [
        "https://schema.org/",
        "<https://schema.org/",
        "skos;v=1",
        "skos schema.org",
        "<a b>",
        ";q=1",
        ", ,",
        ", ".join(["skos"] * 51),
    ],
)
def test_a_field_that_is_malformed_is_a_bad_request(get: Get, field: str) -> None:
    answer = get(SPAM, accept_profile=field)
    assert answer.status_code == 400
    assert "Accept-Profile" in answer.json()["detail"]


@pytest.mark.parametrize("q", ["2", "-1", "abc", "", "0.1234"])
@pytest.mark.parametrize("field", ["Accept", "Accept-Language", "Accept-Profile"])
def test_an_item_with_a_bad_weight_is_left_out_of_every_field(get: Get, field: str, q: str) -> None:
    best, other = {
        "Accept": ("application/n-triples", "application/rdf+xml"),
        "Accept-Language": ("ar", "fr"),
        "Accept-Profile": ("skos", "schema.org"),
    }[field]

    def asked(value: str) -> bytes:
        return get(SPAM, **{field.replace("-", "_"): value}).content

    assert asked(f"{best};q={q}, {other};q=0.5") == asked(other)
    assert asked(f"{best};q={q}") == asked("")


@pytest.mark.parametrize(
    ("field", "better", "worse"),
    [
        ("Accept", "application/n-triples", "application/rdf+xml"),
        ("Accept-Language", "ar", "fr"),
        ("Accept-Profile", "skos", "schema.org"),
    ],
)
def test_a_weight_may_lack_its_zero_in_every_field(get: Get, field: str, better: str, worse: str) -> None:
    def asked(value: str) -> bytes:
        return get(SPAM, **{field.replace("-", "_"): value}).content

    assert asked(f"{worse};q=.1, {better};q=.2") == asked(better) != asked(worse)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("skos;q=0", "No profile is asked for, and skos is excluded by q=0. Ask for one of: wgig"),
        ("*;q=0", "No profile is asked for, and * is excluded by q=0."),
        ("x, skos;q=0", "None of the profiles x is known here, and skos is excluded by q=0."),
        ("x, *;q=0", "None of the profiles x is known here, and * is excluded by q=0."),
        ("x", "None of the profiles x is known here. Ask"),
    ],
)
def test_a_refusal_says_which_profiles_were_excluded(get: Get, field: str, said: str) -> None:
    answer = get(SPAM, accept_profile=field)
    assert (answer.status_code, said in answer.json()["detail"]) == (406, True), answer.text


def test_an_empty_field_asks_for_nothing(get: Get) -> None:
    assert profile(get(SPAM, accept_profile=" ")) == "wgig"


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


@pytest.mark.parametrize(
    "query",
    [
        "_profile=",
        "_profile=skos,",
        "_profile=https://schema.org/",
        "_profile=skos&_profile=wgig",
        "_profile=" + ",".join(["skos"] * 51),
        "_mediatype=text/turtle&_mediatype=text/html",
        "_mediatype=" + ",".join(["text/turtle"] * 51),
        "_prfile=skos",
    ],
)
@pytest.mark.parametrize("path", [SPAM, "/graph/test", "/ontology"])
def test_a_query_string_that_is_malformed_is_a_bad_request(get: Get, path: str, query: str) -> None:
    assert get(f"{path}?{query}").status_code == 400


# Every resource that has representations keeps the clauses, whatever it is

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


# 6.2: an IRI had better be one that leads to a description


def test_profiles_are_named_by_http_and_ours_leads_to_its_description(get: Get) -> None:
    assert all(iri.startswith(("http://", "https://")) for iri in IRIS.values())
    assert get(f"/{IRIS['wgig'].removeprefix(BASE)}").status_code == 200


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


# Independence: one dimension does not move another


def test_language_and_profile_are_chosen_apart(get: Get) -> None:
    answer = get(f"{SPAM}?_profile=skos&lang=ar")
    assert (profile(answer), answer.headers["content-language"]) == ("skos", "ar, en")
    texts = {one.object.value for one in response_triples(answer) if isinstance(one.object, ox.Literal)}
    assert "البريد المزعج" in texts
    assert "Spam" not in texts


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


# Answers are kept by all dimensions


def test_an_answer_is_never_given_to_who_asks_for_another_profile_or_language(small_store: Store) -> None:
    wishes = [
        {"Accept-Profile": profile_, "Accept-Language": language, "Accept": accept}
        for profile_ in ("wgig", "skos", "<https://schema.org/>", "skos;q=0.1, oai_dc", "")
        for language in ("en", "ar", "fr, ar;q=0.5")
        for accept in ("text/turtle", "text/html, */*;q=0.1")
    ]
    kept = client_over(small_store)
    first = [kept.get(SPAM, headers=one) for one in wishes]
    again = [kept.get(SPAM, headers=one) for one in reversed(wishes)][::-1]
    alone = [client_over(small_store).get(SPAM, headers=one) for one in wishes]
    assert len({one.content for one in alone}) > 6
    for one, other, third in zip(first, again, alone, strict=True):
        assert one.content == other.content == third.content
        assert len({answer.headers.pop("x-request-id") for answer in (one, other, third)}) == 3
        assert one.headers == other.headers == third.headers


def test_each_representation_has_an_entity_tag_of_its_own(get: Get) -> None:
    found = [get(one.target) for one in representations(get(SPAM)) if one.relations == ("alternate",)]
    assert len({one.headers["etag"] for one in found}) == len(found)


# Nothing that a stranger sends leaves its place

HOSTILE = [
    '"><script>alert(1)</script>',
    "<javascript:alert(1)>",
    "skos\r\nSet-Cookie: a=b",
    "<https://schema.org/> } DROP ALL #",
    "../../etc/passwd",
    "skos\u0000",
    "\u202eskos",
    "{{7*7}}",
    "<" * 10_000,
    "," * 10_000,
    "a" * 10_000,
    "<http://x/" + "a" * 10_000 + ">",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("key", ["_profile", "_mediatype", "lang", "_frame", '"><script>'])
@pytest.mark.parametrize("path", [SPAM, "/id/issue/spam", "/graph/test", "/ontology"])
def test_a_hostile_parameter_is_refused_and_shown_as_text(get: Get, path: str, key: str, text: str) -> None:
    accept = "text/html" if path == SPAM else "application/json"
    answer = get(f"{path}?{quote(key)}={quote(text)}", accept=accept)
    assert answer.status_code in (400, 406)
    assert "set-cookie" not in answer.headers
    assert "<script>alert" not in answer.text or answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 20_000


@pytest.mark.parametrize("text", [one for one in HOSTILE if one.isascii() and one.isprintable()])
def test_a_hostile_field_is_refused(get: Get, text: str) -> None:
    answer = get(SPAM, accept_profile=text, accept="text/html")
    assert answer.status_code in (400, 406)
    assert "<script>alert" not in answer.text
    assert len(answer.content) < 20_000


# What our own rules add


def test_the_link_field_is_bounded_whatever_the_name_of_the_thing() -> None:
    store = Store.in_memory()
    name = "x" * 2_000
    store.apply(store.compute_addition(None, parse(f"<{BASE}id/{name}> a <urn:C> .".encode(), "text/turtle")))
    answer = client_over(store).get(f"/doc/{name}")
    assert answer.status_code == 200
    assert 0 < len(answer.headers["link"]) <= MAX_LINK_FIELD_BYTES


@pytest.mark.parametrize("token", [token for token in KNOWN if token != "wgig"])
def test_a_profile_says_the_same_in_every_format_of_rdf(reader: httpx.Client, token: str) -> None:
    path = f"/graph/issues?_profile={token}" if token == "dcat" else f"{SPAM}?_profile={token}"
    formats = {"text/turtle": ox.RdfFormat.TURTLE, "application/n-triples": ox.RdfFormat.N_TRIPLES}
    formats |= {"application/rdf+xml": ox.RdfFormat.RDF_XML, "application/ld+json": ox.RdfFormat.JSON_LD}
    said = [
        response_triples(reader.get(f"{path}&_mediatype={quote(name)}"), format_)
        for name, format_ in formats.items()
    ]
    assert said[0]
    assert all(one == said[0] for one in said)


def test_dublin_core_is_written_as_harvesters_read_it(get: Get) -> None:
    answer = get("/doc/issue/hostile.xml")
    assert answer.headers["content-type"] == "application/xml"
    root = ET.fromstring(answer.content)
    assert root.tag == f"{{{mappings.OAI_DC_NAMESPACE}}}dc"
    elements = [one.tag.removeprefix(f"{{{mappings.DC_ELEMENTS_NAMESPACE}}}") for one in root]
    assert set(elements) <= set(mappings.DC_ELEMENTS)
    assert elements == sorted(elements, key=mappings.DC_ELEMENTS.index)
    assert not [
        one for one in root if len(one) or one.attrib.keys() - {"{http://www.w3.org/XML/1998/namespace}lang"}
    ]
    assert root.findtext(f"{{{mappings.DC_ELEMENTS_NAMESPACE}}}title") == "<script>alert(1)</script>"


def test_a_character_that_xml_does_not_have_is_not_acceptable_in_it() -> None:
    store = Store.in_memory()
    fact = f'<{BASE}id/x/y> <http://purl.org/dc/terms/title> "a\\u0001b" .'
    store.apply(store.compute_addition(None, parse(fact.encode(), "text/turtle")))
    answer = client_over(store).get("/doc/x/y.xml")
    assert answer.status_code == 406
    assert "U+0001" in answer.json()["detail"]


def test_a_graph_is_itself_by_our_own_profile_and_a_dataset_by_others(get: Get) -> None:
    dataset = ox.NamedNode("http://www.w3.org/ns/dcat#Dataset")
    found = response_triples(get("/graph/ontology?_profile=dcat"))
    assert dataset in {one.object for one in found}
    downloads = [one.object for one in found if one.predicate.value.endswith("#downloadURL")]
    assert len(downloads) == 4
    for one in downloads:
        assert isinstance(one, ox.NamedNode)
        assert one.value.startswith("http://localhost/graph/ontology?")
        assert get(one.value).status_code == 200
    assert dataset not in {one.object for one in response_triples(get("/graph/ontology"))}
    assert get("/graph/ontology?_profile=skos").status_code == 406


def test_a_graph_that_a_format_cannot_say_is_not_acceptable_in_it(get: Get) -> None:
    answer = get("/graph/test?_mediatype=application/ld%2Bjson")
    assert answer.status_code == 406
    assert "text/turtle" in answer.json()["offered"]


def test_what_a_thing_says_of_other_pages_does_not_move_its_profiles() -> None:
    store = Store.in_memory()
    topic = "<http://xmlns.com/foaf/0.1/primaryTopic>"
    facts = f"<{BASE}id/x/y> {topic} <urn:other> . <urn:page> {topic} <{BASE}id/x/y> ."
    store.apply(store.compute_addition(None, parse(facts.encode(), "text/turtle")))
    found = response_triples(client_over(store).get("/doc/x/y?_profile=schema.org"))
    assert {one.subject for one in found} == {ox.NamedNode(f"{BASE}id/x/y")}
    assert [one.object for one in found if one.predicate.value == "https://schema.org/url"] == [
        ox.NamedNode("http://localhost/doc/x/y")
    ]


def test_a_client_of_another_site_may_ask_and_read(writable: httpx.Client, get: Get) -> None:
    asked = writable.options("/doc/issue/spam")
    allowed = asked.headers["access-control-allow-headers"].split(", ")
    assert {"Accept-Profile", "If-Range", "Range"} <= set(allowed)
    exposed = get(SPAM).headers["access-control-expose-headers"]
    assert "Content-Profile" in exposed
    assert "Content-Language" in exposed


def test_each_profile_is_described_in_prof() -> None:
    found = list(profile_triples(BASE))
    tokens = {one.subject: one.object for one in found if one.predicate.value.endswith("hasToken")}
    assert tokens == {ox.NamedNode(iri): ox.Literal(token) for token, iri in IRIS.items()}
    assert {one.subject for one in found} == tokens.keys()


def test_no_name_means_two_profiles() -> None:
    names = [name for one in KNOWN.values() for name in (one.token, one.iri, *one.alias_iris)]
    assert len(names) == len(set(names))


def test_a_profile_of_another_base_speaks_of_that() -> None:
    elsewhere = profiles_by_token("https://example.org/")
    assert elsewhere["wgig"].iri == "https://example.org/ontology"
    assert "https://example.org/ontology#Issue" in elsewhere["skos"].classes
    assert BASE not in elsewhere["schema.org"].query


def test_a_file_without_its_header_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "x.rq"
    path.write_text((PROFILES_FOLDER / "skos.rq").read_text().replace("# title", "# titel"))
    with pytest.raises(ValueError, match=r"x.rq lacks the comment line '# title"):
        read_profile_file(path, BASE)
