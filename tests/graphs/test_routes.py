"""The list of graphs, and a graph: formats, pages, licenses."""

import re
from datetime import UTC, datetime
from html import unescape
from urllib.parse import unquote

import httpx2
import pyoxigraph as ox
import pytest
from wgig._version import __released__
from wgig.graphs import page as graphs_page
from wgig.graphs import routes
from wgig.pages.rendering import format_date_text
from wgig.rdf.shipped import read_inference_rules
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.accept_headers import BROWSER_ACCEPT
from tests.fixtures.service import make_store_client, make_writer_client
from tests.fixtures.triples import response_triples

TURTLE_HEADERS = {"Content-Type": "text/turtle"}
BROWSER_HEADERS = {"Accept": BROWSER_ACCEPT}
SPAM_TURTLE = """
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix issue: <https://w3id.org/wgig/id/issue/> .
@prefix wgig: <https://w3id.org/wgig/ontology#> .
<https://w3id.org/wgig/graph/spam> dcterms:title "All on spam" ; dcterms:description "What is known." ;
  dcterms:source <http://example.org/inventory> ; dcterms:license <http://example.org/free> .
issue:spam a wgig:Issue ; dcterms:title "Spam" .
issue:worms a wgig:Issue ; dcterms:title "Worms" .
"""


@pytest.fixture
def two_graphs_client(writable_client: httpx2.Client) -> httpx2.Client:
    """A client of a service with a named graph and a default graph."""
    writable_client.put("/graph/one", content="<x:a> <x:p> <x:b> .", headers=TURTLE_HEADERS)
    writable_client.put("/graphs?default", content="<x:c> <x:p> <x:d> .", headers=TURTLE_HEADERS)
    return writable_client


def test_list_of_graphs_is_json_rdf_or_page(two_graphs_client: httpx2.Client) -> None:
    assert two_graphs_client.get("/graphs", headers={"Accept": "application/json"}).json() == {
        "graphs": ["https://w3id.org/wgig/graph/one"]
    }
    assert "sd:NamedGraph" in two_graphs_client.get("/graphs").text
    assert "graph/one" in two_graphs_client.get("/graphs", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize("path", ["/graph/spam", "/graphs?graph=http://localhost/graph/spam"])
def test_graph_is_serialized_with_used_prefixes(writable_client: httpx2.Client, path: str) -> None:
    writable_client.put("/graph/spam", content=SPAM_TURTLE, headers=TURTLE_HEADERS)
    text = writable_client.get(path).text
    assert "\nissue:spam " in text
    assert "a wgig:Issue" in text
    assert "@prefix foaf:" not in text
    assert "<dcterms:title>" in writable_client.get(path, headers={"Accept": "application/rdf+xml"}).text


JSON_LD_HEADERS = {"Accept": "application/ld+json"}
UNCOMPACTABLE_TURTLE = '<x:a> <schema:name> "The IRI looks like a prefixed name." .'


def test_graph_as_json_ld_is_compact_with_embedded_context(writable_client: httpx2.Client) -> None:
    writable_client.put("/graph/spam", content=SPAM_TURTLE, headers=TURTLE_HEADERS)
    document = writable_client.get("/graph/spam", headers=JSON_LD_HEADERS).json()
    (spam,) = (node for node in document["@graph"] if node["id"] == "https://w3id.org/wgig/id/issue/spam")
    assert spam["dcterms:title"] == "Spam"
    assert document["@context"]["dcterms"] == "http://purl.org/dc/terms/"
    assert response_triples(
        writable_client.get("/graph/spam", headers=JSON_LD_HEADERS), ox.RdfFormat.JSON_LD
    ) == parse_turtle(SPAM_TURTLE)


@pytest.mark.parametrize("content", [SPAM_TURTLE, UNCOMPACTABLE_TURTLE])
def test_expanded_json_ld_has_same_triples(
    writable_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    if content == SPAM_TURTLE:
        monkeypatch.setattr(routes, "MAX_COMPACTED_STATEMENTS", 0)  # counts as too large to compact
    writable_client.put("/graph/spam", content=content, headers=TURTLE_HEADERS)
    response = writable_client.get("/graph/spam", headers=JSON_LD_HEADERS)
    assert "@context" not in response.text
    assert response_triples(response, ox.RdfFormat.JSON_LD) == parse_turtle(content)


def parse_turtle(turtle: str) -> set[ox.Triple]:
    return {quad.triple for quad in ox.parse(turtle, ox.RdfFormat.TURTLE)}


@pytest.mark.parametrize(
    ("headers", "status", "content_type"),
    [
        ({"Accept": ""}, 200, "text/turtle; charset=utf-8"),
        ({"Accept": "*/*"}, 200, "text/turtle; charset=utf-8"),
        (BROWSER_HEADERS, 200, "text/html; charset=utf-8"),
        ({"Accept": "image/png"}, 406, "application/problem+json"),
    ],
)
def test_only_browser_gets_page_of_graph(
    two_graphs_client: httpx2.Client, headers: dict[str, str], status: int, content_type: str
) -> None:
    for path in ("/graph/one", "/graphs?default"):
        response = two_graphs_client.get(path, headers=headers)
        assert (response.status_code, response.headers["content-type"]) == (status, content_type)


def test_page_of_graph_shows_metadata_and_resources(writable_client: httpx2.Client) -> None:
    writable_client.put("/graph/spam", content=SPAM_TURTLE, headers=TURTLE_HEADERS)
    page = writable_client.get("/graph/spam", headers=BROWSER_HEADERS).text
    assert "<h1>All on spam</h1>" in page
    assert "What is known." in page
    assert "http://example.org/inventory" in page
    assert "http://example.org/free" in page
    assert "<dt>Facts</dt><dd>8</dd>" in page
    cite_path, report_path = re.findall(r'href="((?:/cite|/feedback)[^"]+)"', page)
    for path in (cite_path, report_path):
        assert "graph/spam" in unquote(writable_client.get(path, headers=BROWSER_HEADERS).text)
    assert '<a href="/doc/issue/spam">Spam</a>' in page
    assert page.index(">Spam<") < page.index(">Worms<")
    turtle = re.search('href="([^"]+)" download>Turtle', page)
    assert turtle
    assert "issue:spam" in writable_client.get(turtle[1].replace("&amp;", "&")).text


def test_page_of_graph_notes_omitted_resources(
    writable_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs_page, "MAX_GRAPH_RESOURCES", 1)
    writable_client.put("/graph/spam", content=SPAM_TURTLE, headers=TURTLE_HEADERS)
    page = writable_client.get("/graph/spam", headers=BROWSER_HEADERS).text
    assert "1 of 2 resources are shown" in page
    assert page.count('href="/doc/issue/') == 1


def test_list_of_graphs_has_titles_sizes_and_links(writable_client: httpx2.Client) -> None:
    other_path = "/graphs?graph=http%3A%2F%2Fexample.org%2Fgraph%3Fx"
    writable_client.put("/graph/spam", content=SPAM_TURTLE, headers=TURTLE_HEADERS)
    writable_client.put(other_path, content="<x:a> <x:p> 1, 2, 3 .", headers=TURTLE_HEADERS)
    page = writable_client.get("/graphs", headers=BROWSER_HEADERS).text
    for path, size in (("/graph/spam", 8), (other_path, 3)):
        row = page.partition(f'<a href="{path}">')[2].partition("</tr>")[0]
        assert f'class="number" data-head="Facts">{size}</td>' in row
    downloads = re.findall(r'<a href="([^"]+)" download>(?:Turtle|JSON-LD)<', page)
    assert len(downloads) == 4
    assert all(writable_client.get(unescape(path)).status_code == 200 for path in downloads)
    assert '<span class="unseen">: All on spam</span>' in page
    other_page = writable_client.get(other_path, headers=BROWSER_HEADERS).text
    assert "<dt>Facts</dt><dd>3</dd>" in other_page


def test_list_of_graphs_has_the_day_of_the_last_change() -> None:
    client = make_writer_client(Store.in_memory())
    client.put("/graph/spam", content=SPAM_TURTLE, headers=TURTLE_HEADERS)
    page = client.get("/graphs", headers=BROWSER_HEADERS).text
    row = page.partition('<a href="/graph/spam">')[2].partition("</tr>")[0]
    today = format_date_text(datetime.now(UTC).date().isoformat())
    assert f">changed {today}</td>" in row


def list_graph_names(client: httpx2.Client, query: str) -> list[str]:
    """The names of the graphs on the page, in its order."""
    page = client.get(f"/graphs?{query}", headers=BROWSER_HEADERS).text
    return re.findall(r'<th scope="row" role="rowheader"><a href="/graph/([^"]+)"', page)


def test_graphs_can_be_found_by_words_and_group(filled_client: httpx2.Client) -> None:
    assert list_graph_names(filled_client, "q=plan+action") == ["plan-of-action"]
    papers = list_graph_names(filled_client, "group=papers")
    assert papers
    assert all(name.startswith("paper/") for name in papers)
    assert {"inferred", "conformance", "void"} <= {*list_graph_names(filled_client, "group=computed")}
    assert "paper/wp-spam" in list_graph_names(filled_client, "q=spam&group=papers")
    assert list_graph_names(filled_client, "q=spam&group=computed") == []
    page = filled_client.get("/graphs?q=xyzzy", headers=BROWSER_HEADERS).text
    assert "No graph fits these words" in page
    assert 'value="xyzzy"' in page
    found = filled_client.get("/graphs?q=plan+action", headers={"Accept": "application/json"}).json()
    assert found == {"graphs": [f"{Settings.base}graph/plan-of-action"]}


def test_graphs_are_sorted_by_the_heads_of_the_columns(filled_client: httpx2.Client) -> None:
    page = filled_client.get("/graphs?group=topics", headers=BROWSER_HEADERS).text
    path = unescape(re.findall(r'<a class="sort" href="([^"]+)">Facts', page)[0])
    for is_descending in (False, True):
        page = filled_client.get(path, headers=BROWSER_HEADERS).text
        sizes = [int(text.replace(",", "")) for text in re.findall(r'data-head="Facts">([\d,]+)<', page)]
        assert sizes == sorted(sizes, reverse=is_descending)
        assert sizes[0] != sizes[-1]
        path = unescape(re.findall(r'<a class="sort" href="([^"]+)">Facts', page)[0])


def test_released_graphs_have_the_day_of_the_release(filled_client: httpx2.Client) -> None:
    day = format_date_text(__released__)
    page = filled_client.get("/graphs", headers=BROWSER_HEADERS).text
    row = page.partition('<a href="/graph/meetings">')[2].partition("</tr>")[0]
    assert f">released {day}</td>" in row
    assert f"released {day}" in filled_client.get("/graph/meetings", headers=BROWSER_HEADERS).text
    assert "Nothing has changed since" in filled_client.get("/doc/meeting/m1", headers=BROWSER_HEADERS).text


@pytest.mark.parametrize(
    ("query", "accept", "message"),
    [
        ("sort=height", BROWSER_ACCEPT, "sort is “height”"),
        ("group=x", "application/json", "group is 'x'"),
        ("q=spam&default", "text/turtle", "q is for the list of graphs"),
        ("q=spam", "text/turtle", "q is for the page and for JSON"),
    ],
)
def test_invalid_choices_of_graphs_are_refused(
    two_graphs_client: httpx2.Client, query: str, accept: str, message: str
) -> None:
    response = two_graphs_client.get(f"/graphs?{query}", headers={"Accept": accept})
    assert (response.status_code, message in unescape(response.text)) == (400, True)


def test_list_of_graphs_notes_omitted_graphs(
    writable_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs_page, "MAX_LISTED_GRAPHS", 1)
    for name in ("one", "two"):
        writable_client.put(f"/graph/{name}", content="<x:a> <x:p> <x:b> .", headers=TURTLE_HEADERS)
    page = writable_client.get("/graphs", headers=BROWSER_HEADERS).text
    assert "Only the first 1 of 2 graphs are searched." in page


def test_page_of_inferred_graph_has_sentence_for_each_rule() -> None:
    store = Store.in_memory()
    store.update("INSERT DATA { GRAPH <graph/inferred> { <x:a> <x:p> <x:b> } }", Settings.base)
    page = make_store_client(store).get("/graph/inferred", headers=BROWSER_HEADERS).text
    assert ">An issue paper has the categories of its issue.</bdi></li>" in page
    assert len(graphs_page.rule_summaries(read_inference_rules())) == len(read_inference_rules())


@pytest.mark.parametrize(
    ("statement", "accept"),
    [
        ("<urn:s> <urn:p> <<( <urn:s> <urn:p> 1 )>> .", "application/ld+json"),  # a triple term
        ("<urn:s> <http://x.org/1> 1 .", "application/rdf+xml"),  # a property without an XML name
        ("<urn:s> <http://www.w3.org/1999/02/22-rdf-syntax-ns#li> 1 .", "application/rdf+xml"),  # reserved
    ],
)
def test_graph_is_406_in_format_that_cannot_express_it(
    writable_client: httpx2.Client, statement: str, accept: str
) -> None:
    assert writable_client.put("/graph/odd", content=statement, headers=TURTLE_HEADERS).status_code == 201
    response = writable_client.get("/graph/odd", headers={"Accept": accept})
    assert response.status_code == 406
    assert "text/turtle" in response.json()["offered"]
    assert writable_client.get("/graph/odd", headers={"Accept": "text/turtle"}).status_code == 200
    parameters = {"query": "CONSTRUCT WHERE { ?s ?p ?o }", "default-graph-uri": f"{Settings.base}graph/odd"}
    assert writable_client.get("/sparql", params=parameters, headers={"Accept": accept}).status_code == 406


def test_graph_has_license_only_if_it_states_one(writable_client: httpx2.Client) -> None:
    graph_license = "<https://w3id.org/wgig/graph/mine> <http://purl.org/dc/terms/license>"
    for license_statement, links in (
        ("", []),
        (f"{graph_license} <x:free> .", ['<x:free>; rel="license"']),
        (f"{graph_license} <x:free>, <x:other> .", []),
    ):
        writable_client.put(
            "/graph/mine", content=f"<x:a> <x:p> <x:b> . {license_statement}", headers=TURTLE_HEADERS
        )
        for path in ("/graph/mine", "/graphs?graph=https://w3id.org/wgig/graph/mine"):
            response = writable_client.get(path, headers={"Accept": "text/turtle"})
            assert re.findall('<[^>]*>; rel="license"', response.headers["link"]) == links
    default_graph = writable_client.get("/graphs?default", headers={"Accept": "text/turtle"})
    assert 'rel="license"' not in default_graph.headers["link"]


def test_suffix_selects_format_unless_it_is_part_of_name(two_graphs_client: httpx2.Client) -> None:
    response = two_graphs_client.get("/graph/one.nt", headers={"Accept": "text/html"})
    assert (response.status_code, response.text) == (200, "<x:a> <x:p> <x:b> .\n")
    assert response.headers["content-type"].startswith("application/n-triples")
    assert two_graphs_client.get("/graph/none.nt").status_code == 404
    two_graphs_client.put("/graph/one.nt", content="<x:own> <x:p> <x:b> .", headers=TURTLE_HEADERS)
    assert "<x:own>" in two_graphs_client.get("/graph/one.nt", headers={"Accept": "text/turtle"}).text
