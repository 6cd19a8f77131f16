"""The lists of records on pages of resources: judgments, mechanisms, recommendations, sides of disputes."""

import re
from html import unescape

import httpx2
import pytest
from wgig.http import language
from wgig.rdf.serialization import parse_graph_document
from wgig.resources.overview import build_overview, build_overviews, group_records
from wgig.resources.overview_paths import OVERVIEW_PATHS_BY_CLASS
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import make_store_client

BASE = Settings.base
HTML_HEADERS = {"Accept": "text/html"}
PREFIXES = "".join(
    f"@prefix {prefix}: <{BASE}{path}> . "
    for prefix, path in {
        "": "ontology#",
        "issue": "id/issue/",
        "judgment": "id/judgment/",
        "dispute": "id/dispute/",
        "verdict": "id/verdict/",
        "principle": "id/principle/",
        "agent": "id/agent/",
    }.items()
)


def get_sections(client: httpx2.Client, path: str, **headers: str) -> dict[str, str]:
    """The sections of an HTML page, without tags, by the ID of their heading."""
    response = client.get(path, headers=HTML_HEADERS | headers)
    assert response.status_code == 200, response.text
    sections = re.findall(r'<section aria-labelledby="([^"]+)">(.*?)</section>', response.text, re.DOTALL)
    return {
        name: " ".join(unescape(re.sub(r"<[^>]+>", " ", re.sub("</?bdi>", "", html))).split())
        for name, html in sections
    }


def make_store(turtle: str) -> Store:
    """A store with one graph."""
    store = Store.in_memory()
    triples = parse_graph_document((PREFIXES + turtle).encode(), "text/turtle")
    store.apply(store.compute_addition(f"{BASE}graph/test", triples))
    return store


def test_issue_shows_by_criterion_how_it_is_judged(page_client: httpx2.Client) -> None:
    text = get_sections(page_client, "/doc/issue/internet-names")["judgments"]
    assert "The summaries, criteria and verdicts are ours." in text
    assert "involvement of governments inadequate: 3, adequate: 2, partly adequate: 2 · disputed" in text
    assert (
        "adequate Governments have direct input through the committee Whose view: some members "
        "Background Report, paragraph 101 Disputed: Whether ICANN and IANA are multilateral" in text
    )


def test_issue_shows_all_its_judgments(filled_store: Store, page_client: httpx2.Client) -> None:
    issue = f"{BASE}id/issue/internet-names"
    paths = OVERVIEW_PATHS_BY_CLASS["wgig:Issue"]
    judgments = build_overview(filled_store, issue, paths, BASE).records_by_name["judgments"]
    assert len(judgments) == 50
    page = page_client.get("/doc/issue/internet-names").text
    for judgment in judgments:
        assert f'<a href="/doc/judgment/{judgment.iri.rpartition("/")[2]}">' in page
    assert '<a href="/judgments?issue=issue%3Ainternet-names">' in page


def test_passage_about_a_whole_cluster_is_marked(page_client: httpx2.Client) -> None:
    text = get_sections(page_client, "/doc/issue/spam")["judgments"]
    assert "“Whole cluster” marks judgments on all issues of the cluster use of the Internet ." in text
    assert text.count("whole cluster") == 7
    page = page_client.get("/doc/judgment/098").text
    assert "The passage is about the whole cluster" in page


def test_issue_shows_what_governs_it_and_what_was_needed(page_client: httpx2.Client) -> None:
    sections = get_sections(page_client, "/doc/issue/spam")
    assert "London Action Plan (LAP) network" in sections["mechanisms"]
    assert (
        "Hold talks on a treaty or on soft law under the UN proposal Whose view: some members"
        in sections["recommendations"]
    )
    assert "which recommendation each of them follows." in sections["recommendations"]
    page = page_client.get("/doc/issue/spam").text
    assert 'href="/recommendations?issue=issue%3Aspam"' in page
    assert "Tunis Agenda, paragraph 41" in page


def test_issue_without_judgments_has_no_such_section(page_client: httpx2.Client) -> None:
    sections = get_sections(page_client, "/doc/issue/names-and-ip-addresses")
    assert "judgments" not in sections


def test_agent_that_is_a_mechanism_shows_both_overviews(
    filled_store: Store, page_client: httpx2.Client
) -> None:
    icann = f"{BASE}id/agent/icann"
    types = {f"{BASE}ontology#GovernanceMechanism", "http://www.w3.org/ns/org#Organization"}
    assert [overview.kind for overview in build_overviews(filled_store, icann, types, BASE)] == [
        "mechanism",
        "body",
    ]
    assert "accountability not assessed: 1" in get_sections(page_client, "/doc/agent/icann")["judgments"]
    assert 'href="/judgments?judges=agent%3Aicann"' in page_client.get("/doc/agent/icann").text


def test_judgment_shows_its_quotation_and_the_other_sides(page_client: httpx2.Client) -> None:
    page = page_client.get("/doc/judgment/005").text
    assert re.search(
        r'<blockquote dir="auto">will provide sufficient incentives .*?</blockquote>\s*'
        r'<p class="mark"><a href="/doc/document/background-report/box2">',
        page,
    )
    text = get_sections(page_client, "/doc/judgment/005")["sides"]
    assert "Open markets have not solved the cost problem" in text
    assert "Open markets alone would bring" not in text  # the judgment itself


def test_judgment_in_a_note_shows_the_note(page_client: httpx2.Client) -> None:
    assert "(<bdi>172 note 38</bdi>)" in page_client.get("/doc/judgment/138").text


@pytest.mark.parametrize(
    ("number", "text"),
    [("005", "A second reader agreed."), ("233", "Only one reader has read it.")],
)
def test_judgment_tells_how_readers_agreed(page_client: httpx2.Client, number: str, text: str) -> None:
    assert text in page_client.get(f"/doc/judgment/{number}").text


def test_issue_names_its_disputes_or_says_that_there_is_none(page_client: httpx2.Client) -> None:
    names = get_sections(page_client, "/doc/issue/internet-names")["judgments"]
    assert "Disputed: " in names
    assert "Whether ICANN and IANA are multilateral, democratic and inclusive" in names.partition("full ")[0]
    root_servers = get_sections(page_client, "/doc/issue/root-server-system")["judgments"]
    assert "The report states no dispute here." in root_servers
    assert "judgments differ" in root_servers


def test_dispute_shows_each_side_with_its_quotation(page_client: httpx2.Client) -> None:
    page = page_client.get("/doc/dispute/icann-legitimacy").text
    sides = page[page.index('<ul class="sides">') :]
    assert sides[: sides.index("</ul>")].count("<blockquote") == 7
    text = get_sections(page_client, "/doc/dispute/icann-legitimacy")["sides"]
    assert "Whose view: some members" in text
    assert "only one side" not in text


@pytest.mark.parametrize("path", ["dispute/icann-fairness", "dispute/icann-inclusion", "judgment/140"])
def test_dispute_with_one_side_says_so(page_client: httpx2.Client, path: str) -> None:
    assert "The report states only one side." in get_sections(page_client, f"/doc/{path}")["sides"]


def test_page_does_not_say_what_the_report_states_of_a_dispute_of_other_data() -> None:
    store = make_store("judgment:1 a :Judgment ; :dispute dispute:1 . dispute:1 a :Dispute .")
    client = make_store_client(store)
    for path in ("dispute/1", "judgment/1"):
        text = get_sections(client, f"/doc/{path}")["sides"]
        assert "We know of only one side." in text
        assert "report" not in text


def test_principle_counts_the_issues_that_are_judged_by_it(page_client: httpx2.Client) -> None:
    page = page_client.get("/doc/principle/transparency").text
    assert "The Background Report judges 21 issues by it." in page
    assert '<a href="/judgments?criterion=principle%3Atransparency">See all 24 judgments</a>' in page
    assert '<a href="/coverage?criterion=principle%3Atransparency">' in page


def test_paragraph_shows_what_rests_on_it(page_client: httpx2.Client) -> None:
    page = page_client.get("/doc/document/background-report/101").text
    assert '<span class="mark">Our summary:</span>' in page
    sections = get_sections(page_client, "/doc/document/background-report/101")
    assert (
        "inadequate IANA functions are under one government, hence not multilateral" in sections["judgments"]
    )
    assert "Background Report, paragraph 101" not in sections["judgments"]  # the page itself
    assert "IANA functions function" in sections["mechanisms"]
    assert "Put the system under a world authority" in sections["recommendations"]


def test_outcome_of_an_agreement_is_one_block(page_client: httpx2.Client) -> None:
    text = " ".join(re.sub(r"<[^>]+>", " ", page_client.get("/doc/agreement/d01").text).split())
    assert (
        "What became of it: Kept: the group saw itself as a working group that prepares the ground, not as a "
        "negotiating body . Source: Background Report, paragraph 9 . "
        "Confidence: high ." in text
    )
    assert "Result: Report published and presented . Due:" in text


@pytest.mark.parametrize(
    ("path", "beginning"),
    [("agreement/d14", "Result"), ("outcome/d14", "Another outcome of the agreement")],
)
def test_agreement_and_outcome_show_notes_and_what_was_late(
    page_client: httpx2.Client, path: str, beginning: str
) -> None:
    text = " ".join(re.sub(r"<[^>]+>", "", page_client.get(f"/doc/{path}").text).split())
    assert "Our note: When the last of the 21 came online is not said. 18 titles known." in text
    assert (
        f"{beginning}: Issue papers ready and on the website. Due: 25 January 2005. "
        "Delivered: 1 February 2005, late by 7 days." in text
    )


def test_each_milestone_of_an_agreement_has_its_own_days(page_client: httpx2.Client) -> None:
    text = " ".join(re.sub(r"<[^>]+>", "", page_client.get("/doc/agreement/d10").text).split())
    assert "Members choose issues to write on. Delivered: 29 December 2004." in text
    assert text.count("Reason: members formed small groups") == 1


def test_issue_says_that_no_passage_of_report_and_tunis_is_known(
    filled_store: Store, page_client: httpx2.Client
) -> None:
    messages = {
        "report": "We know of no passage on it in the report of 2005. We have seen only part of the report.",
        "tunis": "We know of no paragraph on it in the Tunis Agenda. We have not seen the text of some "
        "paragraphs.",
    }
    paths = OVERVIEW_PATHS_BY_CLASS["wgig:Issue"]
    counts = dict.fromkeys(messages, 0)
    for issue in page_client.get("/issues?size=100", headers={"Accept": "application/json"}).json()["items"]:
        page = page_client.get(f"/doc/issue/{issue['id'].rpartition('/')[2]}").text
        terms = build_overview(filled_store, issue["id"], paths, BASE).terms_by_name
        for name, is_known in {
            "report": bool(terms["report"]),
            "tunis": bool(terms["tunis"] or terms["tunis_treated"]),
        }.items():
            assert (messages[name] in page) is not is_known
            counts[name] += not is_known
    assert all(counts.values())


def test_person_has_posts_and_place(page_client: httpx2.Client) -> None:
    text = " ".join(re.sub(r"<[^>]+>", "", page_client.get("/doc/agent/pisanty").text).split())
    assert "Post: Director, Computing Academic Services, Universidad" in text
    assert "Post: Vice-Chairman of the Board (ICANN), ICANN." in text
    assert "Post: independent consultant" in page_client.get("/doc/agent/doria").text.replace(
        '<span dir="auto">', ""
    )


def test_records_are_in_the_order_of_their_paragraphs(filled_store: Store) -> None:
    for name in ("judgments", "recommendations"):
        paths = OVERVIEW_PATHS_BY_CLASS["wgig:Issue"]
        records = build_overview(filled_store, f"{BASE}id/issue/spam", paths, BASE).records_by_name[name]
        paragraphs = [
            int(record.terms_by_name["paragraph"][0].value.rpartition("/")[2]) for record in records
        ]
        assert paragraphs == sorted(paragraphs)


def test_larger_groups_of_records_come_first(filled_store: Store) -> None:
    paths = OVERVIEW_PATHS_BY_CLASS["wgig:GovernanceMechanism"]
    records = build_overview(filled_store, f"{BASE}id/agent/icann", paths, BASE).records_by_name["judgments"]
    sizes = [len(group.records) for group in group_records(records, "criterion")]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == len(records)


def test_long_lists_are_folded() -> None:
    judgments = "".join(
        f"judgment:{number} a :Judgment ; :issue issue:x ; :criterion principle:p ; :verdict verdict:v . "
        for number in range(30)
    )
    page = make_store_client(make_store(f"issue:x a :Issue . {judgments}")).get(
        "/doc/issue/x", headers=HTML_HEADERS
    )
    assert "<details>\n  <summary><bdi>p" in page.text  # the criterion, closed
    assert "<summary>20 more</summary>" in page.text


def test_quotation_has_its_language(page_client: httpx2.Client) -> None:
    response = page_client.get("/doc/judgment/005", headers={"Accept-Language": "ar"})
    assert '<blockquote lang="en" dir="auto">' in response.text
    with language.use_language("ar"):
        assert 'dir="rtl"' in response.text


def test_hostile_records_are_escaped() -> None:
    hostile = '"<script>alert(1)</script>\\u202e"'
    store = make_store(
        f"""issue:x a :Issue .
        judgment:1 a :Judgment ; :issue issue:x ; :dispute dispute:1 ; :criterion <javascript:alert(1)> ;
            :verdict <javascript:alert(2)> , {hostile} ; :viewHolder {hostile} ; :quotation {hostile} ;
            :judgedAsNamed {hostile} ; :secondReading {hostile} ; :cluster <javascript:alert(3)> , {hostile} ;
            <http://purl.org/dc/terms/description> {hostile} .
        judgment:2 a :Judgment ; :dispute dispute:1 ; :quotation {hostile} .
        dispute:1 a :Dispute .
        <javascript:alert(4)> a :GovernanceMechanism ; :governs issue:x ;
            <http://purl.org/dc/terms/type> {hostile} ."""
    )
    client = make_store_client(store)
    for path in ("issue/x", "judgment/1", "dispute/1"):
        page = client.get(f"/doc/{path}", headers=HTML_HEADERS)
        assert page.status_code == 200, page.text
        assert not re.search(r"<script>|href=\"javascript", page.text)
        assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize("path", ["issue/spam", "agent/icann", "dispute/icann-legitimacy"])
def test_table_has_as_many_judgments_as_the_page(
    filled_client: httpx2.Client, page_client: httpx2.Client, path: str
) -> None:
    page = page_client.get(f"/doc/{path}").text.split('<h2 id="facts"')[0]
    (table_path,) = set(re.findall(r'href="(/judgments\?[^"]+)"', page))
    judgments = set(re.findall(r'href="(/doc/judgment/[^"]+)"', page))
    assert filled_client.get(unescape(table_path)).json()["total"] == len(judgments)
