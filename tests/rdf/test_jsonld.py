"""JSON in a frame: the thing at the top, the rest inside, and as much as the standard has it say."""

import json
from itertools import pairwise

import httpx
import pyoxigraph as ox
import pytest
from pyld import jsonld
from wgig.rdf.jsonld import FRAME_TYPES, MAX_FRAME_LEVELS
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.store.store import Store

from tests.fixtures.service import client_over, service_of

BASE = Settings.base
PAPER = "/doc/paper/example-spam-filters"


@pytest.fixture(scope="module")
def service() -> httpx.Client:
    """A service with a whole paper and the ontology."""
    store = Store.in_memory()
    files = {
        "ontology": "ontology/wgig.ttl",
        "paper": "data/examples/spam-filters.ttl",
        "issues": "data/issues.ttl",
    }
    for name, path in files.items():
        triples = parse_graph_document((SHIPPED_FOLDER / path).read_bytes(), "text/turtle")
        store.apply(store.compute_addition(f"{BASE}graph/{name}", triples))
    return service_of(Settings(), store)


def test_a_paper_holds_its_parts(service: httpx.Client) -> None:
    paper = service.get(f"{PAPER}?_frame=paper").json()
    assert paper["id"] == f"{BASE}id/paper/example-spam-filters"
    assert paper["swot"]["type"] == "Swot"
    assert {one["type"] for one in paper["assessment"]} == {"Assessment"}
    assert len(paper["assessment"]) == 7
    assert paper["mechanism"][0]["objectives"]["en"].startswith("To keep unwanted mail")
    assert paper["issue"]["skos:prefLabel" if "skos:prefLabel" in paper["issue"] else "rdfs:label"]


def test_a_node_is_told_of_where_it_is_reached_first_and_named_elsewhere(service: httpx.Client) -> None:
    paper = service.get(f"{PAPER}?_frame=paper").json()
    mechanisms = {one["id"] for one in paper["mechanism"]}
    judged = {one["judges"] for one in paper["assessment"] if "judges" in one}
    assert judged <= mechanisms


@pytest.mark.parametrize(("path", "frame"), [(PAPER, "paper"), ("/doc/issue/spam", "issue")])
def test_a_frame_says_what_that_of_the_standard_says(service: httpx.Client, path: str, frame: str) -> None:
    context = service.get("/context.jsonld").json()["@context"]
    framed = service.get(f"{path}?_frame={frame}").json() | {"@context": context}
    whole = service.get(f"{path}.jsonld").json() | {"@context": context}
    theirs = jsonld.frame(whole, {"@context": {}, "@id": framed["id"]})
    assert triples(framed) == triples(theirs)
    assert len(triples(framed)) > 10


def triples(document: object) -> set[ox.Triple]:
    return {quad.triple for quad in ox.parse(json.dumps(document), ox.RdfFormat.JSON_LD)}


def test_it_comes_as_json_of_either_name(service: httpx.Client) -> None:
    answers = [
        service.get(f"{PAPER}?_frame=paper"),
        service.get(f"{PAPER}.json?_frame=paper"),
        service.get(f"{PAPER}?_frame=paper", headers={"Accept": "application/json"}),
    ]
    assert [one.headers["content-type"] for one in answers] == [
        "application/ld+json",
        "application/json",
        "application/json",
    ]
    assert len({one.content for one in answers}) == 1
    again = service.get(answers[1].headers["content-location"])
    assert (again.content, again.headers["etag"]) == (answers[1].content, answers[1].headers["etag"])


def test_a_frame_for_things_of_another_type_is_refused_with_that_which_fits(service: httpx.Client) -> None:
    answer = service.get("/doc/issue/spam?_frame=paper")
    assert answer.status_code == 406
    assert answer.json()["frames"] == ["issue"]


@pytest.mark.parametrize("query", ["_frame=papers", "_frame=", "_frame=paper&_frame=paper", "frame=paper"])
def test_a_frame_that_there_is_not_is_a_bad_request(service: httpx.Client, query: str) -> None:
    answer = service.get(f"{PAPER}?{query}")
    assert answer.status_code == 400
    assert "frame" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["_frame=paper&_mediatype=text/turtle", "_frame=paper&_profile=skos"])
def test_a_frame_is_for_json_by_our_own_profile(service: httpx.Client, query: str) -> None:
    assert service.get(f"{PAPER}?{query}").status_code == 406


def test_a_frame_of_nothing_is_not_found(service: httpx.Client) -> None:
    assert service.get("/doc/paper/none?_frame=paper").status_code == 404


def test_what_stands_too_deep_is_refused_and_not_cut() -> None:
    store = Store.in_memory()
    top = f"{BASE}id/issue/x"
    chain = [top, *(f"{top}/{n}" for n in range(MAX_FRAME_LEVELS + 1))]
    facts = "".join(f"<{one}> <urn:p> <{two}> ." for one, two in pairwise(chain))
    ontology = parse_graph_document((SHIPPED_FOLDER / "ontology/wgig.ttl").read_bytes(), "text/turtle")
    store.apply(store.compute_addition(f"{BASE}graph/ontology", ontology))
    store.apply(
        store.compute_addition(
            None, parse_graph_document(f"{facts} <{top}> a <{BASE}ontology#Issue> .".encode(), "text/turtle")
        )
    )
    answer = client_over(store).get("/doc/issue/x?_frame=issue")
    assert answer.status_code == 406
    assert "too deep" in answer.json()["detail"]


def test_the_frames_are_of_classes_that_are_declared() -> None:
    declared = {
        one.subject
        for one in parse_graph_document((SHIPPED_FOLDER / "ontology/wgig.ttl").read_bytes(), "text/turtle")
    }
    for types in FRAME_TYPES.values():
        assert {ox.NamedNode(f"{BASE}ontology#{one}") for one in types} <= declared
