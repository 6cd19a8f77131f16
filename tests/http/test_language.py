"""Language negotiation: labels and texts of the data, and the language of pages."""

from urllib.parse import quote

import httpx2
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

from tests.fixtures.service import GetFunction, make_store_client

BASE = Settings.base
SPAM_PATH = "/doc/issue/spam"
ARABIC_LABEL = "البريد المزعج"


def response_texts(response: httpx2.Response, subject: str = "") -> set[tuple[str, str]]:
    """The texts with their languages in a Turtle response; with `subject`, only the texts of that subject."""
    assert response.status_code == 200, response.text
    quads = list(ox.parse(response.content, ox.RdfFormat.TURTLE))
    objects = [quad.object for quad in quads if subject in ("", getattr(quad.subject, "value", None))]
    return {(term.value, term.language) for term in objects if isinstance(term, ox.Literal) and term.language}


@pytest.mark.parametrize(
    "field", ["ar", "ar-EG, en;q=0.5", "fr, ar;q=0.9, en;q=0.1", "AR", "en;q=0.1, *;q=0, ar"]
)
def test_page_title_is_in_preferred_language(get: GetFunction, field: str) -> None:
    page = get(SPAM_PATH, accept="text/html", accept_language=field)
    assert f'<h1 lang="ar" dir="auto">{ARABIC_LABEL}</h1>' in page.text
    assert {"ar", "en"} <= set(page.headers["content-language"].split(", "))


@pytest.mark.parametrize("field", ["fr", "fr, en;q=0.5, ar;q=0.4", "ar;q=0", "en-US,en;q=0.9", "*", "?", ""])
def test_page_title_defaults_to_english(get: GetFunction, field: str) -> None:
    assert (
        '<h1 lang="en" dir="auto">Spam</h1>' in get(SPAM_PATH, accept="text/html", accept_language=field).text
    )


def test_data_has_all_languages_regardless_of_accept_language(get: GetFunction) -> None:
    response, spam = get(SPAM_PATH, accept_language="ar"), f"{BASE}id/issue/spam"
    assert {("Spam", "en"), (ARABIC_LABEL, "ar")} <= response_texts(response, spam)
    assert response_texts(response, spam) == response_texts(get(SPAM_PATH), spam)
    assert response.headers["content-language"] == "ar, en"


@pytest.mark.parametrize(
    "path",
    [
        "/doc/issue/spam.json",
        "/doc/category/access-for-all.json?inverse=category",
        "/doc/issue/spam.jsonld?_frame=issue",
        "/doc/paper/wp-spam.json?_frame=paper",
    ],
)
def test_equal_bodies_have_equal_content_language(shipped_client: httpx2.Client, path: str) -> None:
    # No label is German, so a German client gets the same labels as an English one.
    english, german = (shipped_client.get(path, headers={"Accept-Language": tag}) for tag in ("en", "de"))
    assert english.content == german.content
    assert english.headers["content-language"] == german.headers["content-language"]
    assert "en" in english.headers["content-language"].split(", ")


def test_labels_of_linked_resources_are_in_preferred_language() -> None:
    store = Store.in_memory()
    facts = f"""<{BASE}id/x/y> <urn:p> <urn:end> .
        <urn:end> <http://www.w3.org/2000/01/rdf-schema#label> "end"@en, "Ende"@de, "fin"@fr ."""
    store.apply(store.compute_addition(None, parse_graph_document(facts.encode(), "text/turtle")))
    service = make_store_client(store)
    for accept_language, label in (
        ("de-AT, fr", ("Ende", "de")),
        ("it, fr;q=0.1", ("fin", "fr")),
        ("it", ("end", "en")),
    ):
        for path in ("/doc/x/y.ttl", "/doc/x/y.json"):
            response = service.get(path, headers={"Accept-Language": accept_language})
            assert response.headers["content-language"] == label[1]
            assert label[0] in response.text
        response = service.get("/doc/x/y.ttl", headers={"Accept-Language": accept_language})
        assert response_texts(response) == {label}


def test_lang_parameter_selects_one_language(get: GetFunction) -> None:
    response = get(f"{SPAM_PATH}?lang=ar", accept_language="en")
    assert (ARABIC_LABEL, "ar") in response_texts(response)
    assert ("Spam", "en") not in response_texts(response)
    assert ("Unasked mail", "en") in response_texts(response)  # a text that exists only in English
    assert response.headers["content-language"] == "ar, en"
    assert response.headers["content-location"] == f"{SPAM_PATH}.ttl?lang=ar"


def test_lang_parameter_accepts_list_of_languages(get: GetFunction) -> None:
    assert (ARABIC_LABEL, "ar") in response_texts(get(f"{SPAM_PATH}?lang=fr,ar,en"))
    assert ("Spam", "en") in response_texts(get(f"{SPAM_PATH}?lang=fr,en,ar"))
    assert response_texts(get(f"{SPAM_PATH}?lang=ar-EG")) == response_texts(get(f"{SPAM_PATH}?lang=ar"))


@pytest.mark.parametrize("path", [SPAM_PATH, "/ontology", "/graph/test"])
def test_unavailable_language_gets_406_with_available_ones(get: GetFunction, path: str) -> None:
    response = get(f"{path}?lang=de,tlh")
    assert response.status_code == 406
    assert "en" in response.json()["languages"]
    assert "None of the texts is in de, tlh." in response.json()["detail"]
    assert "Accept-Language" in response.headers["vary"]


@pytest.mark.parametrize(
    "query",
    [
        "lang=",
        "lang=f_r",
        "lang=fr,",
        "lang=*",
        "lang=abcdefghi",  # a subtag has at most 8 characters
        f"lang={'fr,' * 10}en",  # more than MAX_CLIENT_LANGUAGES
        "lang=%3C",
        "lang=%C5%BF,en",  # ſ, whose upper case is S
    ],
)
@pytest.mark.parametrize("path", [SPAM_PATH, "/ontology", "/graph/test"])
def test_invalid_lang_parameter_gets_400(get: GetFunction, path: str, query: str) -> None:
    response = get(f"{path}?{query}")
    assert response.status_code == 400
    assert "zh-Hant" in response.json()["detail"]  # an example of a valid tag


@pytest.mark.parametrize(
    "path", [SPAM_PATH, f"{SPAM_PATH}.html", "/doc/issue", "/ontology", "/graph/test", "/id/issue/spam"]
)
def test_vary_names_language_and_profile(get: GetFunction, path: str) -> None:
    vary = {part.strip() for part in get(path).headers["vary"].split(",")}
    assert {"Accept-Language", "Accept-Profile"} <= vary


def test_content_location_is_sent_only_for_explicit_language(get: GetFunction) -> None:
    assert "content-location" not in get(SPAM_PATH, accept_language="ar").headers
    response = get(f"{SPAM_PATH}?lang=zh-Hant-TW,ar-EG,ar", accept="text/turtle")
    # The range ar is left out, as it is a fallback of ar-eg.
    assert response.headers["content-location"] == f"{SPAM_PATH}.ttl?lang=zh-hant-tw,ar-eg"
    assert get(response.headers["content-location"]).content == response.content


def test_language_range_falls_back_to_shorter_ranges() -> None:
    assert expand_language_ranges(["zh-Hant-TW", "de", "zh"]) == ("zh-hant-tw", "zh-hant", "zh", "de")


def test_preference_for_english_alone_is_parsed_as_no_preference() -> None:
    assert parse_accept_language(("en-GB, en;q=0.5",)) == ()
    assert parse_accept_language(("en, fr;q=0.5",)) == ("en", "fr")


def test_texts_in_other_languages_are_kept_without_a_match() -> None:
    statements = parse_graph_document(
        b'<urn:s> <urn:p> "a"@de, "b"@es, 1 ; <urn:q> "c"@de, "d"@fr, "e" .', "text/turtle"
    )
    # The texts of <urn:p> are kept, because none is in French.
    objects = [triple.object for triple in keep_best_languages(statements, ("fr",))]
    assert {term.value for term in objects if isinstance(term, ox.Literal)} == {"a", "b", "1", "d", "e"}


def test_content_language_is_omitted_for_many_languages() -> None:
    assert dict(content_language_field(["fr", "en"])) == {"Content-Language": "en, fr"}
    assert not list(content_language_field([]))
    assert not list(content_language_field(f"x{n}" for n in range(MAX_CONTENT_LANGUAGES + 1)))


def test_default_preferences_are_empty() -> None:
    assert LanguagePreferences() == LanguagePreferences((), is_explicit=False)


LONG_QUERY = quote(f"SELECT ?x {{ VALUES ?x {{ {' '.join(map(str, range(4000)))} }} }}")  # 27 KB


def page_language(response: httpx2.Response) -> tuple[str, str]:
    """The attributes lang and dir of a page."""
    html = BeautifulSoup(response.text, "html.parser").html
    assert html
    return str(html["lang"]), str(html["dir"])


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
@pytest.mark.parametrize(
    "path", ["/", SPAM_PATH, "/papers", "/sparql", "/validate", "/write", "/nothing-here"]
)
def test_page_language_parameter_selects_page_language(get: GetFunction, path: str, language: str) -> None:
    page = get(f"{path}?_lang={language}", accept="text/html")
    assert page_language(page) == (language, "rtl" if language == "ar" else "ltr")
    assert language in page.headers["content-language"].split(", ")


@pytest.mark.parametrize(
    ("field", "language"),
    [
        ("fr-CH, fr;q=0.9", "fr"),
        ("de, ru;q=0.5", "ru"),
        ("zh-Hant-TW", "zh"),
        ("de", "en"),
        ("en, ar;q=0.9", "en"),
    ],
)
def test_accept_language_selects_page_language(get: GetFunction, field: str, language: str) -> None:
    assert page_language(get("/", accept="text/html", accept_language=field))[0] == language


def test_chosen_language_is_stored_in_cookie(get: GetFunction) -> None:
    first_page = get("/?_lang=es", accept="text/html", accept_language="fr")
    cookie = first_page.headers["set-cookie"]
    assert cookie == "lang=es; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"
    next_page = get("/papers", accept="text/html", accept_language="fr", cookie=cookie.partition(";")[0])
    assert page_language(next_page)[0] == "es"
    assert "set-cookie" not in next_page.headers


@pytest.mark.parametrize("cookie", ["lang=de", "lang=", "other=1; lang=arx", "slang=ar", "lang=ar\x00"])
def test_invalid_language_cookie_is_ignored(get: GetFunction, cookie: str) -> None:
    assert page_language(get("/", accept="text/html", cookie=cookie))[0] == "en"


def test_page_language_parameter_overrides_cookie(get: GetFunction) -> None:
    page = get("/?_lang=ar", accept="text/html", cookie="lang=es")
    assert page_language(page)[0] == "ar"


def test_language_cookie_does_not_affect_data(get: GetFunction) -> None:
    data = get(SPAM_PATH, accept="application/json", cookie="lang=ar")
    assert data.content == get(SPAM_PATH, accept="application/json").content


@pytest.mark.parametrize(
    "path",
    [
        *(f"{SPAM_PATH}{end}" for end in (".ttl", ".rdf", ".jsonld", "?lang=tlh")),
        "/doc/issue.ttl",
        "/ontology.ttl",
        "/graph/test",
        "/graphs?default",
        "/id/issue/spam",
    ],
)
def test_responses_that_vary_by_language_vary_by_cookie(get: GetFunction, path: str) -> None:
    vary = get(path, accept="text/html;q=0.1, */*").headers["vary"].split(", ")
    assert {"Accept-Language", "Cookie"} <= set(vary)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/", [("Accept", "application/xhtml+xml"), ("Accept", "text/html"), ("Cookie", "lang=fr")]),
        ("/", [("Accept", "text/html"), ("Cookie", "a=b"), ("Cookie", "lang=fr")]),
        ("/", [("Accept", "Text/HTML"), ("Cookie", "lang=fr")]),
        ("/papers?_mediatype=html", [("Cookie", "lang=fr")]),
        ("/papers?page=1&_mediatype=text%2FHTML", [("Cookie", "lang=fr")]),
        ("/papers.html", [("Cookie", "lang=fr")]),
    ],
)
def test_language_cookie_is_read_in_any_request_for_a_page(
    filled_client: httpx2.Client, path: str, fields: list[tuple[str, str]]
) -> None:
    assert page_language(filled_client.get(path, headers=fields))[0] == "fr"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/papers/?_lang=fr", "/papers?_lang=fr"),
        ("/papers/?_lang=fr&size=5", "/papers?size=5&_lang=fr"),
        ("/id/issue/spam?_lang=fr", f"{SPAM_PATH}?_lang=fr"),
        ("/id/issue/spam.ttl?_lang=fr", f"{SPAM_PATH}.ttl?_lang=fr"),
        ("/id/issue/spam", SPAM_PATH),
    ],
)
def test_redirect_keeps_chosen_language(get: GetFunction, path: str, target: str) -> None:
    assert get(path).headers["location"] == target


def test_pages_vary_by_language_and_cookie(get: GetFunction) -> None:
    pages = [get("/papers", accept="text/html", cookie=f"lang={language}") for language in ("fr", "ar", "fr")]
    assert pages[0].headers["etag"] == pages[2].headers["etag"] != pages[1].headers["etag"]
    for page in pages:
        assert {"Accept-Language", "Cookie"} <= set(page.headers["vary"].split(", "))


def test_language_links_keep_the_page_url(get: GetFunction) -> None:
    page = BeautifulSoup(get("/papers?page=1&_lang=fr&sort=-posted", accept="text/html").text, "html.parser")
    urls = {language: f"/papers?page=1&sort=-posted&_lang={language}" for language in PAGE_LANGUAGES}
    links = page.select("footer a[hreflang]")
    assert {link["hreflang"]: link["href"] for link in links} == urls
    assert [link["hreflang"] for link in links if link.get("aria-current")] == ["fr"]
    alternates = {
        element["hreflang"]: element["href"] for element in page.select("link[rel=alternate][hreflang]")
    }
    assert alternates == {**urls, "x-default": "/papers?page=1&sort=-posted"}


@pytest.mark.parametrize("query", ["_lang=de", "_lang=", "_lang=fr&_lang=ar", "_lang=FR"])
def test_unavailable_page_language_is_refused(get: GetFunction, query: str) -> None:
    response = get(f"/papers?{query}")
    assert response.status_code == 400
    assert response.json()["languages"] == list(PAGE_LANGUAGES)
    assert "lang" in response.json()["detail"]


@pytest.mark.parametrize(
    ("url", "short_url"),
    [(f"/papers?q={'x' * 2000}", "/papers"), (f"/{'x' * 2000}?q=1", "/")],
)
def test_error_page_does_not_repeat_long_url(get: GetFunction, url: str, short_url: str) -> None:
    page = BeautifulSoup(get(url, accept="text/html").text, "html.parser")
    assert {element["href"] for element in page.select("footer a[hreflang]")} == {
        f"{short_url}?_lang={language}" for language in PAGE_LANGUAGES
    }


@pytest.mark.parametrize("url", [f"/sparql?query={LONG_QUERY}", f"/cite?query={LONG_QUERY}"])
def test_language_menu_keeps_long_url_without_alternates(get: GetFunction, url: str) -> None:
    page = BeautifulSoup(get(url, accept="text/html").text, "html.parser")
    links = {element["hreflang"]: element["href"] for element in page.select("footer a[hreflang]")}
    assert links == {language: f"{url}&_lang={language}" for language in PAGE_LANGUAGES}
    assert not page.select("link[rel=alternate][hreflang]")


def test_language_names_are_in_page_language() -> None:
    with use_language("fr"):
        assert [format_language_name(tag) for tag in ("ar", "ja-latn", "x-own")] == [
            "arabe",
            "japonais en caractères latins",
            "x-own",
        ]
    assert [format_language_name(tag) for tag in ("ar-latn", "zh-hant")] == [
        "Arabic in Latin letters",
        "Chinese (Traditional)",
    ]


@pytest.mark.parametrize(("language", "separator"), [("en", ", "), ("ar", "، "), ("zh", "、")])
def test_list_separator_depends_on_language(language: str, separator: str) -> None:
    with use_language(language):
        assert list_separator() == separator
