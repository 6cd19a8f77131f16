"""In which language things are called, and what becomes of a language that is not there.

In which language a page speaks: that of its address, one chosen before, or one that the reader likes.
"""

from urllib.parse import quote

import httpx
import pyoxigraph as ox
import pytest
from bs4 import BeautifulSoup
from wgig.http.language import (
    MAX_CONTENT_LANGUAGES,
    LanguagePreferences,
    content_language_field,
    expand_language_ranges,
    format_language_name,
    keep_best_languages,
    list_separator,
    parse_accept_language,
    use_language,
)
from wgig.i18n import PAGE_LANGUAGES
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import Get, client_over

BASE = Settings.base
SPAM = "/doc/issue/spam"
ARABIC = "البريد المزعج"


def texts(answer: httpx.Response, about: str = "") -> set[tuple[str, str]]:
    """The texts in a Turtle answer, each with its language; where it says what they are about, only those."""
    assert answer.status_code == 200, answer.text
    found = list(ox.parse(answer.content, ox.RdfFormat.TURTLE))
    ends = [quad.object for quad in found if about in ("", getattr(quad.subject, "value", None))]
    return {(one.value, one.language) for one in ends if isinstance(one, ox.Literal) and one.language}


@pytest.mark.parametrize(
    "field", ["ar", "ar-EG, en;q=0.5", "fr, ar;q=0.9, en;q=0.1", "AR", "en;q=0.1, *;q=0, ar"]
)
def test_a_page_calls_a_thing_in_the_language_that_its_reader_likes_best(get: Get, field: str) -> None:
    page = get(SPAM, accept="text/html", accept_language=field)
    assert f'<h1 lang="ar" dir="auto">{ARABIC}</h1>' in page.text
    assert {"ar", "en"} <= set(page.headers["content-language"].split(", "))


@pytest.mark.parametrize("field", ["fr", "fr, en;q=0.5, ar;q=0.4", "ar;q=0", "en-US,en;q=0.9", "*", "?", ""])
def test_else_it_is_called_in_english(get: Get, field: str) -> None:
    assert '<h1 lang="en" dir="auto">Spam</h1>' in get(SPAM, accept="text/html", accept_language=field).text


def test_data_hold_every_text_of_a_thing_whatever_a_reader_likes(get: Get) -> None:
    liked, spam = get(SPAM, accept_language="ar"), f"{BASE}id/issue/spam"
    assert {("Spam", "en"), (ARABIC, "ar")} <= texts(liked, spam)
    assert texts(liked, spam) == texts(get(SPAM), spam)
    assert liked.headers["content-language"] == "ar, en"


def test_what_a_thing_leads_to_is_called_in_the_language_that_is_liked() -> None:
    store = Store.in_memory()
    facts = f"""<{BASE}id/x/y> <urn:p> <urn:end> .
        <urn:end> <http://www.w3.org/2000/01/rdf-schema#label> "end"@en, "Ende"@de, "fin"@fr ."""
    store.apply(store.compute_addition(None, parse_graph_document(facts.encode(), "text/turtle")))
    service = client_over(store)
    for liked, label in (
        ("de-AT, fr", ("Ende", "de")),
        ("it, fr;q=0.1", ("fin", "fr")),
        ("it", ("end", "en")),
    ):
        answer = service.get("/doc/x/y", headers={"Accept-Language": liked, "Accept": "text/turtle"})
        assert texts(answer) == {label}


def test_the_address_may_ask_for_one_language_alone(get: Get) -> None:
    answer = get(f"{SPAM}?lang=ar", accept_language="en")
    assert (ARABIC, "ar") in texts(answer)
    assert ("Spam", "en") not in texts(answer)
    assert ("Unasked mail", "en") in texts(answer)  # which is not said in any other
    assert answer.headers["content-language"] == "ar, en"
    assert answer.headers["content-location"] == f"{SPAM}.ttl?lang=ar"


def test_the_address_may_list_languages_the_best_first(get: Get) -> None:
    assert (ARABIC, "ar") in texts(get(f"{SPAM}?lang=fr,ar,en"))
    assert ("Spam", "en") in texts(get(f"{SPAM}?lang=fr,en,ar"))
    assert texts(get(f"{SPAM}?lang=ar-EG")) == texts(get(f"{SPAM}?lang=ar"))


@pytest.mark.parametrize("path", [SPAM, "/ontology", "/graph/test"])
def test_a_language_that_nothing_is_said_in_is_refused_with_those_that_there_are(get: Get, path: str) -> None:
    answer = get(f"{path}?lang=de,tlh")
    assert answer.status_code == 406
    assert "en" in answer.json()["languages"]
    assert "de or tlh" in answer.json()["detail"]
    assert "Accept-Language" in answer.headers["vary"]


@pytest.mark.parametrize(
    "query",
    [
        "lang=",
        "lang=f_r",
        "lang=fr,",
        "lang=*",
        "lang=abcdefghi",
        f"lang={'fr,' * 10}en",
        "lang=%3C",
        "lang=%C5%BF,en",  # a letter that is an s but for its case
    ],
)
@pytest.mark.parametrize("path", [SPAM, "/ontology", "/graph/test"])
def test_what_is_no_language_is_a_bad_request(get: Get, path: str, query: str) -> None:
    answer = get(f"{path}?{query}")
    assert answer.status_code == 400
    assert "zh-Hant" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", [SPAM, f"{SPAM}.html", "/doc/issue", "/ontology", "/graph/test", "/id/issue/spam"]
)
def test_the_answer_says_what_it_depends_on(get: Get, path: str) -> None:
    vary = {one.strip() for one in get(path).headers["vary"].split(",")}
    assert {"Accept-Language", "Accept-Profile"} <= vary


def test_an_address_is_given_only_to_what_can_be_had_there(get: Get) -> None:
    assert "content-location" not in get(SPAM, accept_language="ar").headers
    answer = get(f"{SPAM}?lang=zh-Hant-TW,ar-EG,ar", accept="text/turtle")
    assert answer.headers["content-location"] == f"{SPAM}.ttl?lang=zh-hant-tw,ar-eg"
    assert get(answer.headers["content-location"]).content == answer.content


def test_a_range_falls_back_to_what_is_wider() -> None:
    assert expand_language_ranges(["zh-Hant-TW", "de", "zh"]) == ("zh-hant-tw", "zh-hant", "zh", "de")


def test_who_reads_english_alone_reads_as_everybody() -> None:
    assert parse_accept_language(("en-GB, en;q=0.5",)) == ()
    assert parse_accept_language(("en, fr;q=0.5",)) == ("en", "fr")


def test_a_text_in_none_of_the_languages_stays() -> None:
    said = parse_graph_document(
        b'<urn:s> <urn:p> "a"@de, "b"@es, 1 ; <urn:q> "c"@de, "d"@fr, "e" .', "text/turtle"
    )
    kept = [one.object for one in keep_best_languages(said, ("fr",))]
    assert {one.value for one in kept if isinstance(one, ox.Literal)} == {"a", "b", "1", "d", "e"}


def test_too_many_languages_are_not_named() -> None:
    assert dict(content_language_field(["fr", "en"])) == {"Content-Language": "en, fr"}
    assert not list(content_language_field([]))
    assert not list(content_language_field(f"x{n}" for n in range(MAX_CONTENT_LANGUAGES + 1)))


def test_no_language_is_asked_for_by_default() -> None:
    assert LanguagePreferences() == LanguagePreferences((), is_explicit=False)


LONG = quote(f"SELECT ?x {{ VALUES ?x {{ {' '.join(map(str, range(4000)))} }} }}")  # 27 KB


def root(answer: httpx.Response) -> tuple[str, str]:
    """The language and direction of a page."""
    html = BeautifulSoup(answer.text, "html.parser").html
    assert html
    return str(html["lang"]), str(html["dir"])


@pytest.mark.parametrize("tongue", PAGE_LANGUAGES)
@pytest.mark.parametrize("path", ["/", SPAM, "/papers", "/sparql", "/validate", "/write", "/nothing-here"])
def test_every_page_speaks_the_language_that_its_address_says(get: Get, path: str, tongue: str) -> None:
    page = get(f"{path}?_lang={tongue}", accept="text/html")
    assert root(page) == (tongue, "rtl" if tongue == "ar" else "ltr")
    assert tongue in page.headers["content-language"].split(", ")


@pytest.mark.parametrize(
    ("field", "tongue"),
    [
        ("fr-CH, fr;q=0.9", "fr"),
        ("de, ru;q=0.5", "ru"),
        ("zh-Hant-TW", "zh"),
        ("de", "en"),
        ("en, ar;q=0.9", "en"),
    ],
)
def test_else_a_page_speaks_the_language_that_its_reader_likes_best(
    get: Get, field: str, tongue: str
) -> None:
    assert root(get("/", accept="text/html", accept_language=field))[0] == tongue


def test_a_choice_is_remembered_for_the_pages_that_come_after(get: Get) -> None:
    chosen = get("/?_lang=es", accept="text/html", accept_language="fr")
    cookie = chosen.headers["set-cookie"]
    assert cookie == "lang=es; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"
    after = get("/papers", accept="text/html", accept_language="fr", cookie=cookie.partition(";")[0])
    assert root(after)[0] == "es"
    assert "set-cookie" not in after.headers


@pytest.mark.parametrize("cookie", ["lang=de", "lang=", "other=1; lang=arx", "slang=ar", "lang=ar\x00"])
def test_another_cookie_means_nothing(get: Get, cookie: str) -> None:
    assert root(get("/", accept="text/html", cookie=cookie))[0] == "en"


def test_a_new_choice_beats_the_one_that_is_remembered(get: Get) -> None:
    page = get("/?_lang=ar", accept="text/html", cookie="lang=es")
    assert root(page)[0] == "ar"


def test_what_is_remembered_is_for_pages_alone(get: Get) -> None:
    data = get(SPAM, accept="application/json", cookie="lang=ar")
    assert data.content == get(SPAM, accept="application/json").content
    assert "cookie" not in data.headers["vary"].lower()


def test_caches_hold_the_pages_of_each_language_apart(get: Get) -> None:
    pages = [get("/papers", accept="text/html", cookie=f"lang={one}") for one in ("fr", "ar", "fr")]
    assert pages[0].headers["etag"] == pages[2].headers["etag"] != pages[1].headers["etag"]
    for page in pages:
        assert {"Accept-Language", "Cookie"} <= set(page.headers["vary"].split(", "))


def test_the_switch_and_the_alternates_stay_on_the_page(get: Get) -> None:
    page = BeautifulSoup(get("/papers?page=1&_lang=fr&sort=-posted", accept="text/html").text, "html.parser")
    here = {one: f"/papers?page=1&sort=-posted&_lang={one}" for one in PAGE_LANGUAGES}
    switch = page.select("footer a[hreflang]")
    assert {one["hreflang"]: one["href"] for one in switch} == here
    assert [one["hreflang"] for one in switch if one.get("aria-current")] == ["fr"]
    alternates = {one["hreflang"]: one["href"] for one in page.select("link[rel=alternate][hreflang]")}
    assert alternates == {**here, "x-default": "/papers?page=1&sort=-posted"}


@pytest.mark.parametrize("query", ["_lang=de", "_lang=", "_lang=fr&_lang=ar", "_lang=FR"])
def test_a_language_in_which_no_page_speaks_is_refused(get: Get, query: str) -> None:
    refused = get(f"/papers?{query}")
    assert refused.status_code == 400
    assert refused.json()["languages"] == list(PAGE_LANGUAGES)
    assert "lang" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("address", "there"),
    [(f"/papers?q={'x' * 2000}", "/papers"), (f"/{'x' * 2000}?q=1", "/")],
)
def test_a_refusal_does_not_repeat_a_long_address(get: Get, address: str, there: str) -> None:
    page = BeautifulSoup(get(address, accept="text/html").text, "html.parser")
    assert {one["href"] for one in page.select("footer a[hreflang]")} == {
        f"{there}?_lang={one}" for one in PAGE_LANGUAGES
    }


@pytest.mark.parametrize("address", [f"/sparql?query={LONG}", f"/cite?query={LONG}"])
def test_the_switch_stays_on_a_page_with_a_long_address_which_is_named_nowhere_else(
    get: Get, address: str
) -> None:
    page = BeautifulSoup(get(address, accept="text/html").text, "html.parser")
    links = {one["hreflang"]: one["href"] for one in page.select("footer a[hreflang]")}
    assert links == {one: f"{address}&_lang={one}" for one in PAGE_LANGUAGES}
    assert not page.select("link[rel=alternate][hreflang]")


def test_a_language_is_called_as_in_the_language_of_the_page() -> None:
    with use_language("fr"):
        assert [format_language_name(one) for one in ("ar", "ja-latn", "x-own")] == [
            "arabe",
            "japonais (latin)",
            "x-own",
        ]


@pytest.mark.parametrize(("tongue", "between"), [("en", ", "), ("ar", "، "), ("zh", "、")])
def test_lists_have_the_comma_of_the_language(tongue: str, between: str) -> None:
    with use_language(tongue):
        assert list_separator() == between
