"""Pages of documents and paragraphs say how much of the text was seen, and lead to it and to its sources."""

import re

import httpx2
import pytest
from wgig.resources.text_links import find_page_language, find_site, is_official_text, is_translated_symbol


def get_page(client: httpx2.Client, path: str) -> str:
    response = client.get(f"/doc/document/{path}", headers={"Accept": "text/html"})
    assert response.status_code == 200
    return response.text


def list_text_links(html: str) -> list[tuple[str, str]]:
    """The targets and texts of the links to the text."""
    links = re.findall(r'<p class="text-link"><a href="([^"]+)"[^>]*>(.*?)</p>', html, re.DOTALL)
    return [(target, " ".join(re.sub(r"<[^>]+>", "", text).split())) for target, text in links]


@pytest.mark.parametrize(
    ("path", "target", "text"),
    [
        (
            "declaration/48",
            "http://www.itu.int/net/wsis/docs/geneva/official/dop.html",
            "Read paragraph 48 at itu.int",
        ),
        (
            "report/p18",
            "https://www.itu.int/net/wsis/docs2/pc3/html/off5/index5.html",
            "Read paragraph 18 at itu.int",
        ),
        (
            "declaration",
            "http://www.itu.int/net/wsis/docs/geneva/official/dop.html",
            "Read the text at itu.int",
        ),
    ],
)
def test_the_official_text_is_preferred(
    page_client: httpx2.Client, path: str, target: str, text: str
) -> None:
    assert list_text_links(get_page(page_client, path)) == [(target, text)]


def test_a_copy_with_the_symbol_of_the_document_comes_next(page_client: httpx2.Client) -> None:
    ((target, text),) = list_text_links(get_page(page_client, "tunis-agenda/41"))
    assert target.startswith("http://ininet.org/document-wsis-05tunisdoc6rev-1-e/")
    assert text == "Read paragraph 41 at ininet.org"


def test_a_translation_is_marked_with_its_language(page_client: httpx2.Client) -> None:
    html = get_page(page_client, "report/p62")
    assert list_text_links(html)[0][1] == "Read paragraph 62 at itu.int (French)"
    assert 'hreflang="fr"' in html


def get_paper_links(client: httpx2.Client, name: str) -> list[tuple[str, str]]:
    return list_text_links(client.get(f"/doc/paper/{name}", headers={"Accept": "text/html"}).text)


def test_a_page_that_only_lists_a_paper_is_not_called_its_text(page_client: httpx2.Client) -> None:
    assert get_paper_links(page_client, "wp-spam") == [
        ("http://www.wgig.org/working-papers.html", "Listed in “Working papers of the WGIG” at wgig.org")
    ]


def test_the_own_page_of_a_paper_has_its_text(page_client: httpx2.Client) -> None:
    ((target, text),) = get_paper_links(page_client, "wp-names-and-ip-addresses")
    assert target.startswith("https://readkong.com/page/draft-wgig-issue-paper")
    assert text == "Read the text at readkong.com"


def test_a_text_that_nobody_saw_has_no_link(page_client: httpx2.Client) -> None:
    html = get_page(page_client, "tunis-agenda/33")
    assert "We have not seen the text." in html
    assert list_text_links(html) == []


def test_how_much_was_seen_is_told_in_words(page_client: httpx2.Client) -> None:
    assert "We have seen the full text." in get_page(page_client, "tunis-agenda/41")
    assert "Of its text was seen" not in get_page(page_client, "tunis-agenda/41")


def test_quotations_are_shown_as_text(page_client: httpx2.Client) -> None:
    html = get_page(page_client, "background-report/101")
    assert "Quoted from the text" in html
    assert re.search(r'<blockquote[^>]*dir="auto">[^<]{20,}</blockquote>', html)


def test_sources_are_named_by_title_and_site(page_client: httpx2.Client) -> None:
    html = get_page(page_client, "declaration")
    sources = " ".join(
        re.sub(r"<[^>]+>", " ", html.partition('id="sources"')[2].partition("</ol>")[0]).split()
    )
    assert "Geneva Declaration of Principles , itu.int" in sources
    assert "Geneva Declaration of Principles , geum.ru (Russian)" in sources
    assert "dop.html" not in sources
    assert "http://" not in sources


def test_the_summary_is_marked_before_it(page_client: httpx2.Client) -> None:
    html = get_page(page_client, "tunis-agenda/41")
    assert re.search(r"Our summary:</span> <span[^>]*>Firm action on spam", html)


def test_the_original_and_the_page_can_be_cited(page_client: httpx2.Client) -> None:
    html = get_page(page_client, "tunis-agenda/41")
    question = html.index("What do you want to cite?")
    original = html.index(
        ">The original</a>: paragraph <bdi>41</bdi> of “<bdi>Tunis Agenda for the Information Society</bdi>”"
    )
    assert question < original < html.index(">This page</a>")
    assert html.index('&amp;work">Cite</a>') < html.index("Our summary:")


@pytest.mark.parametrize(("issue", "is_in_inventory"), [("privacy", True), ("internet-names", False)])
def test_a_paper_can_be_started_on_an_issue_of_the_inventory(
    page_client: httpx2.Client, issue: str, is_in_inventory: bool
) -> None:
    html = page_client.get(f"/doc/issue/{issue}", headers={"Accept": "text/html"}).text
    assert (
        f'href="/write?issue={issue}" rel="nofollow">Write a paper on this issue</a>' in html
    ) == is_in_inventory


@pytest.mark.parametrize("path", ["document/tunis-agenda/41", "document/report/p18", "issue/spam"])
def test_an_inferred_response_is_marked_with_its_basis(page_client: httpx2.Client, path: str) -> None:
    html = page_client.get(f"/doc/{path}", headers={"Accept": "text/html"}).text
    assert re.search(
        r'<span class="mark">Our inference:</span> .*responds to .* Reason: same subject\.', html
    )


def test_sites_languages_and_symbols_are_recognized() -> None:
    assert [find_site(url) for url in ("https://www.itu.int/x", "http://[", "urn:x")] == ["itu.int", "", ""]
    assert [
        find_page_language(f"http://itu.int/{name}")
        for name in ("index-fr13.html", "index13.html", "x_Cru.html")
    ] == [
        "fr",
        "",
        "ru",
    ]
    assert not is_official_text("https://evil.example/itu.int/net/wsis/docs/x")
    assert is_translated_symbol("A/1-S")
    assert not is_translated_symbol("A/1-E")
