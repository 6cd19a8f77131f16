"""The page of /papers and its in-memory index: equal to the store after changes, and to the JSON list."""

import io
import re
from html import unescape
from typing import Any

import httpx2
import pyoxigraph as ox
import pytest
from wgig.http.bodies import parse_form
from wgig.lists.definitions import LIST_DEFINITIONS
from wgig.lists.query import build_list_query, parse_list_request
from wgig.lists.results import parse_list_page, serialize_list_json
from wgig.rdf.formats import TSV
from wgig.rdf.namespaces import EARL_NAMESPACE, RDF_TYPE_IRI, RDFS_NAMESPACE, SCHEMA_NAMESPACE
from wgig.settings import Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store.store import Store

from tests.fixtures.service import make_service_client

BASE = Settings.base
HTML_HEADERS = {"Accept": "text/html"}
WGIG, EARL = f"{BASE}ontology#", EARL_NAMESPACE
PAPERS = [ox.NamedNode(f"{BASE}id/paper/p{number}") for number in range(4)]
GRAPHS: list[Any] = [ox.NamedNode("urn:graph:1"), ox.NamedNode("urn:graph:2"), ox.DefaultGraph()]
ISSUES = [ox.NamedNode(f"{BASE}id/issue/{name}") for name in ("a", "b")]


def list_page_papers(client: httpx2.Client, query: str) -> list[str]:
    """The local names of the papers on a page."""
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
        "category=access-for-all&sort=-posted,label&size=3",
        "issue=spam&issue=voip&fields=label,posted",
        "posted=none&sort=partsMet,-id",
        "drafter=none&size=2&page=3",
        "year=2005&q=internet&fields=type",
        "sort=issue",
        "sort=-issue,label&size=5&page=2",
        "sort=dcterms:title",
        "sort=-dcterms:title&type=IssuePaper",
    ],
)
def test_page_and_json_list_have_the_papers_of_the_query_in_the_same_order(
    page_client: httpx2.Client, filled_store: Store, query: str
) -> None:
    response = page_client.get(f"/papers.json?{query}")
    list_request = parse_list_request(LIST_DEFINITIONS["papers"], parse_form(query.encode()), BASE)
    tsv = io.BytesIO()
    filled_store.query(build_list_query(list_request, BASE), TSV.media_type, tsv)
    expected = parse_list_page(tsv.getvalue())
    links = response.json()["links"]
    assert response.content == serialize_list_json(list_request, expected, BASE, links)
    assert list_page_papers(page_client, query) == [iri.rpartition("/")[2] for iri in expected.resources]


def find_facet_counts(page: str, facet: str) -> dict[str, int]:
    """The number of papers by value of a facet on the page."""
    matches = re.findall(
        rf'name="{facet}" value="([^"]+)"[^>]*>\s*<label.*?<span class="count">([\d,]+)</span>',
        page,
        re.DOTALL,
    )
    return {unescape(value): int(count.replace(",", "")) for value, count in matches}


@pytest.mark.parametrize("query", ["", "issue=spam&issue=e-commerce", "type=AssessmentPaper", "q=internet"])
@pytest.mark.parametrize("facet", ["type", "issue", "category", "posted", "drafter"])
def test_facet_count_equals_the_total_of_the_filtered_list(
    page_client: httpx2.Client, query: str, facet: str
) -> None:
    counts = find_facet_counts(page_client.get(f"/papers?{query}").text, facet)
    assert counts or query  # without filters, every facet has values
    other_filters = [pair for pair in httpx2.QueryParams(query).multi_items() if pair[0] != facet]
    for value, count in counts.items():
        response = page_client.get("/papers.json", params=[*other_filters, (facet, value)])
        assert response.json()["total"] == count, value


def find_cells(page: str) -> dict[str, list[str]]:
    """The texts of the cells after the title, by the local name of the paper."""
    rows = re.findall(
        r'<th scope="row" role="rowheader"><a href="/doc/paper/([^"]*)"(.*?)</tr>', page, re.DOTALL
    )
    return {
        name: [
            " ".join(re.sub(r"<[^>]*>", "", cell).split())
            for cell in re.findall(r"<td [^>]*>(.*?)</td>", row, re.DOTALL)
        ]
        for name, row in rows
    }


def test_a_paper_whose_text_was_not_seen_lacks_nothing(page_client: httpx2.Client) -> None:
    page = page_client.get("/papers").text
    assert "We have not seen the full text of any of them." in page
    table = page.partition("<table")[2].partition("</table>")[0]
    for word in ("missing", "of 28", "added to this service", "Parts met", "text not seen"):
        assert word not in table
    assert 'name="conformance"' not in page  # all papers have the same result
    filtered_page = page_client.get("/papers?conformance=cannot-tell").text
    assert find_facet_counts(filtered_page, "conformance") == {"cannot-tell": 18, "none": 4}


def test_cells_have_type_issue_and_what_is_known_of_the_day(page_client: httpx2.Client) -> None:
    cells = find_cells(page_client.get("/papers").text)
    assert len(cells) == 22
    assert cells["wp-spam"] == ["issue paper", "Spam", "around 1 February 2005"]
    assert cells["wp-intellectual-property-rights"][2] == "around 1 February 2005"
    assert cells["ap-domain-names"] == [
        "assessment paper",
        "Administration of Internet names",
        "by 15 April 2005",
    ]
    assert cells["ap-developmental-dimension"][2] == "18 April 2005 (announced)"


def test_each_paper_links_its_issue_and_authors(page_client: httpx2.Client) -> None:
    page = page_client.get("/papers").text
    assert page.count('<a href="/doc/issue/') == 22
    assert 'Author: <a href="/doc/agent/banks">Karen Banks</a>' in page


def test_state_of_a_section_is_shown_as_text() -> None:
    """Of a paper that was added, which is told from one of 2005 with the same name."""
    store = Store.in_memory(computed_graphs=[ConformanceGraph(BASE, Settings.shacl)])
    paper = [
        ox.Triple(PAPERS[0], ox.NamedNode(RDF_TYPE_IRI), ox.NamedNode(f"{WGIG}IssuePaper")),
        ox.Triple(PAPERS[0], ox.NamedNode(f"{WGIG}issue"), ISSUES[0]),
    ]
    store.replace({f"{BASE}graph/paper/p0": paper})
    page = make_service_client(Settings(), store).get("/papers", headers=HTML_HEADERS).text
    assert page.count('<span class="unseen">missing</span>') == 8
    assert "1 of 28" in page  # parts of the template
    assert page.count("added to this service") == 1
    assert "We have not seen" not in page


def test_page_has_links_that_remove_filters(page_client: httpx2.Client) -> None:
    page = page_client.get("/papers?issue=spam&issue=voip&type=IssuePaper&page=1").text
    assert 'href="/papers?issue=voip&amp;type=IssuePaper"' in page
    assert 'href="/papers?issue=spam&amp;issue=voip"' in page


def test_empty_page_links_to_the_search(page_client: httpx2.Client) -> None:
    page = page_client.get("/papers?q=zzzz").text
    assert "No results." in page
    assert 'href="/search?q=zzzz"' in page


def test_empty_q_parameter_is_ignored(page_client: httpx2.Client) -> None:
    assert list_page_papers(page_client, "q=&issue=spam&sort=label") == ["wp-spam"]


def test_malicious_values_are_escaped() -> None:
    store = Store.in_memory()
    long_text = "x" * 10_000
    turtle = f"""
        <{PAPERS[0].value}> a <{WGIG}IssuePaper> ;
            <{RDFS_NAMESPACE}label> "<script>alert(1)</script>\u202e{long_text}" ;
            <{WGIG}issue> <javascript:alert(1)> , <{BASE}id/issue/x%3Cscript%3E> ;
            <{WGIG}drafter> <urn:nobody> ;
            <{SCHEMA_NAMESPACE}creativeWorkStatus> "\\"><img src=x onerror=alert(1)>" .
        <{PAPERS[1].value}> a <{WGIG}IssuePaper> ."""
    store.bulk_load(io.BytesIO(turtle.encode()), ox.RdfFormat.TURTLE, None)
    page = make_service_client(Settings(), store).get("/papers", headers=HTML_HEADERS)
    assert page.status_code == 200
    assert not re.search(r"<script>|<img|href=\"javascript", page.text)
    assert long_text in page.text
