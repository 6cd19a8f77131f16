"""A profile is chosen by address and header fields (Content Negotiation by Profile, 6.3, 6.5, 7.1.2)."""

from urllib.parse import quote

import pyoxigraph as ox
import pytest
from wgig.store.store import Store

from tests.fixtures.profiles import IRIS, SPAM, profile, representations
from tests.fixtures.service import Get, client_over
from tests.fixtures.triples import response_triples

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
    assert "The profile skos has nothing to say" in answer.json()["detail"]


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


# Independence: one dimension does not move another


def test_language_and_profile_are_chosen_apart(get: Get) -> None:
    answer = get(f"{SPAM}?_profile=skos&lang=ar")
    assert (profile(answer), answer.headers["content-language"]) == ("skos", "ar, en")
    texts = {one.object.value for one in response_triples(answer) if isinstance(one.object, ox.Literal)}
    assert "البريد المزعج" in texts
    assert "Spam" not in texts


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
