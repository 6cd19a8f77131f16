"""The matrix of issues and criteria."""

import csv
import io
from collections.abc import Callable

import httpx
import jsonschema
import pyoxigraph as ox
import pytest
from wgig.app import create_app
from wgig.schemas import MATRIX
from wgig.settings import Settings
from wgig.store import Store

BASE = Settings.base
ID = f"{BASE}id/"


@pytest.fixture(scope="module")
def matrix(shipped: ox.Store, over: Callable[..., httpx.Client]) -> httpx.Client:
    """A client of a service over the shipped graph."""
    return over(create_app(Settings(), Store(shipped)))


def test_the_matrix_is_that_of_the_example_query(matrix: httpx.Client) -> None:
    rows = list(csv.DictReader(io.StringIO(matrix.get("/queries/coverage-matrix.csv").text)))
    found = list(csv.DictReader(io.StringIO(matrix.get("/coverage.csv").text)))
    cells = {(row["issue"], row["criterion"]): 0 for row in rows}
    for row in rows:
        cells[row["issue"], row["criterion"]] += bool(row["paper"])
    assert {(row["issueLabel"], row["criterionLabel"]): int(row["papers"]) for row in found} == cells
    assert sum(cells.values()) > 0


def test_json_is_as_its_schema_says_and_has_the_empty_cells(matrix: httpx.Client) -> None:
    found = matrix.get("/coverage").json()
    jsonschema.validate(found, MATRIX)
    assert len(found["cells"]) == len(found["issues"]) * len(found["criteria"])
    assert any(cell["papers"] == 0 for cell in found["cells"])


def test_issues_and_criteria_can_be_chosen(matrix: httpx.Client) -> None:
    (cell,) = matrix.get("/coverage?issue=ip-addresses&criterion=coordination-capacity").json()["cells"]
    assert cell["papers"] == 1
    issues = matrix.get("/coverage?category=access-for-all").json()["issues"]
    listed = matrix.get("/issues?category=access-for-all&size=500").json()["items"]
    assert {one["id"] for one in issues} == {one["id"] for one in listed}


def test_rdf_says_what_is_measured_against_what(matrix: httpx.Client, shipped: ox.Store) -> None:
    measured = ox.NamedNode(f"{BASE}ontology#measuredAgainst")
    found = ox.parse(matrix.get("/coverage.ttl").content, format=ox.RdfFormat.TURTLE)
    assert {one.triple for one in found if one.predicate == measured} == {
        one.triple for one in shipped.quads_for_pattern(None, measured, None)
    }


def test_the_page_shows_every_cell(matrix: httpx.Client) -> None:
    found = matrix.get("/coverage").json()
    page = matrix.get("/coverage.html")
    assert page.text.count("<td>") == len(found["cells"])


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("isue=spam", "Did you mean issue?"),
        ("issue=spm", "Did you mean spam?"),
        ("criterion=%22", "names no thing"),
        ("page=2", "no parameter 'page'"),
    ],
)
def test_what_it_does_not_have_is_refused(matrix: httpx.Client, query: str, sentence: str) -> None:
    answer = matrix.get(f"/coverage?{query}")
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
