"""Pages of resources: summary, facts with sources, neighborhood, history, sections, incoming links."""

import re
from collections.abc import Iterator
from html import unescape
from itertools import count

import httpx2
import pytest
from pyoxigraph import Literal, NamedNode, Quad
from wgig._version import __version__
from wgig.http import language
from wgig.pages.names import foreign_property_label
from wgig.pages.rendering import render_graph_badge
from wgig.rdf.namespaces import RDFS_NAMESPACE, SKOS_NAMESPACE
from wgig.rdf.serialization import parse_graph_document
from wgig.resources import description
from wgig.resources.neighborhood import MAX_NEIGHBORS
from wgig.resources.overview import build_overviews
from wgig.resources.overview_paths import OVERVIEW_PATHS_BY_CLASS
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl.rules import rules_by_code, section_headings
from wgig.store.store import Store
from wgig_client.namespaces import DCTERMS_NAMESPACE

from tests.fixtures.service import TOKEN, make_service_client, make_store_client
from tests.fixtures.stores import fill_memory_store

BASE = Settings.base
WGIG = f"{BASE}ontology#"
HTML_HEADERS = {"Accept": "text/html"}
SPAM = f"{BASE}id/issue/spam"
ADDED_PAPER_TURTLE = f"""
@prefix wgig: <{WGIG}> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
<{BASE}id/paper/my-spam> a wgig:IssuePaper ; rdfs:label "Issue paper: Spam"@en ; dcterms:title "Spam"@en ;
    wgig:issue <{SPAM}> ; wgig:round 1 .
"""
# Paths of resources with a summary, and a part of each summary.
SUMMARIES = {
    "issue/spam": "The first meeting put it under access for all, stable and secure functioning",
    "paper/wp-spam": "Posted around 1 February 2005. This is the date of the whole set of issue papers.",
    "paper/ap-root-servers": "It existed by 15 April 2005, the date of a comment on it.",
    "issue/voip": "One paper covers it: Issue paper: VoIP (around 1 February 2005).",
    "paper/ap-developmental-dimension": "Author: Karen Banks, Olivier Nana Nzépa. Posted on",
    "principle/transparency": "7 passages name it: Geneva Declaration of Principles, paragraph 48,",
    "document/declaration/48": "4 texts cite it:",
    "document/report/p36": "Our inference: The Tunis Agenda responds to it in Tunis Agenda, paragraph 72.",
    "document/tunis-agenda/72": "It responds to WGIG report, paragraph 36",
    "meeting/m1": "Held from 23 November 2004 to 25 November 2004",
    "session/m1-1": "Open to members.",
    "agreement/d01": "Result: Report published and presented. Due: 18 July 2005.",
    "milestone/ms-report-public": "Due: 18 July 2005. Delivered: 18 July 2005, on time.",
    "category/access-for-all": "15 issues are in this category:",
    "stakeholder-group/civil-society": "people of this group who took part:",
    "agent/desai": "Seat: Working Group on Internet Governance, as Chair. Post: Special Adviser to the",
    "agent/zangl": "(our inference: press counts the Commission among the governments). Country: not known",
    "agent/wgig": "We know of 41 people with a seat or post:",
    "agent/icann": "Type: organization. Role: private not-for-profit corporation;",
    "mechanism/gac": "It governs Administration of Internet names. 6 passages name it:",
    "judgment/005": "liberalization and privatization, judged by adequacy in general: adequate. "
    "Whose view: some members.",
    "dispute/icann-legitimacy": "7 judgments take a side in it.",
    "recommendation/005": "Type: proposal. Whose view: others.",
    "definition/01": "By Syria (government).",
    "outcome/d01": "Outcome of The group eases later negotiation but does not negotiate.",
    "contribution/c23": "It is about Assessment paper:",
}


def get_page(client: httpx2.Client, path: str) -> str:
    """The HTML page at a path."""
    response = client.get(path, headers=HTML_HEADERS)
    assert response.status_code == 200, response.text
    return response.text


def strip_tags(html: str) -> str:
    """The text of HTML, without tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", html.replace("</p>", " </p>"))))


def extract_section(html: str, name: str) -> str:
    """The section of a page with this label, or with the ID of its heading."""
    start = max(html.find(f'aria-labelledby="{name}"'), html.find(f'aria-label="{name}"'))
    assert start >= 0, name
    return html[start : html.index("</section>", start)]


@pytest.mark.parametrize("path", SUMMARIES)
def test_page_has_summary(page_client: httpx2.Client, path: str) -> None:
    assert SUMMARIES[path] in strip_tags(extract_section(get_page(page_client, f"/doc/{path}"), "In short"))


def test_all_kinds_of_summaries_are_tested(filled_store: Store) -> None:
    kinds = set()
    for path in SUMMARIES:
        iri = f"{BASE}id/{path}"
        types = description.stated_types(description.iter_type_triples(filled_store, [iri]))
        kinds |= {overview.kind for overview in build_overviews(filled_store, iri, types, BASE)}
    assert kinds == {paths.macro for paths in OVERVIEW_PATHS_BY_CLASS.values()}


@pytest.mark.parametrize("path", ["paper/ap-root-servers", "issue/spam", "agreement/d01", "agent/desai"])
def test_summary_needs_no_statement_that_the_description_has(
    filled_store: Store, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    iri = f"{BASE}id/{path}"
    resource = description.describe_resource(filled_store, iri)
    assert resource
    types = description.stated_types(resource.statements)
    summary = build_overviews(filled_store, iri, types, BASE)
    filled_store.node_results.results.clear()
    read_nodes = []
    match = filled_store.match

    def record_match(subject: NamedNode | None = None, *terms: NamedNode | None) -> Iterator[Quad]:
        read_nodes.append(subject and subject.value)
        return match(subject, *terms)

    monkeypatch.setattr(filled_store, "match", record_match)
    assert build_overviews(filled_store, iri, types, BASE, resource.known_values) == summary
    assert resource.known_values.keys().isdisjoint(read_nodes)


def test_page_links_its_sources(page_client: httpx2.Client) -> None:
    html = get_page(page_client, "/doc/issue/spam")
    assert 'are from <a href="#sources">4 sources</a>' in extract_section(html, "In short")
    assert html.count('<li id="source-') == 4


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("issue/spam", ["issue"]),
        ("paper/wp-spam", ["issue paper"]),
        ("document/declaration/48", ["paragraph"]),
        ("meeting/m1", ["meeting"]),
        ("agreement/d01", ["agreement"]),
        ("agent/desai", ["person"]),
        ("confidence/high", ["concept"]),
    ],
)
def test_kind_is_in_plain_words(page_client: httpx2.Client, path: str, kinds: list[str]) -> None:
    html = get_page(page_client, f"/doc/{path}")
    types = html[html.index('<ul class="row types"') :]
    items = re.findall(r"<li>(.*?)</li>", types[: types.index("</ul>")])
    assert [strip_tags(item) for item in items] == kinds


def test_data_lists_all_classes(page_client: httpx2.Client) -> None:
    text = strip_tags(extract_section(get_page(page_client, "/doc/issue/spam"), "data"))
    assert "wgig:Issue skos:Concept inferred" in text


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ("issue/spam", ["also called", "in the inventory of issues", "name"]),
        ("session/m1-1", ["interpretation", "note", "room", "title", "title of the session"]),
    ],
)
def test_facts_do_not_repeat_the_summary(page_client: httpx2.Client, path: str, labels: list[str]) -> None:
    facts = extract_section(get_page(page_client, f"/doc/{path}"), "facts")
    assert [
        strip_tags(head).strip() for head in re.findall(r'role="rowheader">(.*?)</th>', facts, re.DOTALL)
    ] == labels


@pytest.mark.parametrize(
    "path", ["document/declaration/48", "document/tunis-agenda/41", "paper/wp-spam", "meeting/m1"]
)
def test_links_from_other_pages_do_not_repeat_the_overview(page_client: httpx2.Client, path: str) -> None:
    html = get_page(page_client, f"/doc/{path}")
    overview_links = set(re.findall(r'href="(/doc/[^"]+)"', extract_section(html, "In short")))
    assert overview_links
    if 'id="incoming"' in html:
        incoming = extract_section(html, "incoming")
        assert not overview_links.intersection(re.findall(r'href="(/doc/[^"]+)"', incoming))


def test_page_of_a_paragraph_says_everything_once(page_client: httpx2.Client) -> None:
    html = get_page(page_client, "/doc/document/tunis-agenda/41")
    assert 'id="facts"' not in html
    text = strip_tags(extract_section(html, "In short"))
    assert "Our classification: It is relevant to Spam." in text
    assert "Topic:" not in text
    background = strip_tags(get_page(page_client, "/doc/document/tunis-agenda/30"))
    assert "Our classification: Topic: background." in background


def test_citing_texts_have_their_evidence(page_client: httpx2.Client) -> None:
    summary = extract_section(get_page(page_client, "/doc/document/declaration/48"), "In short")
    for citing, citation in (("document/report/p4", "report-p4-48"), ("document/summary/4", "summary-4-48")):
        assert re.search(rf'href="/doc/{citing}".*?href="/doc/citation/{citation}"', summary, re.DOTALL)


def test_disagreements_of_sources_are_named(page_client: httpx2.Client) -> None:
    summary = strip_tags(extract_section(get_page(page_client, "/doc/document/declaration/48"), "In short"))
    assert "Sources disagree: Numbers of paragraphs of the Geneva Declaration" in summary


def test_notes_and_reasons_are_sentences(page_client: httpx2.Client) -> None:
    text = strip_tags(extract_section(get_page(page_client, "/doc/document/declaration/48"), "In short"))
    assert "In the draft of 6 December 2003, it was paragraph 44." in text
    assert "Part of Geneva Declaration of Principles, section B6. Reason: it is between paragraphs 39" in text
    assert "derived:" not in text


def test_facts_have_dates_in_words(page_client: httpx2.Client) -> None:
    facts = strip_tags(extract_section(get_page(page_client, "/doc/document/report"), "facts"))
    assert "2005" in facts
    assert not re.search(r"\b2005-\d\d", facts)


@pytest.mark.parametrize("path", ["issue/spam", "agreement/d01", "outcome/d01", "document/declaration/48"])
def test_our_summary_is_marked(page_client: httpx2.Client, path: str) -> None:
    assert '<p class="lead"><span class="mark">Our summary:</span> ' in get_page(page_client, f"/doc/{path}")


def test_agreement_has_the_verb_of_the_summary(page_client: httpx2.Client) -> None:
    summary = strip_tags(extract_section(get_page(page_client, "/doc/agreement/d01"), "In short"))
    assert "Stated by Nitin Desai at WGIG 1st meeting." in summary
    assert (
        "The summary of the meeting uses the verb “reminded”. It does not say that the group agreed."
        in summary
    )
    for path, text in (
        ("d04", "Agreed by Working Group"),
        ("d17", "Requested by WSIS process"),
        ("d05", "Agreed or"),
    ):
        assert f" {text}" in strip_tags(
            extract_section(get_page(page_client, f"/doc/agreement/{path}"), "In short")
        )


def test_agreements_of_a_meeting_are_a_list(page_client: httpx2.Client) -> None:
    page = get_page(page_client, "/doc/meeting/m1")
    assert '<a href="#agreements">25 agreements</a>.' in page
    assert "The titles are our summaries" in extract_section(page, "agreements")
    assert "Summary of the first meeting, paragraph 8" in extract_section(page, "agreements")
    links = re.findall(r'<a href="/doc/agreement/(d\d+)"', extract_section(page, "agreements"))
    assert links == [f"d{number:02}" for number in range(1, 26)]
    assert "/doc/agreement/" not in extract_section(page, "In short")


@pytest.mark.parametrize(
    ("path", "neighbors"),
    [
        ("agreement/d01", {"next": "agreement/d02"}),
        ("agreement/d10", {"prev": "agreement/d09", "next": "agreement/d11"}),
        ("meeting/m2", {"prev": "meeting/m1", "next": "meeting/m3"}),
        ("meeting/pre-inet", {}),
        ("session/m1-2", {"prev": "session/m1-1", "next": "session/m1-3"}),
        ("session/m1-link", {}),
    ],
)
def test_agreements_meetings_and_sessions_link_their_neighbors(
    page_client: httpx2.Client, path: str, neighbors: dict[str, str]
) -> None:
    links = re.findall(r'<a href="/doc/([^"]+)" rel="(prev|next)">', get_page(page_client, f"/doc/{path}"))
    assert {rel: target for target, rel in links} == neighbors


def test_meeting_says_who_could_attend_each_session(page_client: httpx2.Client) -> None:
    page = get_page(page_client, "/doc/meeting/m1")
    sessions = strip_tags(extract_section(page, "sessions").replace("</li>", " "))
    assert "Day 1 23 November 2004 closed working meeting Open to: members" in sessions
    assert "Day 3 25 November 2004 closed meeting, open in part Open to: observers" in sessions
    assert '<a href="/doc/document/summary">' in extract_section(page, "In short")


def test_agreement_lists_the_sources_of_what_came_of_it(page_client: httpx2.Client) -> None:
    sources = strip_tags(extract_section(get_page(page_client, "/doc/agreement/d01"), "sources"))
    assert "Background Report, paragraph 9" in sources.partition("Sources of what came of it:")[2]
    page = get_page(page_client, "/doc/agreement/d01")
    assert '<a href="#sources">6 sources</a>' in extract_section(page, "In short")
    summary = strip_tags(extract_section(get_page(page_client, "/doc/agreement/d05"), "In short"))
    assert "See the outcome of Draft preliminary outline of the report" in summary


def test_note_on_an_issue_links_the_section_of_the_background_report(page_client: httpx2.Client) -> None:
    summary = extract_section(get_page(page_client, "/doc/issue/spam"), "In short")
    assert '<a href="/doc/document/background-report/spam">' in summary


def test_issue_without_a_paper_says_that_no_source_gives_a_reason(page_client: httpx2.Client) -> None:
    summary = strip_tags(extract_section(get_page(page_client, "/doc/issue/privacy"), "In short"))
    assert "We know of no paper on it. No source gives a reason." in summary
    assert "Our note: It is a separate entry, although" in summary
    assert "No source gives a reason" not in get_page(page_client, "/doc/issue/spam")


def test_repetitions_and_records_for_programs_are_folded(page_client: httpx2.Client) -> None:
    page = get_page(page_client, "/doc/document/declaration/48")
    for name in ("around", "incoming", "machine-links"):
        assert '<details class="folded">' in extract_section(page, name)
    assert page.index('id="data"') < page.index('id="machine-links"')
    assert "/graph/principles" in extract_section(page, "machine-links")
    # Without a summary, they are no repetition.
    assert '<details class="folded" open>' in get_page(page_client, "/doc/verdict/adequate")


def test_list_has_same_resources_as_picture(page_client: httpx2.Client) -> None:
    html = extract_section(get_page(page_client, "/doc/document/declaration/48"), "around")
    picture_html, list_html = html.split("The picture as a list")
    paths = re.findall(r'<a href="([^"]+)" tabindex="-1"', picture_html)
    assert len(paths) == 2 * MAX_NEIGHBORS
    assert re.findall(r'<a href="([^"]+)"', list_html) == paths
    assert not any(path.startswith("/doc/citation/") for path in paths)  # the citing texts are there
    assert "←" not in html


def test_arrow_of_incoming_link_depends_on_text_direction(page_client: httpx2.Client) -> None:
    for language_tag, arrow in (("en", "← "), ("ar", "→ ")):
        response = page_client.get(
            "/doc/milestone/ms-papers", headers={**HTML_HEADERS, "Accept-Language": language_tag}
        )
        assert arrow in extract_section(response.text, "incoming")


def test_picture_is_hidden_from_screen_readers(page_client: httpx2.Client) -> None:
    html = extract_section(get_page(page_client, "/doc/issue/spam"), "around")
    assert 'aria-hidden="true" focusable="false"' in html
    picture_html = html.split("</svg>\n</div>")[0]
    assert all('tabindex="-1"' in link for link in re.findall(r"<a [^>]*>", picture_html))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("wp-spam", "have not seen its text, so we cannot tell"),
        ("wp-multilingual-naming", "seen only the beginning of this paper, so we cannot tell"),
    ],
)
def test_page_of_paper_whose_text_was_not_seen_asks_nothing_of_its_author(
    page_client: httpx2.Client, name: str, sentence: str
) -> None:
    html = get_page(page_client, f"/doc/paper/{name}")
    text = " ".join(re.sub(r"<[^>]+>", "", html).split())
    assert sentence in text
    for words in ("✗", "missing", "Correct the day", "/shapes/WGIG-", "of 28", "added it to this service"):
        assert words not in html


def test_page_of_example_paper_has_its_text_and_leads_to_the_form(page_client: httpx2.Client) -> None:
    html = get_page(page_client, "/doc/paper/example-spam-filters")
    assert ">Cooperation on spam filters (an example)</h1>" in html
    assert "Most messages that reach a mail server" in extract_section(html, "text")
    assert "We know nothing about this section." not in html
    assert "Cooperation on spam filters" in get_page(page_client, "/write?paper=example-spam-filters")


@pytest.fixture(scope="module")
def added_paper_client() -> httpx2.Client:
    """A client of a service with a paper that somebody added, which has little more than a title."""
    client = make_service_client(Settings(token=TOKEN), fill_memory_store(), Authorization=f"Bearer {TOKEN}")
    response = client.put(
        "/graph/paper/my-spam", content=ADDED_PAPER_TURTLE, headers={"Content-Type": "text/turtle"}
    )
    assert response.is_success, response.text
    return client


def test_added_paper_is_told_from_one_of_2005_with_the_same_name(added_paper_client: httpx2.Client) -> None:
    issue_text = re.sub(r"<[^>]+>", "", get_page(added_paper_client, "/doc/issue/spam"))
    names = "Issue paper: Spam (added to this service), Issue paper: Spam (around 1 February 2005)"
    assert f"2 papers cover it: {names}." in issue_text
    paper_page = get_page(added_paper_client, "/doc/paper/my-spam")
    assert "Somebody added it to this service." in paper_page
    assert "(added to this service)" not in paper_page
    results_page = get_page(added_paper_client, "/search?q=Spam&kind=paper")
    marks = dict(re.findall(r'<h3><a href="([^"]+)".*?<p class="mark">(.*?)</p>', results_page, re.DOTALL))
    assert "added to this service" in marks["/doc/paper/my-spam"]
    assert "added to this service" not in marks["/doc/paper/wp-spam"]


def test_sections_of_paper_have_findings(added_paper_client: httpx2.Client) -> None:
    html = get_page(added_paper_client, "/doc/paper/my-spam")
    assert len(re.findall(r'class="of-paper"', html)) == 9  # sections 0 to 8
    swot_section = extract_section(html, "section-3")
    assert "We know nothing about this section." in swot_section
    assert 'href="/shapes/WGIG-3-SWOT-MISSING"' in swot_section


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_findings_are_in_language_of_page(added_paper_client: httpx2.Client, language: str) -> None:
    headers = {**HTML_HEADERS, "Accept-Language": language}
    html = added_paper_client.get("/doc/paper/my-spam", headers=headers).text
    assert rules_by_code()["WGIG-3-SWOT-MISSING"].message_in(language) in unescape(
        extract_section(html, "section-3")
    )
    assert section_headings()[3].title_in(language) in unescape(html)


@pytest.mark.parametrize(
    ("language", "label_html"),
    [
        ("en", ">in the inventory of issues</a>"),
        ("fr", ">présence dans l’inventaire</a>"),
        ("en", ">also called</a>"),
        ("fr", ">nom</a>"),
    ],
)
def test_label_of_property_is_in_language_of_page(
    page_client: httpx2.Client, language: str, label_html: str
) -> None:
    html = page_client.get("/doc/issue/spam", headers={**HTML_HEADERS, "Accept-Language": language}).text
    assert label_html in extract_section(html, "facts")


def test_properties_of_shipped_resources_have_arabic_labels(filled_store: Store) -> None:
    properties = {quad.predicate.value for quad in filled_store.match() if f"<{BASE}id/" in str(quad.subject)}
    foreign_properties = [property_ for property_ in properties if not property_.startswith(BASE)]
    with language.use_language("ar"):
        labels = [foreign_property_label(property_) for property_ in foreign_properties]
    assert {label.language for label in labels} == {"ar"}


def test_label_of_unknown_property_is_from_its_iri() -> None:
    with language.use_language("ar"):
        assert foreign_property_label("http://example.org/strangeThing") == Literal(
            "strange thing", language="en"
        )


@pytest.mark.usefixtures("numbered_translations")
def test_badge_of_graph_is_cached_by_language() -> None:
    base = "http://other.example/"  # no other test caches badges of this base
    graphs = [f"{base}graph/{name}" for name in ("x", "inferred")]
    badges = [render_graph_badge(graph, None, base, tag) for graph in graphs for tag in ("en", "fr")]
    # Each badge has texts of its own: none is that of another language.
    assert [re.sub("<[^>]+>", "", badge).strip() for badge in badges] == ["1 x", "2 x", "3", "4"]


@pytest.fixture
def numbered_translations(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `gettext` that returns another number in each call."""
    number = count(1)
    monkeypatch.setattr(
        language, "gettext", lambda text: f"{next(number)}{' %(graph)s' if '%' in text else ''}"
    )


def test_paper_links_form(page_client: httpx2.Client) -> None:
    form_link = re.search(r'href="(/write\?paper=[^"]+)"', get_page(page_client, "/doc/paper/wp-spam"))
    assert form_link
    assert "Spam" in get_page(page_client, form_link[1])


def test_complete_paper_has_no_findings() -> None:
    client = make_service_client(Settings(token=TOKEN), fill_memory_store(), Authorization=f"Bearer {TOKEN}")
    file = SHIPPED_FOLDER / "data/examples/community-networks.ttl"
    path = "paper/example-community-networks"
    headers = {"Content-Type": "text/turtle"}
    response = client.put(f"/graph/{path}", content=file.read_bytes(), headers=headers)
    assert response.is_success, response.text
    html = get_page(client, f"/doc/{path}")
    assert "No findings." in extract_section(html, "section-3")
    assert "strength" in extract_section(html, "section-3")
    assert "We know nothing about this section." not in html


def make_linked_store(paper_count: int) -> Store:
    """A store in which `paper_count` papers point to the issue `spam`."""
    store = Store.in_memory()
    papers = "".join(
        f"<{BASE}id/paper/p{n}> a <{WGIG}IssuePaper> ; <{WGIG}issue> <{SPAM}> .\n" for n in range(paper_count)
    )
    triples = parse_graph_document(f"<{SPAM}> a <{WGIG}Issue> .{papers}".encode(), "text/turtle")
    store.apply(store.compute_addition(f"{BASE}graph/test", triples))
    return store


def test_incoming_links_are_counted_and_paged() -> None:
    client = make_store_client(make_linked_store(120))
    html = get_page(client, "/doc/issue/spam")
    assert '<span class="count">120</span>' in html
    first_link = re.search(r'href="(/doc/issue/spam\?inverse=issue&amp;page=1)">All 120<', html)
    assert first_link
    names: list[str] = []
    path: str | None = unescape(first_link[1])
    while path:
        html = get_page(client, path)
        names += re.findall(r'<li><a href="/doc/paper/(p\d+)"', html)
        next_link = re.search(r'href="([^"]+)" rel="next"', html)
        path = unescape(next_link[1]) if next_link else None
    assert sorted(names) == sorted(f"p{n}" for n in range(120))


def test_omitted_incoming_links_are_counted_and_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "MAX_INCOMING_STATEMENTS", 30)
    html = get_page(make_store_client(make_linked_store(120)), "/doc/issue/spam")
    assert '<span class="count">120</span>' in html
    # MAX_INCOMING_PER_PROPERTY are shown.
    assert "This page shows 50 of 120 statements that link to it." in html


def test_page_notes_empty_history(page_client: httpx2.Client) -> None:
    section = extract_section(get_page(page_client, "/doc/issue/spam"), "history")
    assert f"Nothing has changed since version {__version__}." in section


def test_history_links_changes_of_resource() -> None:
    client = make_service_client(Settings(token=TOKEN), Store.in_memory(), Authorization=f"Bearer {TOKEN}")
    for label in ("One", "Two"):
        facts = f'<{SPAM}> <{RDFS_NAMESPACE}label> "{label}" . <urn:other> <urn:p> "{label}" .'
        assert client.put("/graph/x", content=facts, headers={"Content-Type": "text/turtle"}).is_success
    history_html = extract_section(get_page(client, "/doc/issue/spam"), "history")
    path = unescape(re.findall(r'href="(/graph/x\?changes=[^"]+)"', history_html)[0])
    html = strip_tags(get_page(client, path))
    assert "removed: One" in html
    assert "added: Two" in html
    assert "urn:other" not in html
    all_changes = client.get(path.partition("&about")[0], headers={"Accept": "application/json"}).json()
    assert [len(all_changes["removed"]), len(all_changes["added"])] == [2, 2]


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("changes=yesterday", 404, "There is no version 'yesterday'"),
        ("about=urn:x", 400, "needs changes"),
        ("changes=yesterday&lang=en", 400, "There is no parameter 'lang'"),
    ],
)
def test_invalid_request_for_changes_is_refused(query: str, status: int, message: str) -> None:
    response = make_service_client(Settings(), make_linked_store(1)).get(f"/graph/test?{query}")
    assert response.status_code == status
    assert message in response.json()["detail"]


def test_hostile_text_is_escaped() -> None:
    long_text, right_to_left_override = "x" * 10_000, "\\u202e"
    facts = f"""
        <{SPAM}> a <{WGIG}Issue> ;
            <{SKOS_NAMESPACE}prefLabel> "{right_to_left_override}<script>alert(1)</script>{long_text}" ;
            <{WGIG}category> <javascript:alert(1)>, <{BASE}id/category/%22%3E%3Cimg%3E> , "\\"><img src=x>" ;
            <{DCTERMS_NAMESPACE}source> <javascript:alert(2)> .
        <{BASE}id/paper/p> <{WGIG}issue> <{SPAM}> ; <{RDFS_NAMESPACE}label> "</title><script>" .
        <urn:{long_text}> <{WGIG}issue> <{SPAM}> ."""
    store = Store.in_memory()
    store.apply(
        store.compute_addition(f"{BASE}graph/test", parse_graph_document(facts.encode(), "text/turtle"))
    )
    html = get_page(make_store_client(store), "/doc/issue/spam")
    assert not re.search(r"<script>|<img|</title><|href=\"javascript", html)
    assert 'dir="auto"' in html
    for box_label in re.findall(r"<text[^>]*>([^<]*)</text>", html):
        assert len(unescape(box_label)) <= 26  # long labels are truncated


def test_title_of_resource_without_label_is_from_iri() -> None:
    store = Store.in_memory()
    store.apply(
        store.compute_addition(
            "urn:g", parse_graph_document(f"<{BASE}id/issue/no-name> <urn:p> 1 .".encode(), "text/turtle")
        )
    )
    assert '<h1 dir="auto">no name</h1>' in get_page(make_store_client(store), "/doc/issue/no-name")
