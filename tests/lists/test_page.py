"""HTML pages of lists: columns and their titles, counts with links, and filters that can be removed."""

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

from tests.fixtures.service import make_client

HTML_HEADERS = {"Accept": "text/html"}
LIST_NAMES = sorted(LIST_DEFINITIONS.keys() - {"papers", "timeline"})  # these two have other pages
IDENTIFIER_PATTERN = re.compile(r"[a-z][A-Z]|\w:\w")  # camelCase, or a prefixed name
ISSUE_TURTLE = """@prefix wgig: <https://w3id.org/wgig/ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<{iri}> a wgig:Issue ; rdfs:label "X"@en ; wgig:category {categories} ."""


def extract_text(html: str) -> str:
    """The text of HTML, without tags and extra white space."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def find_column_titles(page: str) -> list[str]:
    header = page[page.index("<thead") : page.index("</thead")]
    return [extract_text(cell) for cell in re.findall(r"<th .*?</th>", header, re.DOTALL)]


def find_row(page: str, path: str) -> str:
    """The HTML of the table row of the resource whose page is at `path`."""
    rows: list[str] = re.findall(r"<tr .*?</tr>", page, re.DOTALL)
    return next(row for row in rows if re.search(rf'<th scope="row"[^>]*><a href="{path}"', row))


def find_cell(row: str, title: str) -> str:
    """The HTML of the cell in the column with this title."""
    return row.partition(f'data-head="{title}">')[2].partition("</td>")[0]


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
@pytest.mark.parametrize("name", LIST_NAMES)
def test_column_titles_are_words_in_the_language_of_the_page(
    page_client: httpx.Client, name: str, language: str
) -> None:
    page = page_client.get(f"/{name}?_lang={language}").text
    titles = find_column_titles(page)
    assert 4 <= len(titles) <= 6
    assert not [title for title in titles if IDENTIFIER_PATTERN.search(title)]
    assert f'lang="en">{titles[-1]}' not in page
    english_titles = find_column_titles(page_client.get(f"/{name}?_lang=en").text)
    # "Type" is a French word, too.
    assert language == "en" or set(titles).intersection(english_titles) <= {"Type"}


@pytest.mark.parametrize("path", ["/validate", "/"])
def test_english_labels_on_an_arabic_page_have_a_language_tag(page_client: httpx.Client, path: str) -> None:
    # A link to a report on /validate, or a row label in the chart on /.
    label_tag_pattern = re.compile(
        r'(<a href="/doc/assertion/[^>]*>|<text unicode-bidi="plaintext"[^>]* x="0"[^>]*>)[A-Za-z]'
    )
    for language, is_marked in (("ar", True), ("en", False)):
        tags = label_tag_pattern.findall(page_client.get(f"{path}?_lang={language}").text)
        assert tags
        assert all(('lang="en"' in tag) == is_marked for tag in tags)


@pytest.mark.parametrize("name", LIST_NAMES)
def test_pages_omit_sources_and_classes_of_other_vocabularies(page_client: httpx.Client, name: str) -> None:
    table = page_client.get(f"/{name}").text.partition("<table")[2].partition("</table>")[0]
    assert "external" not in table  # no link to another site
    assert "skos:" not in table


def test_row_of_an_issue_has_its_name_categories_and_papers(page_client: httpx.Client) -> None:
    row = find_row(page_client.get("/issues").text, "/doc/issue/spam")
    assert extract_text(row).startswith("Spam ")
    assert extract_text(find_cell(row, "Category")).startswith("access for all")
    assert '<a href="/papers?issue=issue:spam">1</a>' in find_cell(row, "Papers")


def test_row_of_a_paragraph_has_its_principles_and_citations(page_client: httpx.Client) -> None:
    row = find_row(page_client.get("/declaration?size=100").text, "/doc/document/declaration/48")
    assert extract_text(find_cell(row, "Principles named")).startswith("democracy ")
    assert extract_text(find_cell(row, "Cited by")) == "4"
    assert extract_text(find_cell(row, "Text seen")) == "full text"


@pytest.mark.parametrize("name", ["categories", "declaration", "issues", "principles"])
def test_a_count_links_to_the_counted_resources(page_client: httpx.Client, name: str) -> None:
    page = page_client.get(f"/{name}?size=100").text
    links = re.findall(r'<a href="([^"]*[?][^"]*)">([0-9]+)</a></td>', page)
    assert links
    for path, count in dict(links[:20]).items():
        document = page_client.get(unescape(path), headers={"Accept": "application/json"}).json()
        # A list, or the list below `inverse` in the description of a resource.
        (linked_list,) = document.get("inverse", {"": document}).values()
        assert linked_list["total"] == int(count), path


def test_page_has_unknown_counts_and_is_not_cached_while_papers_are_counted(
    shipped_store: ox.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service(Settings(), Store(shipped_store))
    app = create_app(service)

    async def return_no_counts(seconds: float) -> None:
        assert seconds < 5

    monkeypatch.setattr(service.projections.paper_counts["issue"], "get_counts_within", return_no_counts)
    response = make_client(app, **HTML_HEADERS).get("/issues")
    row = find_row(response.text, "/doc/issue/spam")
    assert extract_text(find_cell(row, "Papers")) == "unknown"
    assert response.headers["cache-control"] == "no-store"
    assert make_client(app, **HTML_HEADERS).get("/meetings").headers["cache-control"] != "no-store"


def test_filters_are_shown_with_links_that_remove_them(page_client: httpx.Client) -> None:
    page = page_client.get(
        "/issues?category=access-for-all&category=multilingualism-and-content&q=a&type=Issue"
    ).text
    chips = page.partition('<ul class="chips"')[2].partition("</ul>")[0]
    paths_by_filter = {
        extract_text(name).partition(" ✕")[0]: unescape(path)
        for path, name in re.findall(r'<a href="([^"]*)">(.*?)</a>', chips)
    }
    assert list(paths_by_filter) == [
        "Category: access for all",
        "Category: multilingualism and content",
        "Name contains: a",
        "Type: issue",
    ]
    path = paths_by_filter["Category: access for all"]
    assert path == "/issues?category=multilingualism-and-content&q=a&type=Issue"
    assert paths_by_filter["Type: issue"].endswith("&q=a")


def test_columns_are_the_requested_fields(page_client: httpx.Client) -> None:
    page = page_client.get("/issues?fields=cluster,dcterms:source").text
    assert find_column_titles(page) == ["Name", "Cluster of 2005", "Source"]
    assert ">Spam</a>" in find_row(page, "/doc/issue/spam")


def test_cell_shows_five_values_and_links_to_the_others(writable_client: httpx.Client) -> None:
    categories = ", ".join(f"<https://w3id.org/wgig/id/category/c{number}>" for number in range(8))
    for iri in ("https://w3id.org/wgig/id/issue/x", "urn:x"):
        turtle = ISSUE_TURTLE.format(iri=iri, categories=categories)
        assert writable_client.put(
            "/graph/x", content=turtle, headers={"Content-Type": "text/turtle"}
        ).is_success
        page = writable_client.get("/issues", headers=HTML_HEADERS).text
        assert page.count('href="/doc/category/') == 5
        assert "and 3 more" in page
        assert ('<a href="/doc/issue/x">and 3 more</a>' in page) == iri.startswith("https:")
        assert "None" not in page
