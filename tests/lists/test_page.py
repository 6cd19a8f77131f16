"""HTML pages of lists: columns and their titles, counts with links, and filters that can be removed."""

import re
from html import unescape

import httpx2
import pyoxigraph as ox
import pytest
from wgig.app import create_app, make_service
from wgig.i18n import PAGE_LANGUAGES
from wgig.lists.definitions import LIST_DEFINITIONS
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import make_client, make_store_client

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


def find_facet_counts(page: str, name: str) -> dict[str, int]:
    """The number of resources by value of a facet on the page."""
    matches = re.findall(
        rf'name="{name}" value="([^"]+)"[^>]*>\s*<label.*?<span class="count">([\d,]+)</span>',
        page,
        re.DOTALL,
    )
    return {unescape(value): int(count.replace(",", "")) for value, count in matches}


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
@pytest.mark.parametrize("name", LIST_NAMES)
def test_column_titles_are_words_in_the_language_of_the_page(
    page_client: httpx2.Client, name: str, language: str
) -> None:
    page = page_client.get(f"/{name}?_lang={language}").text
    titles = find_column_titles(page)
    assert 4 <= len(titles) <= 7
    assert not [title for title in titles if IDENTIFIER_PATTERN.search(title)]
    assert f'lang="en">{titles[-1]}' not in page
    english_titles = find_column_titles(page_client.get(f"/{name}?_lang=en").text)
    # "Type" and "Date" are French words, too.
    assert language == "en" or set(titles).intersection(english_titles) <= {"Type", "Date", "Verdict"}


@pytest.mark.parametrize("path", ["/validate", "/coverage"])
def test_english_labels_on_an_arabic_page_have_a_language_tag(page_client: httpx2.Client, path: str) -> None:
    # A link to a paper on /validate, or the label of a row on /coverage.
    label_tag_pattern = re.compile(r'(<a href="/doc/(?:paper|issue)/[^>]*>)[A-Za-z]')
    for language, is_marked in (("ar", True), ("en", False)):
        tags = label_tag_pattern.findall(page_client.get(f"{path}?_lang={language}").text)
        assert tags
        assert all(('lang="en"' in tag) == is_marked for tag in tags)


@pytest.mark.parametrize("name", LIST_NAMES)
def test_pages_omit_sources_and_classes_of_other_vocabularies(page_client: httpx2.Client, name: str) -> None:
    table = page_client.get(f"/{name}").text.partition("<table")[2].partition("</table>")[0]
    assert "external" not in table  # no link to another site
    assert "skos:" not in re.sub(r"[?&]sort=[^\"]*", "", table)


def test_row_of_an_issue_has_its_name_categories_and_papers(page_client: httpx2.Client) -> None:
    row = find_row(page_client.get("/issues").text, "/doc/issue/spam")
    assert extract_text(row).startswith("Spam ")
    assert extract_text(find_cell(row, "Category")).startswith("access for all")
    assert '<a href="/papers?issue=issue:spam">1</a>' in find_cell(row, "Papers")


def test_row_of_a_paragraph_has_its_principles_and_citations(page_client: httpx2.Client) -> None:
    row = find_row(page_client.get("/declaration?size=100").text, "/doc/document/declaration/48")
    assert extract_text(find_cell(row, "Principles named")).startswith("democracy ")
    assert extract_text(find_cell(row, "Known citations")) == "4"
    assert extract_text(find_cell(row, "Text seen")) == "full text"


def test_no_value_is_not_known_where_the_text_was_not_seen(page_client: httpx2.Client) -> None:
    page = page_client.get("/declaration?size=100").text
    for number, expected in ((9, "not known"), (3, "not known"), (7, "none")):
        row = find_row(page, f"/doc/document/declaration/{number}")
        assert extract_text(find_cell(row, "Principles named")) == expected
    assert "none" not in find_facet_counts(page, "namesPrinciple")
    assert "none" in find_facet_counts(
        page_client.get("/declaration?namesPrinciple=none").text, "namesPrinciple"
    )


def test_facet_and_cells_name_no_value_in_the_same_words(page_client: httpx2.Client) -> None:
    for path, title, text in (
        ("/issues", "Papers", "none known"),
        ("/issues", "Judgments", "0"),
        ("/papers", "Author", "not known"),
        ("/meetings", "Place", "not known"),
    ):
        page = page_client.get(path).text
        facet = page.partition(f"<bdi>{title}</bdi></summary>")[2].partition("</details>")[0]
        label = facet.partition('value="none"')[2].partition("</label>")[0].rpartition("<bdi")[2]
        assert label.partition(">")[2].startswith(f"{text}</bdi>"), path
        assert title == "Author" or re.search(rf'data-head="{title}">(<span class="hint">)?{text}<', page), (
            path
        )


def test_document_has_its_text_and_the_number_of_its_parts(page_client: httpx2.Client) -> None:
    page = page_client.get("/declaration").text
    assert extract_text(page.partition("<caption>")[2].partition("</caption>")[0]) == (
        "67 paragraphs, 14 sections, 5 subparagraphs, 3 unnumbered passages, page 1 of 2"
    )
    link = re.search(r'<a href="([^"]*)"[^>]*>Read the text at <bdi dir="ltr">itu.int</bdi></a>', page)
    assert link
    assert link[1].startswith("http://www.itu.int/")
    assert "89 results" not in page


def test_pages_of_a_list_are_linked_once(page_client: httpx2.Client) -> None:
    for path, expected in (
        ("/declaration", ["Next page"]),
        ("/declaration?page=2", ["Previous page"]),
        ("/declaration?size=20&page=1", ["Next page", "Last page"]),
        ("/declaration?size=20&page=3", ["First page", "Previous page", "Next page", "Last page"]),
    ):
        links = page_client.get(path).text.partition('<nav aria-label="Pages">')[2].partition("</nav>")[0]
        assert [extract_text(link) for link in re.findall(r"<a .*?</a>", links)] == expected


def test_rows_of_a_document_begin_with_the_number_of_the_part(page_client: httpx2.Client) -> None:
    page = page_client.get("/declaration?size=100").text
    names = [extract_text(name) for name in re.findall(r'<th scope="row"[^>]*>(<a .*?</a>)', page, re.DOTALL)]
    assert names[:3] == ["A Our Common Vision of the Information Society", "Paragraph 1", "Paragraph 2"]
    assert "Paragraph 48" in names
    assert not [name for name in names if "Geneva Declaration" in name]
    links = {
        name: unescape(path)
        for path, name in re.findall(r'href="(/declaration\?partOf=[^"]*)"[^>]*><bdi>([^<]*)', page)
    }
    numbers = ["A", "B", *(f"B{number}" for number in range(1, 12)), "C"]
    assert [name.partition(" ")[0] for name in links] == numbers
    section = page_client.get(links["B6 Enabling environment"]).text
    assert "/doc/document/declaration/37" not in section
    assert "/doc/document/declaration/48" in section


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
def test_sections_have_number_and_title_in_the_order_of_the_text_in_every_language(
    page_client: httpx2.Client, language: str
) -> None:
    page = page_client.get(f"/declaration?_lang={language}").text
    names = re.findall(r'href="/declaration\?[^"]*partOf=[^"]*"[^>]*><bdi[^>]*>\u200f?([^<]*)', page)
    numbers = ["A", "B", *(f"B{number}" for number in range(1, 12)), "C"]
    assert [name.partition(" ")[0] for name in names] == numbers
    assert all(len(name.partition(" ")[2]) > 3 for name in names)


def test_row_of_a_judgment_can_be_read_without_its_page(page_client: httpx2.Client) -> None:
    page = page_client.get("/judgments?issue=internet-names&criterion=democracy").text
    row = find_row(page, "/doc/judgment/069")
    header = row.partition("</th>")[0]
    assert ">Governments lack authority, so the process is not wholly democratic</a>" in header
    assert ">the process cannot be viewed as being fully democratic</q>" in header
    assert extract_text(header).endswith("Administration of Internet names · democracy")
    assert extract_text(find_cell(row, "Verdict")) == "inadequate"
    assert extract_text(find_cell(row, "Whose view")) == "some members"
    assert '<a href="/doc/agent/icann">ICANN</a>' in find_cell(row, "Judged")
    assert '<a href="/doc/document/background-report/101"' in find_cell(row, "Paragraph")
    assert '<a href="/doc/dispute/icann-legitimacy"' in find_cell(row, "Dispute")


def test_what_is_judged_is_named_in_words_if_it_is_no_resource(page_client: httpx2.Client) -> None:
    row = find_row(page_client.get("/judgments?paragraph=19").text, "/doc/judgment/002")
    assert extract_text(find_cell(row, "Judged")) == "existing institutions"


def test_judgment_on_a_whole_cluster_names_the_cluster(page_client: httpx2.Client) -> None:
    page = page_client.get("/judgments?cluster=cluster-2").text
    headers = re.findall(r'<th scope="row".*?</th>', page, re.DOTALL)
    assert headers
    assert all('<a href="/doc/category/cluster-2"' in header for header in headers)


def test_row_of_a_recommendation_has_its_issues_and_principles_below_its_name(
    page_client: httpx2.Client,
) -> None:
    row = find_row(page_client.get("/recommendations?paragraph=106").text, "/doc/recommendation/062")
    header = row.partition("</th>")[0]
    assert '<a href="/doc/issue/spam"' in header
    assert '<a href="/doc/principle/coordination-capacity"' in header
    assert extract_text(find_cell(row, "Type")) == "need"


def test_row_of_a_dispute_tells_which_side_says_what(page_client: httpx2.Client) -> None:
    row = find_row(page_client.get("/disputes").text, "/doc/dispute/spectrum")
    sides = re.findall(r"<li>.*?</li>", row.partition("</th>")[0], re.DOTALL)
    assert [" ".join(re.sub("<[^>]+>", "", side).split()) for side in sides] == [
        "adequate, some members: Spectrum allocation is good as it is (adequacy)",
        "inadequate, some members: Past allocation, auctions for mobile telephony included, troubles others "
        "(adequacy)",
        "adequate, some members: Auctions are held to be more open than comparative selection (transparency)",
    ]
    assert all('href="/doc/judgment/' in side for side in sides)
    assert '<a href="/judgments?dispute=dispute:spectrum">' in find_cell(row, "Judgments")


def test_fields_that_are_asked_for_are_the_columns_of_disputes(page_client: httpx2.Client) -> None:
    row = find_row(page_client.get("/disputes?fields=verdict,viewHolder").text, "/doc/dispute/spectrum")
    assert {"adequate", "inadequate"} <= set(extract_text(find_cell(row, "Verdict")).split())
    assert "/doc/judgment/" not in row


def test_sides_of_hostile_data_are_escaped_and_may_lack_values() -> None:
    store = Store.in_memory()
    turtle = f"""@prefix : <{Settings.base}ontology#> .
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        @prefix dispute: <{Settings.base}id/dispute/> . @prefix judgment: <{Settings.base}id/judgment/> .
        dispute:1 a :Dispute .
        judgment:1 :dispute dispute:1 ; rdfs:label "<script>alert(1)</script>" .
        judgment:2 :dispute dispute:1 ; :verdict <javascript:alert(2)> ."""
    triples = parse_graph_document(turtle.encode(), "text/turtle")
    store.apply(store.compute_addition(f"{Settings.base}graph/test", triples))
    page = make_store_client(store).get("/disputes", headers={"Accept": "text/html"})
    assert page.status_code == 200, page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert 'href="javascript' not in page.text


def test_definitions_have_their_whole_text_and_comparable_columns(page_client: httpx2.Client) -> None:
    page = page_client.get("/definitions").text
    header = find_row(page, "/doc/definition/wgig").partition("</th>")[0]
    assert "evolution and use of the Internet”" in header
    row = find_row(page, "/doc/definition/02")
    assert extract_text(find_cell(row, "Names actors")) == "no"
    assert extract_text(find_cell(row, "By a member")) == "yes"
    assert extract_text(find_cell(row, "Date")) == "November 2004"
    french_row = find_row(page_client.get("/definitions?_lang=fr").text, "/doc/definition/02")
    assert ">non</span>" in french_row


@pytest.mark.parametrize(
    "name",
    [
        "background-report",
        "categories",
        "declaration",
        "disputes",
        "issues",
        "mechanisms",
        "principles",
    ],
)
def test_a_count_links_to_the_counted_resources(page_client: httpx2.Client, name: str) -> None:
    page = page_client.get(f"/{name}?size=200").text
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
    assert extract_text(find_cell(row, "Papers")) == "not counted yet"
    assert 'name="papers"' not in response.text  # no facet either
    assert response.headers["cache-control"] == "no-store"
    assert make_client(app, **HTML_HEADERS).get("/meetings").headers["cache-control"] != "no-store"


def test_filters_are_shown_with_links_that_remove_them(page_client: httpx2.Client) -> None:
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
        "Name or description contains: a",
        "Type: issue",
    ]
    path = paths_by_filter["Category: access for all"]
    assert path == "/issues?category=multilingualism-and-content&q=a&type=Issue"
    assert paths_by_filter["Type: issue"].endswith("&q=a")


def test_columns_are_the_requested_fields(page_client: httpx2.Client) -> None:
    page = page_client.get("/issues?fields=cluster,dcterms:source").text
    assert find_column_titles(page) == [
        "Name",
        "Cluster of 2005 the grouping for the second round of papers",
        "Source",
    ]
    assert ">Spam</a>" in find_row(page, "/doc/issue/spam")


def test_cell_shows_five_values_and_links_to_the_others(writable_client: httpx2.Client) -> None:
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
