"""The choice of a profile by query string and header fields, and invalid values.

The numbers are those of sections of Content Negotiation by Profile. The fixture `get` sends requests to a
service with the small graph of tests/fixtures/graph.ttl.
"""

from urllib.parse import quote

import pyoxigraph as ox
import pytest
from wgig.resources.profile_negotiation import MAX_NAMED_PROFILES
from wgig.store.store import Store

from tests.fixtures.profiles import PROFILE_IRIS, SPAM_PATH, content_profile, list_representations
from tests.fixtures.service import GetFunction, make_store_client
from tests.fixtures.triples import response_triples

# 6.3.2 Get resource by profile


def test_default_profile_is_wgig(get: GetFunction) -> None:
    assert content_profile(get(SPAM_PATH)) == "wgig"


def test_preferred_available_profile_is_chosen(get: GetFunction) -> None:
    assert (
        content_profile(get("/doc/agent/kim", accept_profile="skos, <https://schema.org/>;q=0.5"))
        == "schema.org"
    )


def test_unknown_profile_is_refused_with_list_of_profiles(get: GetFunction) -> None:
    for response in (
        get(SPAM_PATH, accept_profile="<urn:example:unknown>"),
        get(f"{SPAM_PATH}?_profile=unknown"),
        get(f"{SPAM_PATH}?_profile=%3Curn:example:unknown%3E"),
    ):
        assert response.status_code == 406
        assert {profile["token"]: profile["uri"] for profile in response.json()["profiles"]} == PROFILE_IRIS
        assert "Accept-Profile" in response.headers["vary"]


def test_profile_that_does_not_apply_is_refused_with_those_that_apply(get: GetFunction) -> None:
    response = get("/doc/agent/kim?_profile=skos")
    assert response.status_code == 406
    assert [profile["token"] for profile in response.json()["profiles"]] == ["wgig", "oai_dc", "schema.org"]
    assert "The profile skos has no statements about" in response.json()["detail"]


def test_redirect_to_description_names_profile(get: GetFunction) -> None:
    response = get("/id/issue/spam", accept_profile="dcat, skos;q=0.9, oai_dc;q=0.8")
    assert (response.status_code, content_profile(response)) == (303, "skos")
    assert response.headers["location"] == f"{SPAM_PATH}?_profile=skos"
    assert "Accept-Profile" in response.headers["vary"]
    assert content_profile(get(response.headers["location"])) == "skos"


def test_redirect_to_description_keeps_query_parameters(get: GetFunction) -> None:
    response = get("/id/issue/spam?lang=ar&_mediatype=text/turtle&_profile=skos")
    assert response.headers["location"] == f"{SPAM_PATH}?lang=ar&_mediatype=text/turtle&_profile=skos"
    assert get("/id/issue/spam?_profile=all").headers["location"] == f"{SPAM_PATH}?_profile=all"
    assert get("/id/agent/kim?_profile=skos").status_code == 406
    assert get("/id/issue?_profile=schema.org").status_code == 406  # a list


# 6.5 Order of precedence


def test_query_string_takes_precedence_over_header_fields(get: GetFunction) -> None:
    response = get(
        f"{SPAM_PATH}?_profile=skos", accept_profile=f"<{PROFILE_IRIS['schema.org']}>", accept="text/turtle"
    )
    assert content_profile(response) == "skos"
    response = get(f"{SPAM_PATH}?_profile=skos&_mediatype=application/n-triples", accept="text/turtle")
    assert response.headers["content-type"] == "application/n-triples"


# 7.1 Header fields


def test_preferred_profile_takes_precedence_over_preferred_media_type(get: GetFunction) -> None:
    response = get(SPAM_PATH, accept_profile="skos", accept="text/html, text/turtle;q=0.1")
    assert (content_profile(response), response.headers["content-type"]) == (
        "skos",
        "text/turtle; charset=utf-8",
    )


def test_only_named_profiles_are_acceptable(get: GetFunction) -> None:
    assert get(SPAM_PATH, accept_profile="skos", accept="text/html").status_code == 406
    assert get(SPAM_PATH, accept_profile="wgig;q=0, skos;q=0").status_code == 406
    assert content_profile(get(SPAM_PATH, accept_profile="wgig;q=0, *;q=0.1")) != "wgig"


def test_without_accept_profile_media_type_decides(get: GetFunction) -> None:
    assert content_profile(get(SPAM_PATH, accept="application/xml")) == "oai_dc"
    assert content_profile(get(SPAM_PATH, accept="text/html")) == "wgig"


# 7.1.2 Get resource by profile


def test_profiles_may_be_in_several_fields(small_store: Store) -> None:
    fields = [
        ("Accept-Profile", "<urn:x>"),
        ("Accept-Profile", f"<{PROFILE_IRIS['skos']}>;q=0.3,schema.org;q=0.4"),
    ]
    response = make_store_client(small_store).get(SPAM_PATH, headers=fields)
    assert content_profile(response) == "schema.org"


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
        ", ".join(["skos"] * (MAX_NAMED_PROFILES + 1)),
    ],
)
def test_malformed_accept_profile_is_refused(get: GetFunction, field: str) -> None:
    response = get(SPAM_PATH, accept_profile=field)
    assert response.status_code == 400
    assert "Accept-Profile" in response.json()["detail"]


@pytest.mark.parametrize("q", ["2", "-1", "abc", "", "0.1234"])
@pytest.mark.parametrize("field", ["Accept", "Accept-Language", "Accept-Profile"])
def test_item_with_invalid_weight_is_ignored(get: GetFunction, field: str, q: str) -> None:
    preferred, other = {
        "Accept": ("application/n-triples", "application/rdf+xml"),
        "Accept-Language": ("ar", "fr"),
        "Accept-Profile": ("skos", "schema.org"),
    }[field]

    def get_content(value: str) -> bytes:
        return get(SPAM_PATH, **{field.replace("-", "_"): value}).content

    assert get_content(f"{preferred};q={q}, {other};q=0.5") == get_content(other)
    assert get_content(f"{preferred};q={q}") == get_content("")


@pytest.mark.parametrize(
    ("field", "better", "worse"),
    [
        ("Accept", "application/n-triples", "application/rdf+xml"),
        ("Accept-Language", "ar", "fr"),
        ("Accept-Profile", "skos", "schema.org"),
    ],
)
def test_weight_may_begin_with_decimal_point(get: GetFunction, field: str, better: str, worse: str) -> None:
    def get_content(value: str) -> bytes:
        return get(SPAM_PATH, **{field.replace("-", "_"): value}).content

    assert get_content(f"{worse};q=.1, {better};q=.2") == get_content(better) != get_content(worse)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("skos;q=0", "No profile is acceptable: skos is excluded by q=0. Request one of: wgig"),
        ("*;q=0", "No profile is acceptable: * is excluded by q=0."),
        ("x, skos;q=0", "None of the profiles x is known here, and skos is excluded by q=0."),
        ("x, *;q=0", "None of the profiles x is known here, and * is excluded by q=0."),
        ("x", "None of the profiles x is known here. Request"),
    ],
)
def test_error_lists_unknown_and_excluded_profiles(get: GetFunction, field: str, message: str) -> None:
    response = get(SPAM_PATH, accept_profile=field)
    assert (response.status_code, message in response.json()["detail"]) == (406, True), response.text


def test_empty_accept_profile_is_ignored(get: GetFunction) -> None:
    assert content_profile(get(SPAM_PATH, accept_profile=" ")) == "wgig"


@pytest.mark.parametrize(
    "query",
    [
        "_profile=",
        "_profile=skos,",
        "_profile=https://schema.org/",
        "_profile=skos&_profile=wgig",
        "_profile=" + ",".join(["skos"] * (MAX_NAMED_PROFILES + 1)),
        "_mediatype=text/turtle&_mediatype=text/html",
        "_mediatype=" + ",".join(["text/turtle"] * 51),  # 50 are allowed
        "_unknown=skos",
    ],
)
@pytest.mark.parametrize("path", [SPAM_PATH, "/graph/test", "/ontology"])
def test_malformed_query_string_is_refused(get: GetFunction, path: str, query: str) -> None:
    assert get(f"{path}?{query}").status_code == 400


# Independence: the choice of the language does not change the choice of the profile


def test_language_and_profile_are_independent(get: GetFunction) -> None:
    response = get(f"{SPAM_PATH}?_profile=skos&lang=ar")
    assert (content_profile(response), response.headers["content-language"]) == ("skos", "ar, en")
    objects = [triple.object for triple in response_triples(response)]
    texts = {object_.value for object_ in objects if isinstance(object_, ox.Literal)}
    assert "البريد المزعج" in texts
    assert "Spam" not in texts


# Responses are cached by profile, language and format


def test_cache_separates_profiles_languages_and_formats(small_store: Store) -> None:
    requests = [
        {"Accept-Profile": profile, "Accept-Language": language, "Accept": accept}
        for profile in ("wgig", "skos", "<https://schema.org/>", "skos;q=0.1, oai_dc", "")
        for language in ("en", "ar", "fr, ar;q=0.5")
        for accept in ("text/turtle", "text/html, */*;q=0.1")
    ]
    client = make_store_client(small_store)
    first = [client.get(SPAM_PATH, headers=headers) for headers in requests]
    repeated = [client.get(SPAM_PATH, headers=headers) for headers in reversed(requests)][::-1]
    uncached = [make_store_client(small_store).get(SPAM_PATH, headers=headers) for headers in requests]
    assert len({response.content for response in uncached}) > 6  # the requests get different responses
    for responses in zip(first, repeated, uncached, strict=True):
        assert len({response.content for response in responses}) == 1
        assert len({response.headers.pop("x-request-id") for response in responses}) == 3
        assert responses[0].headers == responses[1].headers == responses[2].headers


def test_representations_have_different_etags(get: GetFunction) -> None:
    alternates = [link for link in list_representations(get(SPAM_PATH)) if link.relations == ("alternate",)]
    assert len({get(link.target).headers["etag"] for link in alternates}) == len(alternates)


# Hostile values are not executed, and not copied into other header fields

HOSTILE_VALUES = [
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


@pytest.mark.parametrize("text", HOSTILE_VALUES)
@pytest.mark.parametrize("key", ["_profile", "_mediatype", "lang", "_frame", '"><script>'])
@pytest.mark.parametrize("path", [SPAM_PATH, "/id/issue/spam", "/graph/test", "/ontology"])
def test_hostile_parameter_is_refused_and_escaped(get: GetFunction, path: str, key: str, text: str) -> None:
    accept = "text/html" if path == SPAM_PATH else "application/json"
    response = get(f"{path}?{quote(key)}={quote(text)}", accept=accept)
    assert response.status_code in (400, 406)
    assert "set-cookie" not in response.headers
    assert (
        "<script>alert" not in response.text or response.headers["content-type"] == "application/problem+json"
    )
    assert len(response.content) < 20_000


@pytest.mark.parametrize("text", [text for text in HOSTILE_VALUES if text.isascii() and text.isprintable()])
def test_hostile_accept_profile_is_refused(get: GetFunction, text: str) -> None:
    response = get(SPAM_PATH, accept_profile=text, accept="text/html")
    assert response.status_code in (400, 406)
    assert "<script>alert" not in response.text
    assert len(response.content) < 20_000
