"""The list of graphs, and each of them."""

import re

import httpx
import pyoxigraph as ox
import pytest
from wgig.graphs import page as graphs_page
from wgig.graphs import routes
from wgig.rdf.shipped import read_inference_rules
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.accept_headers import BROWSER
from tests.fixtures.service import client_over
from tests.fixtures.triples import response_triples

TTL = {"Content-Type": "text/turtle"}
PAGE = {"Accept": BROWSER}
SPAM = """
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix issue: <https://w3id.org/wgig/id/issue/> .
@prefix wgig: <https://w3id.org/wgig/ontology#> .
<https://w3id.org/wgig/graph/spam> dcterms:title "All on spam" ; dcterms:description "What is known." ;
  dcterms:source <http://example.org/inventory> ; dcterms:license <http://example.org/free> .
issue:spam a wgig:Issue ; dcterms:title "Spam" .
issue:worms a wgig:Issue ; dcterms:title "Worms" .
"""


@pytest.fixture
def filled(writable: httpx.Client) -> httpx.Client:
    writable.put("/graph/one", content="<x:a> <x:p> <x:b> .", headers=TTL)
    writable.put("/graphs?default", content="<x:c> <x:p> <x:d> .", headers=TTL)
    return writable


def test_the_list_of_graphs_comes_as_json_rdf_and_page(filled: httpx.Client) -> None:
    assert filled.get("/graphs", headers={"Accept": "application/json"}).json() == {
        "graphs": ["https://w3id.org/wgig/graph/one"]
    }
    assert "sd:NamedGraph" in filled.get("/graphs").text
    assert "graph/one" in filled.get("/graphs", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize("path", ["/graph/spam", "/graphs?graph=http://localhost/graph/spam"])
def test_a_graph_is_written_with_the_prefixes_that_it_uses(writable: httpx.Client, path: str) -> None:
    writable.put("/graph/spam", content=SPAM, headers=TTL)
    text = writable.get(path).text
    assert "\nissue:spam " in text
    assert "a wgig:Issue" in text
    assert "@prefix foaf:" not in text
    assert "<dcterms:title>" in writable.get(path, headers={"Accept": "application/rdf+xml"}).text


LD = {"Accept": "application/ld+json"}
ODD = '<x:a> <schema:name> "A slip for schema:name." .'


def test_a_graph_as_json_ld_is_compact_and_brings_its_context(writable: httpx.Client) -> None:
    writable.put("/graph/spam", content=SPAM, headers=TTL)
    document = writable.get("/graph/spam", headers=LD).json()
    (spam,) = (one for one in document["@graph"] if one["id"] == "https://w3id.org/wgig/id/issue/spam")
    assert spam["dcterms:title"] == "Spam"
    assert document["@context"]["dcterms"] == "http://purl.org/dc/terms/"
    assert response_triples(
        writable.get("/graph/spam", headers=LD), ox.RdfFormat.JSON_LD
    ) == triples_of_turtle(SPAM)


@pytest.mark.parametrize("content", [SPAM, ODD])
def test_json_ld_says_the_same_where_it_is_not_compact(
    writable: httpx.Client, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setattr(
        routes, "MAX_COMPACTED_STATEMENTS", 0 if content == SPAM else routes.MAX_COMPACTED_STATEMENTS
    )
    writable.put("/graph/spam", content=content, headers=TTL)
    answer = writable.get("/graph/spam", headers=LD)
    assert "@context" not in answer.text
    assert response_triples(answer, ox.RdfFormat.JSON_LD) == triples_of_turtle(content)


def triples_of_turtle(text: str) -> set[ox.Triple]:
    return {one.triple for one in ox.parse(text, ox.RdfFormat.TURTLE)}


@pytest.mark.parametrize(
    ("accept", "status", "given"),
    [
        ({"Accept": ""}, 200, "text/turtle; charset=utf-8"),
        ({"Accept": "*/*"}, 200, "text/turtle; charset=utf-8"),
        (PAGE, 200, "text/html; charset=utf-8"),
        ({"Accept": "image/png"}, 406, "application/problem+json"),
    ],
)
def test_only_who_likes_pages_gets_the_page_of_a_graph(
    filled: httpx.Client, accept: dict[str, str], status: int, given: str
) -> None:
    for path in ("/graph/one", "/graphs?default"):
        answer = filled.get(path, headers=accept)
        assert (answer.status_code, answer.headers["content-type"]) == (status, given)


def test_the_page_of_a_graph_says_what_it_is_and_what_it_describes(writable: httpx.Client) -> None:
    writable.put("/graph/spam", content=SPAM, headers=TTL)
    page = writable.get("/graph/spam", headers=PAGE).text
    assert "<h1>All on spam</h1>" in page
    assert "What is known." in page
    assert "http://example.org/inventory" in page
    assert "http://example.org/free" in page
    assert "It holds 8 statements." in page
    assert '<a href="/doc/issue/spam">Spam</a>' in page
    assert page.index(">Spam<") < page.index(">Worms<")
    turtle = re.search('href="([^"]+)">Turtle', page)
    assert turtle
    assert "issue:spam" in writable.get(turtle[1].replace("&amp;", "&")).text


def test_a_page_of_a_graph_that_leaves_things_out_says_so(
    writable: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs_page, "MAX_GRAPH_RESOURCES", 1)
    writable.put("/graph/spam", content=SPAM, headers=TTL)
    page = writable.get("/graph/spam", headers=PAGE).text
    assert "Of 2 things, 1 are shown" in page
    assert page.count('href="/doc/issue/') == 1


def test_the_list_shows_titles_and_sizes_and_leads_to_graphs_of_any_name(writable: httpx.Client) -> None:
    elsewhere = "/graphs?graph=http%3A%2F%2Fexample.org%2Fgraph%3Fx"
    writable.put("/graph/spam", content=SPAM, headers=TTL)
    writable.put(elsewhere, content="<x:a> <x:p> 1, 2, 3 .", headers=TTL)
    page = writable.get("/graphs", headers=PAGE).text
    assert re.search(r'<a href="/graph/spam">All on spam</a>.*?<td>8</td>', page, re.DOTALL)
    assert re.search(rf'<a href="{re.escape(elsewhere)}">.*?<td>3</td>', page, re.DOTALL)
    assert "It holds 3 statements." in writable.get(elsewhere, headers=PAGE).text


def test_a_list_that_leaves_graphs_out_says_so(
    writable: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs_page, "MAX_LISTED_GRAPHS", 1)
    for name in ("one", "two"):
        writable.put(f"/graph/{name}", content="<x:a> <x:p> <x:b> .", headers=TTL)
    assert "Of 2 graphs, 1 are shown." in writable.get("/graphs", headers=PAGE).text


def test_the_page_of_what_follows_says_a_sentence_for_each_rule() -> None:
    store = Store.in_memory()
    store.update("INSERT DATA { GRAPH <graph/inferred> { <x:a> <x:p> <x:b> } }", Settings.base)
    page = client_over(store).get("/graph/inferred", headers=PAGE).text
    assert ">An issue paper stands under the categories of the issue that it treats.</bdi></li>" in page
    assert len(graphs_page.rule_summaries(read_inference_rules())) == len(read_inference_rules())


@pytest.mark.parametrize(
    ("statement", "accept"),
    [
        ("<urn:s> <urn:p> <<( <urn:s> <urn:p> 1 )>> .", "application/ld+json"),
        ("<urn:s> <http://x.org/1> 1 .", "application/rdf+xml"),
        ("<urn:s> <http://www.w3.org/1999/02/22-rdf-syntax-ns#li> 1 .", "application/rdf+xml"),
    ],
)
def test_a_graph_is_not_written_in_a_format_that_cannot_hold_it(
    writable: httpx.Client, statement: str, accept: str
) -> None:
    assert writable.put("/graph/odd", content=statement, headers=TTL).status_code == 201
    answer = writable.get("/graph/odd", headers={"Accept": accept})
    assert answer.status_code == 406
    assert "text/turtle" in answer.json()["offered"]
    assert writable.get("/graph/odd", headers={"Accept": "text/turtle"}).status_code == 200
    asked = {"query": "CONSTRUCT WHERE { ?s ?p ?o }", "default-graph-uri": f"{Settings.base}graph/odd"}
    assert writable.get("/sparql", params=asked, headers={"Accept": accept}).status_code == 406


def test_a_graph_has_the_license_that_it_states_and_no_other(writable: httpx.Client) -> None:
    license_, mine = "<http://purl.org/dc/terms/license>", "<https://w3id.org/wgig/graph/mine>"
    for said, links in (
        ("", []),
        (f"{mine} {license_} <x:free> .", ['<x:free>; rel="license"']),
        (f"{mine} {license_} <x:free>, <x:other> .", []),
    ):
        writable.put("/graph/mine", content=f"<x:a> <x:p> <x:b> . {said}", headers=TTL)
        for path in ("/graph/mine", "/graphs?graph=https://w3id.org/wgig/graph/mine"):
            answer = writable.get(path, headers={"Accept": "text/turtle"})
            assert re.findall('<[^>]*>; rel="license"', answer.headers["link"]) == links
    unnamed = writable.get("/graphs?default", headers={"Accept": "text/turtle"})
    assert 'rel="license"' not in unnamed.headers["link"]


def test_an_ending_names_a_format_unless_it_is_of_the_name(filled: httpx.Client) -> None:
    answer = filled.get("/graph/one.nt", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.text) == (200, "<x:a> <x:p> <x:b> .\n")
    assert answer.headers["content-type"].startswith("application/n-triples")
    assert filled.get("/graph/none.nt").status_code == 404
    filled.put("/graph/one.nt", content="<x:own> <x:p> <x:b> .", headers=TTL)
    assert "<x:own>" in filled.get("/graph/one.nt", headers={"Accept": "text/turtle"}).text
