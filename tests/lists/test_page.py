"""Lists as pages: names first, heads in words, numbers that lead on, conditions to take back."""

import re
from html import unescape

import httpx
import pyoxigraph as ox
import pytest
from wgig.app import create_app, make_service
from wgig.i18n import PAGE_LANGUAGES
from wgig.lists.definitions import LIST_DEFINITIONS
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import client_of

HTML = {"Accept": "text/html"}
TABLES = sorted(LIST_DEFINITIONS.keys() - {"papers", "timeline"})  # those two have pages of their own
IDENTIFIER = re.compile(r"[a-z][A-Z]|\w:\w")
ISSUE = """@prefix wgig: <https://w3id.org/wgig/ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<{iri}> a wgig:Issue ; rdfs:label "X"@en ; wgig:category {categories} ."""


def text(html: str) -> str:
    """What a piece of a page says."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def heads(page: str) -> list[str]:
    """What the columns of a page are called."""
    found = page[page.index("<thead") : page.index("</thead")]
    return [text(one) for one in re.findall(r"<th .*?</th>", found, re.DOTALL)]


def row(page: str, path: str) -> str:
    """The row of the thing with this page."""
    rows: list[str] = re.findall(r"<tr .*?</tr>", page, re.DOTALL)
    return next(one for one in rows if re.search(rf'<th scope="row"[^>]*><a href="{path}"', one))


def cell(row: str, head: str) -> str:
    """A cell of a row by what its column is called."""
    return row.partition(f'data-head="{head}">')[2].partition("</td>")[0]


@pytest.mark.parametrize("tongue", PAGE_LANGUAGES)
@pytest.mark.parametrize("name", TABLES)
def test_columns_are_called_by_words_in_the_language_of_the_page(
    pages: httpx.Client, name: str, tongue: str
) -> None:
    page = pages.get(f"/{name}?_lang={tongue}").text
    found = heads(page)
    assert 4 <= len(found) <= 6
    assert not [one for one in found if IDENTIFIER.search(one)]
    assert f'lang="en">{found[-1]}' not in page
    in_english = heads(pages.get(f"/{name}?_lang=en").text)
    assert tongue == "en" or set(found).intersection(in_english) <= {"Type"}  # which French has, too


@pytest.mark.parametrize("path", ["/validate", "/"])
def test_names_in_english_are_marked_in_the_table_of_papers_and_in_the_matrix(
    pages: httpx.Client, path: str
) -> None:
    names = re.compile(
        r'(<a href="/doc/assertion/[^>]*>|<text unicode-bidi="plaintext"[^>]* x="0"[^>]*>)[A-Za-z]'
    )
    for tongue, is_marked in (("ar", True), ("en", False)):
        found = names.findall(pages.get(f"{path}?_lang={tongue}").text)
        assert found
        assert all(('lang="en"' in one) == is_marked for one in found)


@pytest.mark.parametrize("name", TABLES)
def test_sources_and_classes_of_other_vocabularies_are_left_to_the_data(
    pages: httpx.Client, name: str
) -> None:
    table = pages.get(f"/{name}").text.partition("<table")[2].partition("</table>")[0]
    assert "external" not in table
    assert "skos:" not in table


def test_an_issue_has_its_name_first_what_it_is_its_categories_and_papers(pages: httpx.Client) -> None:
    spam = row(pages.get("/issues").text, "/doc/issue/spam")
    assert text(spam).startswith("Spam ")
    assert text(cell(spam, "Category")).startswith("access for all")
    assert '<a href="/papers?issue=issue:spam">1</a>' in cell(spam, "Papers")


def test_a_paragraph_has_what_it_is_about_and_how_many_texts_cite_it(pages: httpx.Client) -> None:
    paragraph = row(pages.get("/declaration?size=100").text, "/doc/document/declaration/48")
    assert text(cell(paragraph, "Principles named")).startswith("democracy ")
    assert text(cell(paragraph, "Cited by")) == "4"
    assert text(cell(paragraph, "Text seen")) == "full text"


@pytest.mark.parametrize("name", ["categories", "declaration", "issues", "principles"])
def test_a_number_leads_to_what_it_counts(pages: httpx.Client, name: str) -> None:
    found = re.findall(r'<a href="([^"]*[?][^"]*)">([0-9]+)</a></td>', pages.get(f"/{name}?size=100").text)
    assert found
    for path, number in dict(found[:20]).items():
        answer = pages.get(unescape(path), headers={"Accept": "application/json"}).json()
        (counted,) = answer.get("inverse", {"": answer}).values()
        assert counted["total"] == int(number), path


def test_papers_that_are_being_counted_are_unknown_and_the_page_is_not_kept(
    shipped: ox.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service(Settings(), Store(shipped))
    app = create_app(service)

    async def not_yet(seconds: float) -> None:
        assert seconds < 5

    monkeypatch.setattr(service.projections.paper_counts["issue"], "get_counts_within", not_yet)
    answer = client_of(app, **HTML).get("/issues")
    assert text(cell(row(answer.text, "/doc/issue/spam"), "Papers")) == "unknown"
    assert answer.headers["cache-control"] == "no-store"
    assert client_of(app, **HTML).get("/meetings").headers["cache-control"] != "no-store"


def test_what_narrows_a_list_is_said_in_words_and_can_be_taken_back(pages: httpx.Client) -> None:
    page = pages.get(
        "/issues?category=access-for-all&category=multilingualism-and-content&q=a&type=Issue"
    ).text
    chips = page.partition('<ul class="chips"')[2].partition("</ul>")[0]
    found = {
        text(name).partition(" ✕")[0]: unescape(path)
        for path, name in re.findall(r'<a href="([^"]*)">(.*?)</a>', chips)
    }
    assert list(found) == [
        "Category: access for all",
        "Category: multilingualism and content",
        "Words in their names: a",
        "Type: issue",
    ]
    assert found["Category: access for all"] == "/issues?category=multilingualism-and-content&q=a&type=Issue"
    assert found["Type: issue"].endswith("&q=a")


def test_fields_that_are_asked_for_are_the_columns(pages: httpx.Client) -> None:
    page = pages.get("/issues?fields=cluster,dcterms:source").text
    assert heads(page) == ["Name", "Cluster of 2005", "Source"]
    assert ">Spam</a>" in row(page, "/doc/issue/spam")


def test_of_many_values_the_first_are_shown_and_the_rest_is_a_page_away(writable: httpx.Client) -> None:
    categories = ", ".join(f"<https://w3id.org/wgig/id/category/c{number}>" for number in range(8))
    for iri in ("https://w3id.org/wgig/id/issue/x", "urn:x"):
        body = ISSUE.format(iri=iri, categories=categories)
        assert writable.put("/graph/x", content=body, headers={"Content-Type": "text/turtle"}).is_success
        page = writable.get("/issues", headers=HTML).text
        assert page.count('href="/doc/category/') == 5
        assert "and 3 more" in page
        assert ('<a href="/doc/issue/x">and 3 more</a>' in page) == iri.startswith("https:")
        assert "None" not in page
