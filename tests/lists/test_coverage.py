"""/coverage: the matrix of judgments and papers by issue (or category or stakeholder group) and criterion."""

import csv
import io
import json
import re
from html import unescape
from typing import Any
from xml.etree import ElementTree

import httpx2
import jsonschema
import pyoxigraph as ox
import pytest
from wgig.lists.coverage_matrix import ROW_DIMENSIONS
from wgig.lists.schemas import CoverageMatrixDocument
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.schemas import build_response_schema
from tests.fixtures.service import make_service_client

BASE = Settings.base
ID_NAMESPACE = f"{BASE}id/"
SVG_TAG_PREFIX = "{http://www.w3.org/2000/svg}"
PREFIXES = (
    f"@prefix : <{BASE}ontology#> . @prefix org: <http://www.w3.org/ns/org#> . "
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix dcterms: <http://purl.org/dc/terms/> . "
)
# Two papers on spam with different verdicts, one on VoIP without a verdict, and one without an assessment.
PAPERS_TURTLE = f"""{PREFIXES} @base <{ID_NAMESPACE}> .
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
def papers_client(shipped_store: ox.Store) -> httpx2.Client:
    """A client of a service with the bundled data, but only the papers of PAPERS_TURTLE."""
    store = ox.Store()
    store.extend(
        quad for quad in shipped_store if "/graph/paper/" not in str(quad.graph_name) + str(quad.subject)
    )
    for quad in (quad for quad in shipped_store if str(quad.predicate).endswith("#assessment>")):
        store.remove(quad)
    store.load(PAPERS_TURTLE, format=ox.RdfFormat.TURTLE, to_graph=ox.NamedNode(f"{BASE}graph/papers"))
    return make_service_client(Settings(), Store(store))


def test_papers_of_the_matrix_equal_the_result_of_the_example_query(shipped_client: httpx2.Client) -> None:
    query_rows = list(csv.DictReader(io.StringIO(shipped_client.get("/queries/coverage-matrix.csv").text)))
    matrix_rows = list(csv.DictReader(io.StringIO(shipped_client.get("/coverage.csv?layer=papers").text)))
    cells = {(row["issueLabel"], row["criterionLabel"]): 0 for row in query_rows}
    for row in query_rows:
        cells[row["issueLabel"], row["criterionLabel"]] += int(row["papers"] or 0)
    assert {(row["issueLabel"], row["criterionLabel"]): int(row["papers"]) for row in matrix_rows} == cells
    assert sum(cells.values()) > 0


def test_json_matches_its_schema_and_has_empty_cells(shipped_client: httpx2.Client) -> None:
    matrix = shipped_client.get("/coverage").json()
    jsonschema.validate(matrix, build_response_schema(CoverageMatrixDocument))
    assert len(matrix["cells"]) == len(matrix["issues"]) * len(matrix["criteria"])
    assert any(cell["papers"] == 0 for cell in matrix["cells"])


def test_matrix_is_filtered_by_issue_criterion_and_category(shipped_client: httpx2.Client) -> None:
    (cell,) = shipped_client.get("/coverage?issue=ip-addresses&criterion=coordination-capacity").json()[
        "cells"
    ]
    assert cell["papers"] == 1
    issues = shipped_client.get("/coverage?category=access-for-all").json()["issues"]
    listed_issues = shipped_client.get("/issues?category=access-for-all&size=500").json()["items"]
    assert {issue["id"] for issue in issues} == {issue["id"] for issue in listed_issues}


def test_rdf_has_measured_against_triples(shipped_client: httpx2.Client, shipped_store: ox.Store) -> None:
    measured_against = ox.NamedNode(f"{BASE}ontology#measuredAgainst")
    quads = ox.parse(shipped_client.get("/coverage.ttl").content, format=ox.RdfFormat.TURTLE)
    assert {quad.triple for quad in quads if quad.predicate == measured_against} == {
        quad.triple for quad in shipped_store.quads_for_pattern(None, measured_against, None)
    }


def test_page_of_papers_shows_every_cell_with_text_and_links(shipped_client: httpx2.Client) -> None:
    cells = shipped_client.get("/coverage?layer=papers").json()["cells"]
    page = shipped_client.get("/coverage.html?layer=papers").text
    assert page.count('<td class="tone ') == len(cells)
    query_links = re.findall(r'href="/queries/assessments\?the_issue=[\w-]+&amp;the_criterion=', page)
    assert len(query_links) == len(cells)
    empty_cells = [cell for cell in cells if not cell["papers"]]
    assert len(re.findall(r'class="empty" href="[^"]+">(not seen|no known paper)</a>', page)) == len(
        empty_cells
    )


@pytest.mark.parametrize("by", ROW_DIMENSIONS)
def test_each_link_of_the_page_leads_to_the_counted_papers(papers_client: httpx2.Client, by: str) -> None:
    layer = "&layer=papers" if by == "issue" else ""
    page = papers_client.get(f"/coverage.html?by={by}{layer}").text
    links = re.findall(r'href="(/papers\?[^"]+)">(\d+) paper', page)
    assert any(count == "2" for _, count in links)  # the two papers on spam
    for path, count in links:
        assert papers_client.get(unescape(path)).json()["total"] == int(count), path
    # Cells without papers have the tones `none` and `no-paper`.
    queries = re.findall(
        r'<td class="tone (?!n)[\w-]+"><a href="[^"]+">(\d+) paper.*?href="(/queries/[^"]+)"', page, re.DOTALL
    )
    assert queries
    for count, path in queries:
        response = papers_client.get(unescape(path), headers={"Accept": "text/csv"})
        rows = csv.DictReader(io.StringIO(response.text))
        assert len({row["paper"] for row in rows}) == int(count), path


@pytest.mark.parametrize("by", ROW_DIMENSIONS)
def test_rows_can_be_issues_categories_or_stakeholder_groups(papers_client: httpx2.Client, by: str) -> None:
    matrix = papers_client.get(f"/coverage?by={by}").json()
    jsonschema.validate(matrix, build_response_schema(CoverageMatrixDocument))
    dimension = ROW_DIMENSIONS[by]
    papers_by_row = {row["id"]: row["papers"] for row in matrix[dimension.plural]}
    # The row of the two papers on spam, and the cell in which both assess it.
    (row_iri,) = (iri for iri, count in papers_by_row.items() if count == 2)
    (cell,) = (cell for cell in matrix["cells"] if cell[dimension.key] == row_iri and cell["papers"] == 2)
    assert cell["verdicts"] == {
        f"{ID_NAMESPACE}verdict/adequate": 1,
        f"{ID_NAMESPACE}verdict/inadequate": 1,
    }
    csv_rows = csv.DictReader(io.StringIO(papers_client.get(f"/coverage.csv?by={by}").text))
    assert sum(int(row["papers"]) for row in csv_rows) == sum(cell["papers"] for cell in matrix["cells"])
    filtered_matrix = papers_client.get(f"/coverage?by={by}&{dimension.key}={row_iri}").json()
    assert [row["id"] for row in filtered_matrix[dimension.plural]] == [row_iri]


def test_page_explains_the_colors_of_cells(papers_client: httpx2.Client) -> None:
    page = papers_client.get("/coverage.html?layer=papers").text
    for tone in ("mixed", "adequate", "unjudged", "none", "no-paper"):
        assert f'<dt class="tone {tone}">' in page
        assert f'<td class="tone {tone}">' in page
    assert "<bdi>inadequate</bdi>: 1" in page
    assert "verdict not known" in page
    assert '<dt class="tone partly-adequate">' not in page  # the verdict of no paper


def test_page_has_labels_in_its_language_and_svg_in_english(
    writable_client: httpx2.Client,
) -> None:
    turtle = '<urn:a> a :Issue ; rdfs:label "Spam"@en , "Pourriel"@fr . <urn:c> a :CrosscuttingPriority .'
    writable_client.post("/graph/x", content=PREFIXES + turtle, headers={"Content-Type": "text/turtle"})
    french = {"Accept-Language": "fr"}
    # <urn:a> has no page, so its label links to the matrix.
    assert (
        '<a href="/coverage" dir="auto">Pourriel</a>'
        in writable_client.get("/coverage.html", headers=french).text
    )
    assert ">Spam<" in writable_client.get("/coverage.svg", headers=french).text


@pytest.mark.parametrize("query", ["?layer=papers", "?by=category", "?by=stakeholder-group"])
def test_svg_is_well_formed_and_has_the_text_of_cells(papers_client: httpx2.Client, query: str) -> None:
    response = papers_client.get(f"/coverage.svg{query}")
    assert response.headers["content-type"] == "image/svg+xml"
    svg = ElementTree.fromstring(response.content)
    texts = ["".join(element.itertext()).strip() for element in svg.iter(f"{SVG_TAG_PREFIX}text")]
    cells = papers_client.get(f"/coverage{query}").json()["cells"]
    assert sum(text in ("not seen", "no known paper") for text in texts) == sum(
        not cell["papers"] for cell in cells
    )
    assert "style" not in response.text


@pytest.mark.parametrize("suffix", ["html", "svg"])
def test_malicious_labels_are_escaped(writable_client: httpx2.Client, suffix: str) -> None:
    for number, label in enumerate(
        ("<script>alert(1)</script>", "\u202eevil\u0001", "x" * 5_000, "\u0627" * 300)
    ):
        literal = json.dumps(label, ensure_ascii=True)
        criterion = f"<javascript:{number}> a :CrosscuttingPriority ."
        turtle = f"<urn:{number}> a :Issue ; rdfs:label {literal} . {criterion}"
        writable_client.post("/graph/x", content=PREFIXES + turtle, headers={"Content-Type": "text/turtle"})
    page = writable_client.get(f"/coverage.{suffix}")
    assert page.status_code == 200
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text
    assert 'href="javascript' not in page.text
    if suffix == "svg":
        texts = [
            element.text or ""
            for element in ElementTree.fromstring(page.content).iter(f"{SVG_TAG_PREFIX}text")
        ]
        assert max(map(len, texts)) <= 120  # long labels are truncated
        assert not any(character in page.text for character in "\u202e\u0001")


def test_page_shows_the_first_200_rows_with_a_notice(writable_client: httpx2.Client) -> None:
    issues = "".join(f"<urn:{number}> a :Issue . " for number in range(201))
    turtle = f"{PREFIXES} {issues} <urn:open> a :CrosscuttingPriority ."
    writable_client.put("/graph/x", content=turtle, headers={"Content-Type": "text/turtle"})
    page = writable_client.get("/coverage.html").text
    assert page.count('<th scope="row">') == 200
    assert "The first 200 of 201 rows are shown" in page
    assert "The first 200 of 201 rows are shown" in writable_client.get("/coverage.svg").text
    assert len(writable_client.get("/coverage").json()["cells"]) == 201


def test_page_of_an_empty_store_has_a_notice(read_only_client: httpx2.Client) -> None:
    page = read_only_client.get("/coverage.html").text
    assert "There is no table yet" in page
    assert "<table" not in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("isue=spam", "Did you mean issue?"),
        ("issue=spm", "Did you mean spam?"),
        ("criterion=%22", "does not name a resource"),
        ("page=2", "no parameter 'page'"),
        ("by=isue", "Did you mean issue?"),
        ("by=category&issue=spam", "no parameter 'issue'"),
        ("by=category&layer=papers", "no parameter 'layer'"),
        ("layer=judgements", "Did you mean judgments?"),
        ("rollUp=yes", "rollUp cannot be"),
        ("viewHolder=some", "Choose from: group, others, some-members."),
        ("stakeholderGroup=civil-society", "no parameter 'stakeholderGroup'"),
    ],
)
def test_invalid_parameter_is_refused(shipped_client: httpx2.Client, query: str, sentence: str) -> None:
    response = shipped_client.get(f"/coverage?{query}")
    assert response.status_code == 400
    assert sentence in response.json()["detail"]


VERDICTS_TURTLE = """@prefix : <https://w3id.org/wgig/ontology#> . @prefix id: <https://w3id.org/wgig/id/> .
id:spam a :Issue . id:open a :CrosscuttingPriority . id:good a :Verdict . id:bad a :Verdict .
<urn:one> :issue id:spam ; :assessment <urn:one/1>, <urn:one/2> .
<urn:one/1> :criterion id:open ; :verdict id:good . <urn:one/2> :criterion id:open ; :verdict id:bad .
<urn:two> :issue id:spam ; :assessment <urn:two/1> . <urn:two/1> :criterion id:open .
<urn:three> :illustrative true ; :issue id:spam ; :assessment <urn:three/1> .
<urn:three/1> :criterion id:open ; :verdict id:good ."""


def test_paper_is_counted_once_per_verdict_and_illustrative_papers_are_not(
    writable_client: httpx2.Client,
) -> None:
    assert writable_client.get("/coverage").json()["cells"] == []
    writable_client.put("/graph/x", content=VERDICTS_TURTLE, headers={"Content-Type": "text/turtle"})
    (cell,) = writable_client.get("/coverage").json()["cells"]
    assert (cell["papers"], cell["verdicts"]) == (2, {f"{ID_NAMESPACE}bad": 1, f"{ID_NAMESPACE}good": 1})


def read_judged_cells(client: httpx2.Client, query: str = "") -> dict[tuple[str, str], dict[str, Any]]:
    """The cells with judgments by the names of issue and criterion."""
    cells = client.get(f"/coverage?layer=judgments&{query}").json()["cells"]
    return {
        (cell["issue"].rpartition("/")[2], cell["criterion"].rpartition("/")[2]): cell["judged"]
        for cell in cells
        if cell["judgments"]
    }


def test_each_link_of_a_judged_cell_leads_to_its_judgments(shipped_client: httpx2.Client) -> None:
    # A form sends empty values of filters that are not selected.
    for query in (
        "",
        "rollUp=true",
        "viewHolder=some-members",
        "category=cluster-2&viewHolder=&verdict=",
        "verdict=inadequate",
    ):
        page = shipped_client.get(f"/coverage.html?{query}").text
        links = re.findall(r'href="(/judgments\?[^"]+)" title="[^"]+">.*?<span class="number">(\d+)<', page)
        assert len(links) == len(read_judged_cells(shipped_client, query)) > 10
        for path, count in links[::7]:
            assert shipped_client.get(unescape(path)).json()["total"] == int(count), path


def test_layers_can_be_shown_alone(shipped_client: httpx2.Client) -> None:
    both = shipped_client.get("/coverage").json()["cells"]
    judgments = shipped_client.get("/coverage?layer=judgments").json()["cells"]
    papers = shipped_client.get("/coverage?layer=papers").json()["cells"]
    assert all("papers" in cell and "judgments" in cell for cell in both)
    assert not any("papers" in cell for cell in judgments)
    assert not any("judgments" in cell for cell in papers)
    assert len(both) == len(judgments) > len(papers)


def test_view_holders_and_clusters_filter_judgments(shipped_client: httpx2.Client) -> None:
    all_cells = read_judged_cells(shipped_client)
    some, others, group = (
        read_judged_cells(shipped_client, f"viewHolder={holder}")
        for holder in ("some-members", "others", "group")
    )
    assert set(all_cells) == set(some) | set(others) | set(group)
    assert {*some["internet-names", "democracy"]["viewHolders"]} == {
        f"{ID_NAMESPACE}view-holder/some-members"
    }
    assert some["internet-names", "democracy"]["state"] == "disputed"
    assert all_cells["spam", "multilateralism"]["clusterOnly"]
    in_cluster = read_judged_cells(shipped_client, "category=cluster-2")
    assert ("spam", "multilateralism") in in_cluster
    assert ("internet-names", "democracy") not in in_cluster


def test_page_marks_judgments_without_color_alone(shipped_client: httpx2.Client) -> None:
    page = shipped_client.get("/coverage.html?issue=spam&issue=internet-names").text
    for state in ("adequate", "mixed", "disputed", "named"):
        assert f'<use href="#mark-{state}"/>' in page
        assert f'<symbol id="mark-{state}"' in page
    assert re.search(
        r"7 judgments: <bdi>Spam</bdi>, capacity to coordinate, verdicts differ</span>",
        page,
    )
    assert re.search(r'<td class="state adequate cluster">', page)


def test_page_tells_how_much_is_known_of_papers(shipped_client: httpx2.Client) -> None:
    page = " ".join(shipped_client.get("/coverage.html?layer=papers").text.split())
    assert "We know of 1 assessment out of a possible 210 (35 issues × 6 criteria)." in page
    assert "For 20 issues there is a paper, but we have not seen what it concludes." in page
    page = " ".join(shipped_client.get("/coverage.html").text.split())
    combinations = r"We read a verdict in the Background Report for \d+ of 385 combinations \(35 issues × 11"
    assert re.search(combinations, page)
    assert '<a href="/issues?judgments=none">4 issues</a> have no judgment.' in page
    assert shipped_client.get("/issues.json?judgments=none").json()["total"] == 4


def test_svg_marks_judgments(shipped_client: httpx2.Client) -> None:
    svg = ElementTree.fromstring(shipped_client.get("/coverage.svg").content)
    marks = [element.get("href", "") for element in svg.iter(f"{SVG_TAG_PREFIX}use")]
    legend_entries = 6
    assert len(marks) == len(read_judged_cells(shipped_client)) + legend_entries


def test_csv_has_the_judgments_of_each_cell(shipped_client: httpx2.Client) -> None:
    rows = csv.DictReader(io.StringIO(shipped_client.get("/coverage.csv").text))
    judged_rows = [row for row in rows if row["judgments"] != "0"]
    cells = read_judged_cells(shipped_client)
    assert len(judged_rows) == len(cells)
    for row in judged_rows:
        cell = cells[row["issue"].rpartition("/")[2], row["criterion"].rpartition("/")[2]]
        assert (row["judged"], int(row["disputed"]), row["clusterOnly"] == "true") == (
            cell["state"],
            cell["disputed"],
            cell["clusterOnly"],
        )
        assert sum(int(row[f"view-{name}"]) for name in ("group", "some-members", "others")) == int(
            row["judgments"]
        )


JUDGMENTS_TURTLE = """@prefix : <https://w3id.org/wgig/ontology#> . @prefix id: <https://w3id.org/wgig/id/> .
id:spam a :Issue . id:good a :Verdict . id:bad a :Verdict . id:open a :Principle .
<urn:j1> a :Judgment ; :issue id:spam ; :criterion id:open ; :verdict id:good ; :viewHolder id:we .
<urn:j2> a :Judgment ; :issue id:spam ; :criterion id:open ; :verdict id:bad ; :viewHolder id:they .
<urn:j3> a :Judgment ; :illustrative true ; :issue id:spam ; :criterion id:open ; :verdict id:bad ."""


def test_judgments_are_counted_at_each_write(writable_client: httpx2.Client) -> None:
    def put_turtle(turtle: str) -> dict[str, Any]:
        response = writable_client.put("/graph/x", content=turtle, headers={"Content-Type": "text/turtle"})
        assert response.is_success
        (cell,) = writable_client.get("/coverage").json()["cells"]
        return dict(cell)

    cell = put_turtle(JUDGMENTS_TURTLE)
    assert (cell["judgments"], cell["judged"]["state"]) == (2, "mixed")
    assert cell["judged"]["viewHolders"] == {f"{ID_NAMESPACE}we": 1, f"{ID_NAMESPACE}they": 1}
    cell = put_turtle(f"{JUDGMENTS_TURTLE} <urn:j1> :dispute <urn:d> .")
    assert (cell["judged"]["state"], cell["judged"]["disputed"]) == ("disputed", 1)
    cell = put_turtle(JUDGMENTS_TURTLE.replace("<urn:j2> a :Judgment ;", "<urn:j2>"))
    assert (cell["judgments"], cell["judged"]["state"]) == (1, "good")


def test_filters_without_a_match_say_so(shipped_client: httpx2.Client) -> None:
    page = shipped_client.get("/coverage.html?category=area-b").text
    assert "No issue and criterion match the filters." in page
    assert "There is no table yet" not in page
    page = shipped_client.get("/coverage.html?verdict=adequate&criterion=accountability").text
    assert "No judgment fits all your filters." in page
    for path in ("/coverage?criterion=accountability", "/coverage?verdict=adequate", "/coverage"):
        assert f'href="{path}">' in page.partition('class="chips"')[2].partition("</ul>")[0]
    assert "<table" not in page


def test_filters_of_judgments_do_not_change_the_states_of_cells(shipped_client: httpx2.Client) -> None:
    def read_states(path: str) -> tuple[list[str], list[str], int]:
        page = shipped_client.get(path).text
        states = re.findall(r'<td class="state ([a-z-]+)', page)
        return (
            states,
            re.findall(r'class="count">(\d+) cells', page),
            len(re.findall(r'class="state [a-z -]*\bdim\b', page)),
        )

    states, counts, pale = read_states("/coverage.html")
    filtered_states, filtered_counts, filtered_pale = read_states("/coverage.html?verdict=inadequate")
    assert (filtered_states, filtered_counts[: len(counts)]) == (states, counts)
    fitting = len(read_judged_cells(shipped_client, "verdict=inadequate"))
    assert pale == 0
    assert filtered_pale == len(states) - states.count("none") - fitting + 1  # and in the legend


def test_rows_without_assessments_are_not_offered(
    shipped_client: httpx2.Client, papers_client: httpx2.Client
) -> None:
    path = '<a href="/coverage?by=category"'
    assert path not in shipped_client.get("/coverage.html").text
    assert path in shipped_client.get("/coverage.html?by=category").text
    assert path in papers_client.get("/coverage.html").text


def test_columns_on_involvement_have_a_common_head(shipped_client: httpx2.Client) -> None:
    page = shipped_client.get("/coverage.html").text
    assert '<th scope="colgroup" colspan="4" class="group">involvement</th>' in page
    head = page.partition("<thead>")[2].partition("</thead>")[0]
    assert len(re.findall('<th scope="col"', head)) == 12  # the issue, and 11 criteria
    assert "colgroup" not in shipped_client.get("/coverage.html?rollUp=true").text


def test_a_kind_of_involvement_selects_involvement_if_kinds_are_rolled_up(
    shipped_client: httpx2.Client,
) -> None:
    cells = read_judged_cells(shipped_client, "rollUp=true&criterion=involvement-civil-society")
    assert {criterion for _, criterion in cells} == {"involvement"}
    assert len(cells) > 10


def test_verdict_filters_judgments(shipped_client: httpx2.Client) -> None:
    all_cells = read_judged_cells(shipped_client)
    inadequate = f"{ID_NAMESPACE}verdict/inadequate"
    cells = read_judged_cells(shipped_client, "verdict=inadequate")
    assert set(cells) == {cell for cell, judged in all_cells.items() if inadequate in judged["verdicts"]}
    assert all(set(judged["verdicts"]) == {inadequate} for judged in cells.values())
    civil_society = read_judged_cells(
        shipped_client, "verdict=inadequate&criterion=involvement-civil-society"
    )
    assert len(civil_society) == 5
