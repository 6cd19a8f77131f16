"""In which language a page speaks: that of its address, one chosen before, or one that the reader likes."""

from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest
from bs4 import BeautifulSoup
from wgig.catalogues import SPOKEN
from wgig.speaking import comma, name_of, speaking_in

Get = Callable[..., httpx.Response]

SPAM = "/doc/issue/spam"
LONG = quote(f"SELECT ?x {{ VALUES ?x {{ {' '.join(map(str, range(4000)))} }} }}")  # 27 KB


def root(answer: httpx.Response) -> tuple[str, str]:
    """The language and direction of a page."""
    html = BeautifulSoup(answer.text, "html.parser").html
    assert html
    return str(html["lang"]), str(html["dir"])


@pytest.mark.parametrize("tongue", SPOKEN)
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
    here = {one: f"/papers?page=1&sort=-posted&_lang={one}" for one in SPOKEN}
    switch = page.select("footer a[hreflang]")
    assert {one["hreflang"]: one["href"] for one in switch} == here
    assert [one["hreflang"] for one in switch if one.get("aria-current")] == ["fr"]
    alternates = {one["hreflang"]: one["href"] for one in page.select("link[rel=alternate][hreflang]")}
    assert alternates == {**here, "x-default": "/papers?page=1&sort=-posted"}


@pytest.mark.parametrize("query", ["_lang=de", "_lang=", "_lang=fr&_lang=ar", "_lang=FR"])
def test_a_language_in_which_no_page_speaks_is_refused(get: Get, query: str) -> None:
    refused = get(f"/papers?{query}")
    assert refused.status_code == 400
    assert refused.json()["languages"] == list(SPOKEN)
    assert "lang" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("address", "there"),
    [(f"/papers?q={'x' * 2000}", "/papers"), (f"/{'x' * 2000}?q=1", "/")],
)
def test_a_refusal_does_not_repeat_a_long_address(get: Get, address: str, there: str) -> None:
    page = BeautifulSoup(get(address, accept="text/html").text, "html.parser")
    assert {one["href"] for one in page.select("footer a[hreflang]")} == {
        f"{there}?_lang={one}" for one in SPOKEN
    }


@pytest.mark.parametrize("address", [f"/sparql?query={LONG}", f"/cite?query={LONG}"])
def test_the_switch_stays_on_a_page_with_a_long_address_which_is_named_nowhere_else(
    get: Get, address: str
) -> None:
    page = BeautifulSoup(get(address, accept="text/html").text, "html.parser")
    links = {one["hreflang"]: one["href"] for one in page.select("footer a[hreflang]")}
    assert links == {one: f"{address}&_lang={one}" for one in SPOKEN}
    assert not page.select("link[rel=alternate][hreflang]")


def test_a_language_is_called_as_in_the_language_of_the_page() -> None:
    with speaking_in("fr"):
        assert [name_of(one) for one in ("ar", "ja-latn", "x-own")] == ["arabe", "japonais (latin)", "x-own"]


@pytest.mark.parametrize(("tongue", "between"), [("en", ", "), ("ar", "، "), ("zh", "、")])
def test_lists_have_the_comma_of_the_language(tongue: str, between: str) -> None:
    with speaking_in(tongue):
        assert comma() == between
