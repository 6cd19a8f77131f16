"""The matrix of issues and criteria."""

import csv
import io
import json
import re
from html import unescape
from xml.etree import ElementTree

import httpx
import jsonschema
import pyoxigraph as ox
import pytest
from wgig.lists.coverage_matrix import ROW_DIMENSIONS
from wgig.lists.schemas import CoverageMatrixDocument
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.schemas import schema_of
from tests.fixtures.service import service_of

BASE = Settings.base
ID = f"{BASE}id/"
SVG = "{http://www.w3.org/2000/svg}"
PREFIXES = (
    f"@prefix : <{BASE}ontology#> . @prefix org: <http://www.w3.org/ns/org#> . "
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix dcterms: <http://purl.org/dc/terms/> . "
)
# Two papers on spam that differ, one on access whose verdict is not known, and one that measures nothing.
JUDGED = f"""{PREFIXES} @base <{ID}> .
<paper/one> a :IssuePaper ; dcterms:title "One" ;
  :issue <issue/spam> ; :category <category/stable-and-secure> ;
  :drafter <agent/afonso> ; :assessment <paper/one/1>, <paper/one/2> .
<paper/one/1> :criterion <principle/transparency> ; :verdict <verdict/adequate> .
<paper/one/2> :criterion <principle/democracy> ; :verdict <verdict/adequate> .
<paper/two> a :IssuePaper ; dcterms:title "Two" ;
  :issue <issue/spam> ; :category <category/stable-and-secure> ;
  :drafter <agent/banks> ; :assessment <paper/two/1> .
<paper/two/1> :criterion <principle/transparency> ; :verdict <verdict/inadequate> .
<paper/three> a :IssuePaper ; dcterms:title "Three" ;
  :issue <issue/voip> ; :category <category/access-for-all> ;
  :mainActor <paper/three/actor> ; :assessment <paper/three/1> .
<paper/three/actor> :stakeholderGroup <stakeholder-group/governments> .
<paper/three/1> :criterion <principle/democracy> .
<paper/four> a :IssuePaper ; dcterms:title "Four" ;
  :issue <issue/e-commerce> ; :category <category/other-issues> ."""


@pytest.fixture(scope="module")
def judged(shipped: ox.Store) -> httpx.Client:
    """A client of a service over the shipped facts with papers of our own alone."""
    store = ox.Store()
    store.extend(one for one in shipped if "/graph/paper/" not in str(one.graph_name) + str(one.subject))
    for one in (one for one in shipped if str(one.predicate).endswith("#assessment>")):
        store.remove(one)
    store.load(JUDGED, format=ox.RdfFormat.TURTLE, to_graph=ox.NamedNode(f"{BASE}graph/judged"))
    return service_of(Settings(), Store(store))


def test_the_matrix_is_that_of_the_example_query(reader: httpx.Client) -> None:
    rows = list(csv.DictReader(io.StringIO(reader.get("/queries/coverage-matrix.csv").text)))
    found = list(csv.DictReader(io.StringIO(reader.get("/coverage.csv").text)))
    cells = {(row["issue"], row["criterion"]): 0 for row in rows}
    for row in rows:
        cells[row["issue"], row["criterion"]] += bool(row["paper"])
    assert {(row["issueLabel"], row["criterionLabel"]): int(row["papers"]) for row in found} == cells
    assert sum(cells.values()) > 0


def test_json_is_as_its_schema_says_and_has_the_empty_cells(reader: httpx.Client) -> None:
    found = reader.get("/coverage").json()
    jsonschema.validate(found, schema_of(CoverageMatrixDocument))
    assert len(found["cells"]) == len(found["issues"]) * len(found["criteria"])
    assert any(cell["papers"] == 0 for cell in found["cells"])


def test_issues_and_criteria_can_be_chosen(reader: httpx.Client) -> None:
    (cell,) = reader.get("/coverage?issue=ip-addresses&criterion=coordination-capacity").json()["cells"]
    assert cell["papers"] == 1
    issues = reader.get("/coverage?category=access-for-all").json()["issues"]
    listed = reader.get("/issues?category=access-for-all&size=500").json()["items"]
    assert {one["id"] for one in issues} == {one["id"] for one in listed}


def test_rdf_says_what_is_measured_against_what(reader: httpx.Client, shipped: ox.Store) -> None:
    measured = ox.NamedNode(f"{BASE}ontology#measuredAgainst")
    found = ox.parse(reader.get("/coverage.ttl").content, format=ox.RdfFormat.TURTLE)
    assert {one.triple for one in found if one.predicate == measured} == {
        one.triple for one in shipped.quads_for_pattern(None, measured, None)
    }


def test_the_page_shows_every_cell_with_its_words_and_links(reader: httpx.Client) -> None:
    found = reader.get("/coverage").json()
    page = reader.get("/coverage.html").text
    assert page.count('<td class="tone ') == len(found["cells"])
    assert len(
        re.findall(r'href="/queries/coverage-matrix\?the_issue=[\w-]+&amp;the_criterion=', page)
    ) == len(found["cells"])
    empty = sum(not one["papers"] for one in found["cells"])
    assert len(re.findall(r'class="empty" href="[^"]+">(none|no paper)</a>', page)) == empty


@pytest.mark.parametrize("by", ROW_DIMENSIONS)
def test_each_link_of_the_page_leads_to_what_it_counts(judged: httpx.Client, by: str) -> None:
    page = judged.get(f"/coverage.html?by={by}").text
    links = re.findall(r'href="(/papers\?[^"]+)">(\d+) paper', page)
    assert any(count == "2" for _, count in links)
    for path, count in links:
        assert judged.get(unescape(path)).json()["total"] == int(count), path
    queries = re.findall(
        r'<td class="tone (?!n)[\w-]+"><a href="[^"]+">(\d+) paper.*?href="(/queries/[^"]+)"', page, re.DOTALL
    )
    assert queries
    for count, path in queries:
        rows = csv.DictReader(io.StringIO(judged.get(unescape(path), headers={"Accept": "text/csv"}).text))
        assert len({one["paper"] for one in rows}) == int(count), path


@pytest.mark.parametrize("by", ROW_DIMENSIONS)
def test_rows_may_be_issues_categories_or_stakeholder_groups(judged: httpx.Client, by: str) -> None:
    found = judged.get(f"/coverage?by={by}").json()
    jsonschema.validate(found, schema_of(CoverageMatrixDocument))
    of = ROW_DIMENSIONS[by]
    papers = {one["id"]: one["papers"] for one in found[of.plural]}
    (row,) = (iri for iri, count in papers.items() if count == 2)
    (cell,) = (one for one in found["cells"] if one[of.key] == row and one["papers"] == 2)
    assert cell["verdicts"] == {f"{ID}verdict/adequate": 1, f"{ID}verdict/inadequate": 1}
    table = csv.DictReader(io.StringIO(judged.get(f"/coverage.csv?by={by}").text))
    assert sum(int(one["papers"]) for one in table) == sum(one["papers"] for one in found["cells"])
    chosen = judged.get(f"/coverage?by={by}&{of.key}={row}").json()
    assert [one["id"] for one in chosen[of.plural]] == [row]


def test_the_colors_of_cells_are_said_in_words(judged: httpx.Client) -> None:
    page = judged.get("/coverage.html").text
    for tone in ("mixed", "adequate", "unjudged", "none", "no-paper"):
        assert f'<dt class="tone {tone}">' in page
        assert f'<td class="tone {tone}">' in page
    assert "<bdi>inadequate</bdi>: 1" in page
    assert "verdict not known" in page
    assert '<dt class="tone partly-adequate">' not in page


def test_a_page_names_things_in_its_language_and_the_picture_for_files_in_english(
    writable: httpx.Client,
) -> None:
    data = '<urn:a> a :Issue ; rdfs:label "Spam"@en , "Pourriel"@fr . <urn:c> a :CrosscuttingPriority .'
    writable.post("/graph/x", content=PREFIXES + data, headers={"Content-Type": "text/turtle"})
    french = {"Accept-Language": "fr"}
    assert (
        '<a href="/coverage" dir="auto">Pourriel</a>' in writable.get("/coverage.html", headers=french).text
    )
    assert ">Spam<" in writable.get("/coverage.svg", headers=french).text


@pytest.mark.parametrize("query", ["", "?by=category", "?by=stakeholder-group"])
def test_the_picture_is_well_formed_and_says_what_the_cells_say(judged: httpx.Client, query: str) -> None:
    answer = judged.get(f"/coverage.svg{query}")
    assert answer.headers["content-type"] == "image/svg+xml"
    texts = [
        "".join(one.itertext()).strip() for one in ElementTree.fromstring(answer.content).iter(f"{SVG}text")
    ]
    cells = judged.get(f"/coverage{query}").json()["cells"]
    assert sum(text in ("none", "no paper") for text in texts) == sum(not one["papers"] for one in cells)
    assert "style" not in answer.text


@pytest.mark.parametrize("suffix", ["html", "svg"])
def test_names_that_mean_harm_are_shown_as_text(writable: httpx.Client, suffix: str) -> None:
    for number, label in enumerate(
        ("<script>alert(1)</script>", "\u202eevil\u0001", "x" * 5_000, "\u0627" * 300)
    ):
        text = json.dumps(label, ensure_ascii=True)
        data = (
            f"<urn:{number}> a :Issue ; rdfs:label {text} . <javascript:{number}> a :CrosscuttingPriority ."
        )
        writable.post("/graph/x", content=PREFIXES + data, headers={"Content-Type": "text/turtle"})
    page = writable.get(f"/coverage.{suffix}")
    assert page.status_code == 200
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text
    assert 'href="javascript' not in page.text
    if suffix == "svg":
        texts = [one.text or "" for one in ElementTree.fromstring(page.content).iter(f"{SVG}text")]
        assert max(map(len, texts)) <= 120
        assert not any(one in page.text for one in "\u202e\u0001")


def test_of_many_rows_the_first_are_shown_and_that_is_said(writable: httpx.Client) -> None:
    many = "".join(f"<urn:{number}> a :Issue . " for number in range(201))
    data = f"{PREFIXES} {many} <urn:open> a :CrosscuttingPriority ."
    writable.put("/graph/x", content=data, headers={"Content-Type": "text/turtle"})
    page = writable.get("/coverage.html").text
    assert page.count('<th scope="row">') == 200
    assert "Of 201 rows, the first 200 are shown" in page
    assert "Of 201 rows, the first 200 are shown" in writable.get("/coverage.svg").text
    assert len(writable.get("/coverage").json()["cells"]) == 201


def test_an_empty_store_has_a_page_that_says_so(closed: httpx.Client) -> None:
    page = closed.get("/coverage.html").text
    assert "There is nothing to lay out" in page
    assert "<table" not in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("isue=spam", "Did you mean issue?"),
        ("issue=spm", "Did you mean spam?"),
        ("criterion=%22", "names no resource"),
        ("page=2", "no parameter 'page'"),
        ("by=isue", "Did you mean issue?"),
        ("by=category&issue=spam", "no parameter 'issue'"),
        ("stakeholderGroup=civil-society", "no parameter 'stakeholderGroup'"),
    ],
)
def test_what_it_does_not_have_is_refused(reader: httpx.Client, query: str, sentence: str) -> None:
    answer = reader.get(f"/coverage?{query}")
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]


PAPER = """@prefix : <https://w3id.org/wgig/ontology#> . @prefix id: <https://w3id.org/wgig/id/> .
id:spam a :Issue . id:open a :CrosscuttingPriority . id:good a :Verdict . id:bad a :Verdict .
<urn:one> :issue id:spam ; :assessment <urn:one/1>, <urn:one/2> .
<urn:one/1> :criterion id:open ; :verdict id:good . <urn:one/2> :criterion id:open ; :verdict id:bad .
<urn:two> :issue id:spam ; :assessment <urn:two/1> . <urn:two/1> :criterion id:open .
<urn:three> :illustrative true ; :issue id:spam ; :assessment <urn:three/1> .
<urn:three/1> :criterion id:open ; :verdict id:good ."""


def test_papers_are_counted_once_by_verdict_and_not_those_made_up(writable: httpx.Client) -> None:
    assert writable.get("/coverage").json()["cells"] == []
    writable.put("/graph/x", content=PAPER, headers={"Content-Type": "text/turtle"})
    (cell,) = writable.get("/coverage").json()["cells"]
    assert (cell["papers"], cell["verdicts"]) == (2, {f"{ID}bad": 1, f"{ID}good": 1})
