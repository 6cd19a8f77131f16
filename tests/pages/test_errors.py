"""Error pages: suggested links, corrections, and escaped input."""

import pickle
import re

import httpx2
import pytest
from wgig.http.language import use_language
from wgig.pages import errors
from wgig.pages.errors import suggest_links
from wgig.problems import PROBLEM_KINDS, Problem, build_sentence
from wgig.resources.existence import find_name_with_words
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import make_service_client

HTML_HEADERS = {"Accept": "text/html"}
ERROR_PATHS = [  # misspelled names, and invalid queries
    "/doc/issue/spamm",
    "/paperz",
    "/papers?issue=spamm",
    "/papers?isue=spam",
    "/sparql?query=SELEC",
    "/search?q=.",
]


def list_main_links(page: str) -> list[str]:
    """The targets of the links in the main element of a page."""
    return re.findall(r'<a href="([^"]+)"', page[page.index("<main") : page.index("</main")])


@pytest.mark.parametrize("path", ERROR_PATHS)
def test_error_page_has_search_form_and_working_links(page_client: httpx2.Client, path: str) -> None:
    response = page_client.get(path)
    assert response.status_code >= 400
    assert '<form action="/search" method="get" role="search">' in response.text
    assert "/" in list_main_links(response.text)
    for link in list_main_links(response.text):
        assert page_client.get(link.replace("&amp;", "&"), follow_redirects=True).status_code == 200, link


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/doc/issue/spamm", "/doc/issue/spam"),
        ("/id/issue/spamm", "/doc/issue/spam"),
        ("/doc/paper/spam", "/doc/paper/wp-spam"),
        ("/doc/issue/wp-spam", "/doc/issue/spam"),
        ("/doc/issue/spamm", "/doc/issue"),
        ("/paperz", "/papers"),
        ("/PAPERS", "/papers"),
        ("/papers?issue=spamm&type=IssuePaper", "/papers?issue=spam&amp;type=IssuePaper"),
        ("/papers?isue=spam", "/papers?issue=spam"),
        ("/papers?issue=spamm", "/papers"),
    ],
)
def test_error_page_suggests_corrected_link(page_client: httpx2.Client, path: str, expected: str) -> None:
    assert expected in list_main_links(page_client.get(path).text)


def test_error_page_offers_the_page_without_the_wrong_parameter(page_client: httpx2.Client) -> None:
    page = page_client.get("/issues?q=spam&size=abc&category=access-for-all")
    assert page.status_code == 400
    assert (
        '<a href="/issues?q=spam&amp;category=access-for-all">The page without the wrong parameter</a>'
        in page.text
    )
    assert "without the wrong parameter" not in page_client.get("/issues?size=abc").text


def test_problem_document_has_suggestion(page_client: httpx2.Client) -> None:
    problem = page_client.get("/doc/issue/spamm", headers={"Accept": "application/json"}).json()
    assert problem["suggestion"] == f"{Settings.base}id/issue/spam"
    problem = page_client.get("/Papers", headers={"Accept": "application/json"}).json()
    assert problem["suggestion"] == "/papers"
    assert "Did you mean /papers?" in problem["detail"]
    problem = page_client.get("/spam", headers={"Accept": "application/json"}).json()
    assert "suggestion" not in problem


@pytest.mark.parametrize(
    "path", ["/coverage.xlsx", "/issues.xlsx", "/people.doc", "/search.xlsx", "/catalog.csv"]
)
def test_unavailable_suffix_gets_406_with_available_ones(page_client: httpx2.Client, path: str) -> None:
    problem = page_client.get(path, headers={"Accept": "application/json"}).json()
    stem, _, suffix = path.partition(".")
    message, _, suffixes = problem["detail"].partition(" Use one of these suffixes in the address: ")
    assert (problem["status"], message) == (406, f"This is not available as .{suffix}.")
    for available_suffix in suffixes.removesuffix(".").split(", "):
        assert page_client.get(
            stem + available_suffix, params={"q": "spam"} if stem == "/search" else {}
        ).status_code in (
            200,
            303,
        )


def test_unavailable_media_type_gets_406_with_available_ones(page_client: httpx2.Client) -> None:
    for path, accept in (("/coverage?_mediatype=xlsx", "*/*"), ("/coverage", "image/png")):
        problem = page_client.get(path, headers={"Accept": accept}).json()
        assert "Request one of: application/json," in problem["detail"]


def test_error_page_offers_search_for_words_of_last_segment(page_client: httpx2.Client) -> None:
    assert 'value="internet names"' in page_client.get("/doc/nowhere/internet_names").text


def test_detail_links_pages_and_uses_short_names(page_client: httpx2.Client) -> None:
    page = page_client.get("/graph/nope").text
    assert '<bdi>“nope”</bdi>. The list of graphs is at <a href="/graphs" dir="ltr">/graphs</a>.' in page
    page = page_client.get("/doc/issue/spamm").text
    assert 'There is no resource <bdi>“issue/spamm”</bdi>. Did you mean <a href="/doc/issue/spam">' in page
    assert page.count("Did you mean") == 1


def test_choices_are_links(page_client: httpx2.Client) -> None:
    page = page_client.get("/issues?q=a&sort=zzz").text
    assert (
        "“<bdi>zzz</bdi>” is not a value of “<bdi>sort</bdi>”. Choose one: "
        '<a href="/issues?q=a&amp;sort=category">' in page
    )


def test_detail_names_languages(page_client: httpx2.Client) -> None:
    assert "None of the texts is in <bdi>Arabic</bdi>." in page_client.get("/doc/issue/spam?lang=ar").text


@pytest.mark.parametrize("slug", PROBLEM_KINDS)
def test_each_problem_type_has_advice_and_page(page_client: httpx2.Client, slug: str) -> None:
    assert PROBLEM_KINDS[slug].advice.endswith(".")
    page = page_client.get(f"/doc/problem/{slug}").text
    assert f"/doc/problem/{slug}" in list_main_links(page)


@pytest.mark.parametrize(
    "path",
    [
        "/doc/issue/%22%3E%3Cimg%20src=x%3E",
        "/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/papers?q=%3Cb%3E&isue=%3Cb%3E",
    ],
)
def test_hostile_path_is_escaped(page_client: httpx2.Client, path: str) -> None:
    assert not re.search(r"<img|<b>|<script>", page_client.get(path).text)


def test_name_with_the_same_words_is_found() -> None:
    names = ["anti-spam-laws", "wp-spam", "wp-spammer", "internet-names"]
    assert find_name_with_words("spam", names) == "wp-spam"
    assert find_name_with_words("Spam", names) == "wp-spam"
    assert find_name_with_words("the-internet-names", names) == "internet-names"
    assert find_name_with_words("names-internet", names) == ""


def test_detail_is_translated_sentence_by_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    translations = {"Nothing is at %(path)s.": ("Rien à %(path)s.", "fr")}
    monkeypatch.setattr(errors, "translate_message", lambda text: translations.get(text, (text, "en")))
    sentences = [build_sentence("Nothing is at %(path)s.", path="/%(x)s<b>"), build_sentence("Try again.")]
    with use_language("fr"):
        assert errors.render_detail(Problem(404, sentences)) == (
            'Rien à <bdi>/%(x)s&lt;b&gt;</bdi>. <span lang="en" dir="ltr">Try again.</span>'
        )
        assert errors.render_detail(Problem(404, "<b>")) == '<span lang="en" dir="ltr">&lt;b&gt;</span>'
    assert Problem(404, sentences).detail == "Nothing is at /%(x)s<b>. Try again."
    copy = pickle.loads(pickle.dumps(Problem(404, sentences)))
    assert (copy.detail, copy.sentences) == ("Nothing is at /%(x)s<b>. Try again.", tuple(sentences))


def test_temporary_problem_suggests_retry() -> None:
    suggested_links = suggest_links(Problem(503, "Not now."), "/papers", "issue=spam", pages=["/papers"])
    assert suggested_links[0].path == "/papers?issue=spam"


@pytest.mark.parametrize("path", ["/papers", "/issues", "/graphs", "/search?q=spam"])
def test_page_of_empty_store_explains_how_to_fill_it(path: str) -> None:
    page = make_service_client(Settings(), Store.in_memory()).get(path, headers=HTML_HEADERS)
    assert page.status_code == 200
    assert "wgig load</code>" in page.text or "Nothing matches <bdi>spam" in page.text


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/?fbclid=abc", "/"),
        ("/papers?utm_source=x&issue=spam&utm_medium=a%20b", "/papers?issue=spam"),
        ("/doc/issue/spam?msclkid=1", "/doc/issue/spam"),
        ("/papers?gclid=1&_lang=fr", "/papers?_lang=fr"),
        ("/sparql?mc_cid=1", "/sparql"),
    ],
)
def test_page_with_tracking_parameters_redirects_to_page_without_them(
    page_client: httpx2.Client, path: str, location: str
) -> None:
    response = page_client.get(path)
    assert (response.status_code, response.headers["location"]) == (308, location)
    assert page_client.get(location).status_code == 200


def test_tracking_parameters_of_requests_for_data_are_refused(page_client: httpx2.Client) -> None:
    for path in ("/papers.json?utm_source=x", "/sparql?gclid=1"):
        response = page_client.get(path, headers={"Accept": "application/json, text/turtle"})
        assert response.status_code == 400, path
