"""Pages of things: what matters first in words, sources beside facts, neighbors, history, and many links."""

import re
from datetime import datetime
from html import unescape
from itertools import count
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pyoxigraph import Literal
from wgig.http import language
from wgig.pages.names import foreign_property_label
from wgig.pages.rendering import render_graph_badge
from wgig.rdf.namespaces import DCTERMS_NAMESPACE, RDFS_NAMESPACE, SKOS_NAMESPACE
from wgig.rdf.serialization import parse_graph_document
from wgig.resources import description
from wgig.resources.overview import OVERVIEW_PATHS_BY_CLASS, build_overview
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl.rules import rules_by_code, section_headings
from wgig.store.store import Store

from tests.fixtures.service import TOKEN, client_over, service_of
from tests.fixtures.stores import filled

BASE = Settings.base
WGIG = f"{BASE}ontology#"
HTML = {"Accept": "text/html"}
SPAM = f"{BASE}id/issue/spam"
# A thing of each kind that has sentences, and something that they say.
SAID = {
    "issue/spam": "The first meeting sorted it under access for all, stable and secure functioning",
    "paper/wp-spam": "Who wrote it is not known. It was posted on 1 February 2005.",
    "paper/ap-developmental-dimension": "Karen Banks, Olivier Nana Nzepa wrote it. It was posted",
    "principle/transparency": "6 passages name it:",
    "document/declaration/48": "4 texts cite it:",
    "document/report/p36": "The Tunis Agenda answers it in Tunis Agenda, paragraph 72.",
    "document/tunis-agenda/72": "It answers WGIG report, paragraph 36",
    "meeting/m1": "It was held from 23 November 2004 to 25 November 2004",
    "session/m1-1": "It was open to",
    "agreement/d01": "What came of it: Report published and presented, due on 18 July 2005, delivered on",
    "milestone/ms-report-public": "It was due on 18 July 2005. It came on 18 July 2005: on time.",
    "category/access-for-all": "15 issues stand under it:",
    "stakeholder-group/civil-society": "of this group took part, as far as is known:",
    "agent/desai": "Stakeholder group: international organizations. Country: not known.",
    "agent/wgig": "24 members are known:",
    "contribution/c23": "It is on Assessment paper:",
}


def page(client: httpx.Client, path: str) -> str:
    """The page at a path."""
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def words(text: str) -> str:
    """The words of a piece of a page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", text)))


def section(text: str, name: str) -> str:
    """The section of a page with this heading or name."""
    start = max(text.find(f'aria-labelledby="{name}"'), text.find(f'aria-label="{name}"'))
    assert start >= 0, name
    return text[start : text.index("</section>", start)]


@pytest.mark.parametrize("path", SAID)
def test_what_matters_most_is_said_in_words(pages: httpx.Client, path: str) -> None:
    assert SAID[path] in words(section(page(pages, f"/doc/{path}"), "In short"))


def test_each_kind_with_sentences_has_an_example_here(filled_store: Store) -> None:
    found = {
        build_overview(filled_store, one, types_at(filled_store, one), BASE).kind for one in map(iri, SAID)
    }
    assert found == {kind for kind, _ in OVERVIEW_PATHS_BY_CLASS.values()}


def iri(path: str) -> str:
    """The IRI of the thing at a path."""
    return f"{BASE}id/{path}"


def types_at(store: Store, one: str) -> frozenset[str]:
    """The classes of a thing."""
    return description.stated_types(description.iter_type_triples(store, [one]))


def test_a_fact_has_its_source_beside_it(pages: httpx.Client) -> None:
    text = page(pages, "/doc/issue/spam")
    rows = re.findall(r'<tr role="row">.*?</tr>', section(text, "facts"), re.DOTALL)
    for row in rows[1:]:
        assert 'href="#sources"' in row or "inferred" in row
    assert text.count('<li id="source-') == 2


def test_the_list_beside_the_picture_names_the_same_things(pages: httpx.Client) -> None:
    text = section(page(pages, "/doc/document/declaration/48"), "around")
    drawn, listed = text.split("The same as a list")
    paths = re.findall(r'<a href="([^"]+)" tabindex="-1"', drawn)
    assert len(paths) == 14
    assert re.findall(r'<a href="([^"]+)"', listed) == paths


def test_an_arrow_points_back_against_the_direction_of_the_page(pages: httpx.Client) -> None:
    for tongue, arrow in (("en", "← "), ("ar", "→ ")):
        answer = pages.get("/doc/milestone/ms-papers", headers={**HTML, "Accept-Language": tongue})
        assert arrow in section(answer.text, "incoming")


def test_the_picture_is_hidden_from_screen_readers_which_have_the_list(pages: httpx.Client) -> None:
    text = section(page(pages, "/doc/issue/spam"), "around")
    assert 'aria-hidden="true" focusable="false"' in text
    assert all('tabindex="-1"' in one for one in re.findall(r"<a [^>]*>", text.split("</svg>\n</div>")[0]))


def test_a_paper_has_the_report_beside_its_sections(pages: httpx.Client) -> None:
    text = page(pages, "/doc/paper/wp-spam")
    assert len(re.findall(r'class="of-paper"', text)) == 9
    spam = section(text, "section-3")
    assert "Nothing of this section is known." in spam
    assert 'href="/shapes/WGIG-3-SWOT-MISSING"' in spam


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_what_a_paper_lacks_is_said_in_the_language_of_the_page(pages: httpx.Client, language: str) -> None:
    text = pages.get("/doc/paper/wp-spam", headers={**HTML, "Accept-Language": language}).text
    assert rules_by_code()["WGIG-3-SWOT-MISSING"].message_in(language) in unescape(section(text, "section-3"))
    assert section_headings()[3].title_in(language) in unescape(text)


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", ">cluster of 2005</a>"),
        ("fr", ">groupe de questions de 2005</a>"),
        ("en", ">in scheme</a>"),
        ("fr", ">dans le schéma</a>"),
    ],
)
def test_a_property_is_called_in_the_language_of_the_page(
    pages: httpx.Client, language: str, shown: str
) -> None:
    text = pages.get("/doc/issue/spam", headers={**HTML, "Accept-Language": language}).text
    assert shown in section(text, "facts")


def test_every_property_of_a_shipped_thing_is_called_in_the_language_of_the_page(filled_store: Store) -> None:
    said = {one.predicate.value for one in filled_store.match() if f"<{BASE}id/" in str(one.subject)}
    outside = [one for one in said if not one.startswith(BASE)]
    with language.use_language("ar"):
        assert not [one for one in outside if foreign_property_label(one).language != "ar"]


def test_a_property_that_nobody_knows_is_called_by_its_english_name() -> None:
    with language.use_language("ar"):
        assert foreign_property_label("http://example.org/strangeThing") == Literal(
            "strange thing", language="en"
        )


@pytest.mark.usefixtures("turned")
def test_where_a_statement_stands_is_said_anew_in_each_language() -> None:
    base = "http://other.example/"  # of which nothing is kept from other tests
    graphs = [f"{base}graph/{name}" for name in ("x", "inferred")]
    marks = [render_graph_badge(graph, None, base, tongue) for graph in graphs for tongue in ("en", "fr")]
    assert [re.sub("<[^>]+>", "", one).strip() for one in marks] == ["1 x", "2 x", "3", "4"]


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catalogues that give another text each time that they are asked."""
    number = count(1)
    monkeypatch.setattr(
        language, "gettext", lambda text: f"{next(number)}{' %(graph)s' if '%' in text else ''}"
    )


def test_a_paper_leads_to_the_form_that_fills_it_in(pages: httpx.Client) -> None:
    found = re.search(r'href="(/write\?paper=[^"]+)"', page(pages, "/doc/paper/wp-spam"))
    assert found
    assert "Spam" in page(pages, found[1])


def test_a_complete_paper_shows_what_each_section_says() -> None:
    client = service_of(Settings(token=TOKEN), filled(), Authorization=f"Bearer {TOKEN}")
    file = SHIPPED_FOLDER / "data/examples/community-networks.ttl"
    path = "paper/example-community-networks"
    headers = {"Content-Type": "text/turtle"}
    sent = client.put(f"/graph/{path}", content=file.read_bytes(), headers=headers)
    assert sent.is_success, sent.text
    text = page(client, f"/doc/{path}")
    assert "Nothing is amiss." in section(text, "section-3")
    assert "strength" in section(text, "section-3")
    assert "Nothing of this section is known." not in text


def linked(count: int) -> Store:
    """A store in which so many papers point to an issue."""
    store = Store.in_memory()
    lines = "".join(
        f"<{BASE}id/paper/p{n}> a <{WGIG}IssuePaper> ; <{WGIG}issue> <{SPAM}> .\n" for n in range(count)
    )
    store.apply(
        store.compute_addition(
            f"{BASE}graph/test",
            parse_graph_document(f"<{SPAM}> a <{WGIG}Issue> .{lines}".encode(), "text/turtle"),
        )
    )
    return store


def test_what_points_to_a_thing_is_counted_and_paged() -> None:
    found = client_over(linked(120))
    text = page(found, "/doc/issue/spam")
    assert '<span class="count">120</span>' in text
    way = re.search(r'href="(/doc/issue/spam\?inverse=issue&amp;page=1)">All 120<', text)
    assert way
    seen: list[str] = []
    path: str | None = unescape(way[1])
    while path:
        text = page(found, path)
        seen += re.findall(r'<li><a href="/doc/paper/(p\d+)"', text)
        onward = re.search(r'href="([^"]+)" rel="next"', text)
        path = unescape(onward[1]) if onward else None
    assert sorted(seen) == sorted(f"p{n}" for n in range(120))


def test_a_hub_is_counted_by_property_and_says_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "MAX_INCOMING_STATEMENTS", 30)
    text = page(client_over(linked(120)), "/doc/issue/spam")
    assert '<span class="count">120</span>' in text
    assert "Of 120 statements that point here, 50 are shown." in text


def test_where_nothing_was_written_the_page_says_so(pages: httpx.Client) -> None:
    assert "was not written since a history is kept" in section(page(pages, "/doc/issue/spam"), "history")


def test_the_history_of_a_thing_leads_to_its_changes() -> None:
    client = service_of(Settings(token=TOKEN), Store.in_memory(), Authorization=f"Bearer {TOKEN}")
    for label in ("One", "Two"):
        facts = f'<{SPAM}> <{RDFS_NAMESPACE}label> "{label}" . <urn:other> <urn:p> "{label}" .'
        assert client.put("/graph/x", content=facts, headers={"Content-Type": "text/turtle"}).is_success
    ways = re.findall(
        r'href="(/graph/x\?changes=[^"]+)"', section(page(client, "/doc/issue/spam"), "history")
    )
    text = words(page(client, unescape(ways[0])))
    version = parse_qs(urlsplit(unescape(ways[0])).query)["changes"][0]
    moment = datetime.strptime(version, "%Y%m%dT%H%M%S%fZ").strftime("%-d %B %Y %H:%M:%S UTC")
    assert f"to {moment} ({version}), by" in text
    assert f'−went: <{SPAM}> <{RDFS_NAMESPACE}label> "One" .' in text
    assert f'+came: <{SPAM}> <{RDFS_NAMESPACE}label> "Two" .' in text
    assert "urn:other" not in text
    whole = client.get(
        unescape(ways[0]).partition("&about")[0], headers={"Accept": "application/json"}
    ).json()
    assert [len(whole["removed"]), len(whole["added"])] == [2, 2]


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("changes=yesterday", 404, "There is no version 'yesterday'"),
        ("about=urn:x", 400, "goes with changes"),
        ("changes=yesterday&lang=en", 400, "There is no parameter 'lang'"),
    ],
)
def test_changes_that_there_are_not_are_refused(query: str, status: int, says: str) -> None:
    store = linked(1)
    answer = service_of(Settings(), store).get(f"/graph/test?{query}")
    assert answer.status_code == status
    assert says in answer.json()["detail"]


def test_hostile_things_are_shown_safely() -> None:
    long, turn = "x" * 10_000, "\\u202e"
    facts = f"""
        <{SPAM}> a <{WGIG}Issue> ;
            <{SKOS_NAMESPACE}prefLabel> "{turn}<script>alert(1)</script>{long}" ;
            <{WGIG}category> <javascript:alert(1)>, <{BASE}id/category/%22%3E%3Cimg%3E> , "\\"><img src=x>" ;
            <{DCTERMS_NAMESPACE}source> <javascript:alert(2)> .
        <{BASE}id/paper/p> <{WGIG}issue> <{SPAM}> ; <{RDFS_NAMESPACE}label> "</title><script>" .
        <urn:{long}> <{WGIG}issue> <{SPAM}> ."""
    store = Store.in_memory()
    store.apply(
        store.compute_addition(f"{BASE}graph/test", parse_graph_document(facts.encode(), "text/turtle"))
    )
    text = page(client_over(store), "/doc/issue/spam")
    assert not re.search(r"<script>|<img|</title><|href=\"javascript", text)
    assert 'dir="auto"' in text
    for box in re.findall(r"<text[^>]*>([^<]*)</text>", text):
        assert len(unescape(box)) <= 26


def test_a_thing_without_a_name_is_called_by_its_iri() -> None:
    store = Store.in_memory()
    store.apply(
        store.compute_addition(
            "urn:g", parse_graph_document(f"<{BASE}id/issue/no-name> <urn:p> 1 .".encode(), "text/turtle")
        )
    )
    assert '<h1 dir="auto">no name</h1>' in page(client_over(store), "/doc/issue/no-name")
