"""The page of papers: those at hand are those of the store, and the page finds what the list finds."""

import io
import random
import re
from html import unescape
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
from wgig.lists.papers_index import PAPER_FACETS, FacetedPapers, PapersIndex
from wgig.rdf.namespaces import EARL_NAMESPACE, RDF_TYPE_IRI, RDFS_NAMESPACE, SCHEMA_NAMESPACE
from wgig.settings import Settings
from wgig.store.change import Change
from wgig.store.store import Store

from tests.fixtures.service import service_of

BASE = Settings.base
HTML = {"Accept": "text/html"}
WGIG, EARL = f"{BASE}ontology#", EARL_NAMESPACE
PAPERS = [ox.NamedNode(f"{BASE}id/paper/p{number}") for number in range(4)]
GRAPHS: list[Any] = [ox.NamedNode("urn:graph:1"), ox.NamedNode("urn:graph:2"), ox.DefaultGraph()]
ISSUES = [ox.NamedNode(f"{BASE}id/issue/{name}") for name in ("a", "b")]


def statement(chance: random.Random) -> ox.Quad:
    """A statement that may change what papers are chosen by."""
    kinds: list[tuple[str, list[Any]]] = [
        (
            RDF_TYPE_IRI,
            [ox.NamedNode(f"{WGIG}IssuePaper"), ox.NamedNode(f"{WGIG}Issue")],
        ),
        (
            f"{RDFS_NAMESPACE}label",
            [ox.Literal("Spam"), ox.Literal("spam", language="en"), ox.Literal("")],
        ),
        (f"{WGIG}issue", [*ISSUES, ox.Literal("no issue")]),
        (f"{WGIG}posted", [ox.Literal("2005-02-01"), ox.Literal("2004")]),
        (f"{WGIG}illustrative", [ox.Literal(True), ox.Literal(False)]),
        (f"{SCHEMA_NAMESPACE}creativeWorkStatus", [ox.Literal("draft"), ISSUES[0]]),
        (f"{EARL}result", [ox.NamedNode(f"{BASE}id/test-result/{name}") for name in ("passed", "failed")]),
    ]
    predicate, ends = chance.choice(kinds)
    subject = chance.choice(PAPERS)
    if predicate.startswith(EARL):
        subject = ox.NamedNode(subject.value.replace("/paper/", "/assertion/"))
    return ox.Quad(subject, ox.NamedNode(predicate), chance.choice(ends), chance.choice(GRAPHS))


def content(papers: FacetedPapers) -> tuple[set[Any], Any, Any]:
    """All papers, those of each value, and their order."""
    found = set(papers.by_number.values())
    having = {
        (facet, value): {papers.by_number[one].iri for one in those}
        for facet in PAPER_FACETS
        for value, those in papers.numbers_by_value[facet].items()
    }
    numbers = papers.sorted_numbers("label", descending=False)
    return found, having, [papers.by_number[one].iri for one in numbers]


@pytest.mark.parametrize("seed", range(10))
def test_papers_at_hand_are_those_of_the_store_whatever_is_written(seed: int) -> None:
    chance, store = random.Random(seed), Store.in_memory()
    shelf = PapersIndex(store, BASE)
    for _ in range(40):
        there = [quad for node in (*PAPERS, None) for quad in store.match(node)]
        gone = tuple(set(chance.sample(there, min(len(there), chance.randrange(3)))))
        come = {statement(chance) for _ in range(chance.randrange(4))}
        new = tuple(one for one in come if one not in there)
        store.apply(Change(removed=gone, added=new))
        assert shelf.query_sync(content) == PapersIndex(store, BASE).query_sync(content)


def test_what_a_write_does_not_tell_is_read_anew() -> None:
    store = Store.in_memory()
    shelf = PapersIndex(store, BASE)
    assert shelf.query_sync(len) == 0
    store.bulk_load(
        io.BytesIO(f"<{PAPERS[0].value}> a <{WGIG}IssuePaper> .".encode()),
        ox.RdfFormat.TURTLE,
        None,
    )
    assert shelf.query_sync(len) == 1


def listed(client: httpx.Client, query: str) -> list[str]:
    """The papers that a page lists, by the ends of their IRIs."""
    page = client.get(f"/papers?{query}")
    assert page.status_code == 200, page.text
    return re.findall(r'<th scope="row" role="rowheader"><a href="/doc/paper/([\w-]+)"', page.text)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "sort=-posted",
        "sort=posted&size=4&page=2",
        "sort=-label",
        "sort=-id",
        "issue=spam",
        "issue=spam&issue=voip",
        "type=AssessmentPaper",
        "category=access-for-all&conformance=failed",
        "q=SPAM",
        "year=2005&type=IssuePaper",
        "posted=2005",
        "posted=2004-11&posted=2005-02&type=IssuePaper",
        "round=2",
        "criterion=transparency&type=AssessmentPaper",
        "sort=round,-label",
        "conformance=passed",
    ],
)
def test_the_page_lists_what_the_list_holds_in_the_same_order(pages: httpx.Client, query: str) -> None:
    items = pages.get(f"/papers.json?{query}").json()["items"]
    assert listed(pages, query) == [one["id"].rpartition("/")[2] for one in items]


def counts(page: str, facet: str) -> dict[str, int]:
    """What a page says of the values of a facet."""
    found = re.findall(
        rf'name="{facet}" value="([^"]+)"[^>]*>\s*<label.*?<span class="count">([\d,]+)</span>',
        page,
        re.DOTALL,
    )
    return {unescape(value): int(number.replace(",", "")) for value, number in found}


@pytest.mark.parametrize("others", ["", "issue=spam&issue=e-commerce", "type=AssessmentPaper", "q=internet"])
@pytest.mark.parametrize("facet", ["type", "issue", "category", "conformance", "drafter"])
def test_a_count_is_that_of_the_list_it_leads_to(pages: httpx.Client, others: str, facet: str) -> None:
    shown = counts(pages.get(f"/papers?{others}").text, facet)
    rest = "&".join(one for one in others.split("&") if not one.startswith(f"{facet}="))
    assert shown or others
    for value, number in shown.items():
        found = pages.get("/papers.json", params=[*httpx.QueryParams(rest).multi_items(), (facet, value)])
        assert found.json()["total"] == number, value


def test_a_section_says_how_it_stands_in_words_too(pages: httpx.Client) -> None:
    page = pages.get("/papers?issue=spam").text
    assert page.count('<span class="unseen">lacking</span>') == 8
    assert "2 of 28" in page


def test_what_narrows_the_list_can_be_taken_back(pages: httpx.Client) -> None:
    page = pages.get("/papers?issue=spam&issue=voip&type=IssuePaper&page=1").text
    assert 'href="/papers?issue=voip&amp;type=IssuePaper"' in page
    assert 'href="/papers?issue=spam&amp;issue=voip"' in page


def test_nothing_found_says_where_to_go_on(pages: httpx.Client) -> None:
    page = pages.get("/papers?q=zzzz").text
    assert "No paper has all of that" in page
    assert 'href="/search?q=zzzz"' in page


def test_a_field_for_words_that_was_left_empty_means_nothing(pages: httpx.Client) -> None:
    assert listed(pages, "q=&issue=spam&sort=label") == ["wp-spam"]


def test_hostile_values_are_shown_and_lead_nowhere() -> None:
    store = Store.in_memory()
    long = "x" * 10_000
    turtle = f"""
        <{PAPERS[0].value}> a <{WGIG}IssuePaper> ;
            <{RDFS_NAMESPACE}label> "<script>alert(1)</script>\u202e{long}" ;
            <{WGIG}issue> <javascript:alert(1)> , <{BASE}id/issue/x%3Cscript%3E> ;
            <{WGIG}drafter> <urn:nobody> ;
            <{SCHEMA_NAMESPACE}creativeWorkStatus> "\\"><img src=x onerror=alert(1)>" .
        <{PAPERS[1].value}> a <{WGIG}IssuePaper> ."""
    store.bulk_load(io.BytesIO(turtle.encode()), ox.RdfFormat.TURTLE, None)
    page = service_of(Settings(), store).get("/papers", headers=HTML)
    assert page.status_code == 200
    assert not re.search(r"<script>|<img|href=\"javascript", page.text)
    assert long in page.text
