"""A refusal for people says what to do, and leads on."""

import re

import httpx
import pytest
from wgig.pages.errors import suggest_links
from wgig.problems import PROBLEM_KINDS, Problem
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import service_of

HTML = {"Accept": "text/html"}
PAGES = [
    "/doc/issue/spamm",
    "/paperz",
    "/papers?issue=spamm",
    "/papers?isue=spam",
    "/sparql?query=SELEC",
    "/search?q=.",
]


def links(page: str) -> list[str]:
    """Where the links of the main part of a page lead."""
    return re.findall(r'<a href="([^"]+)"', page[page.index("<main") : page.index("</main")])


@pytest.mark.parametrize("path", PAGES)
def test_no_refusal_is_a_dead_end(pages: httpx.Client, path: str) -> None:
    answer = pages.get(path)
    assert answer.status_code >= 400
    assert '<form action="/search" method="get" role="search">' in answer.text
    assert {"/", "/papers", "/issues"} <= set(links(answer.text))
    for one in links(answer.text):
        assert pages.get(one.replace("&amp;", "&"), follow_redirects=True).status_code == 200, one


@pytest.mark.parametrize(
    ("path", "way"),
    [
        ("/doc/issue/spamm", "/doc/issue/spam"),
        ("/id/issue/spamm", "/doc/issue/spam"),
        ("/doc/issue/spamm", "/doc/issue"),
        ("/paperz", "/papers"),
        ("/PAPERS", "/papers"),
        ("/papers?issue=spamm&type=IssuePaper", "/papers?issue=spam&amp;type=IssuePaper"),
        ("/papers?isue=spam", "/papers?issue=spam"),
        ("/papers?issue=spamm", "/papers"),
    ],
)
def test_the_way_on_leads_to_what_was_meant(pages: httpx.Client, path: str, way: str) -> None:
    assert way in links(pages.get(path).text)


def test_programs_are_told_what_was_meant_too(pages: httpx.Client) -> None:
    problem = pages.get("/doc/issue/spamm", headers={"Accept": "application/json"}).json()
    assert problem["suggestion"] == f"{Settings.base}id/issue/spam"
    problem = pages.get("/Papers", headers={"Accept": "application/json"}).json()
    assert problem["suggestion"] == "/papers"
    assert "Did you mean /papers?" in problem["detail"]


@pytest.mark.parametrize(
    "path", ["/coverage.xlsx", "/issues.xlsx", "/people.doc", "/search.xlsx", "/catalog.csv"]
)
def test_an_ending_that_is_not_there_is_answered_by_those_that_are(pages: httpx.Client, path: str) -> None:
    problem = pages.get(path, headers={"Accept": "application/json"}).json()
    stem, _, ending = path.partition(".")
    said, _, listed = problem["detail"].partition(" End the address in one of: ")
    assert (problem["status"], said) == (406, f"This is not available as .{ending}.")
    for one in listed.removesuffix(".").split(", "):
        assert pages.get(stem + one, params={"q": "spam"} if stem == "/search" else {}).status_code in (
            200,
            303,
        )


def test_a_media_type_that_is_not_there_is_answered_by_those_that_are(pages: httpx.Client) -> None:
    for path, accept in (("/coverage?_mediatype=xlsx", "*/*"), ("/coverage", "image/png")):
        problem = pages.get(path, headers={"Accept": accept}).json()
        assert "Ask for one of: application/json," in problem["detail"]


def test_the_words_of_an_address_are_searched_for(pages: httpx.Client) -> None:
    assert 'value="internet names"' in pages.get("/doc/nowhere/internet_names").text


@pytest.mark.parametrize("kind", PROBLEM_KINDS)
def test_each_kind_of_problem_says_what_to_do(pages: httpx.Client, kind: str) -> None:
    assert PROBLEM_KINDS[kind].advice.endswith(".")
    page = pages.get(f"/doc/problem/{kind}").text
    assert "/papers" in links(page)


@pytest.mark.parametrize(
    "path",
    [
        "/doc/issue/%22%3E%3Cimg%20src=x%3E",
        "/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/papers?q=%3Cb%3E&isue=%3Cb%3E",
    ],
)
def test_hostile_addresses_stay_text(pages: httpx.Client, path: str) -> None:
    assert not re.search(r"<img|<b>|<script>", pages.get(path).text)


def test_what_may_be_gone_the_next_time_can_be_tried_once_more() -> None:
    found = suggest_links(Problem(503, "Not now."), "/papers", "issue=spam", ["/papers"])
    assert found[0].path == "/papers?issue=spam"


@pytest.mark.parametrize("path", ["/papers", "/issues", "/graphs", "/search?q=spam"])
def test_an_empty_store_says_how_it_is_filled(path: str) -> None:
    page = service_of(Settings(), Store.in_memory()).get(path, headers=HTML)
    assert page.status_code == 200
    assert "wgig load</code> adds some" in page.text or "Nothing was found" in page.text
