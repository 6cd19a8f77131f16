"""Framed JSON-LD: a tree below a resource, with the same triples as JSON-LD Framing."""

import json
from itertools import pairwise

import httpx2
import pyoxigraph as ox
import pytest
from pyld import jsonld
from wgig.rdf.jsonld import FRAME_TYPES, MAX_FRAME_LEVELS
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.store.store import Store

from tests.fixtures.service import make_service_client, make_store_client

BASE = Settings.base
PAPER_PATH = "/doc/paper/example-spam-filters"


@pytest.fixture(scope="module")
def service() -> httpx2.Client:
    """A service with the ontology, a complete paper, and the issues."""
    store = Store.in_memory()
    files = {
        "ontology": "ontology/wgig.ttl",
        "paper": "data/examples/spam-filters.ttl",
        "issues": "data/issues.ttl",
    }
    for name, path in files.items():
        triples = parse_graph_document((SHIPPED_FOLDER / path).read_bytes(), "text/turtle")
        store.apply(store.compute_addition(f"{BASE}graph/{name}", triples))
    return make_service_client(Settings(), store)


def test_a_framed_paper_contains_its_nodes(service: httpx2.Client) -> None:
    paper = service.get(f"{PAPER_PATH}?_frame=paper").json()
    assert paper["id"] == f"{BASE}id/paper/example-spam-filters"
    assert paper["swot"]["type"] == "Swot"
    assert {assessment["type"] for assessment in paper["assessment"]} == {"Assessment"}
    assert len(paper["assessment"]) == 7
    assert paper["mechanism"][0]["objectives"]["en"].startswith("To keep unwanted mail")
    assert paper["issue"].keys() & {"skos:prefLabel", "rdfs:label"}  # the issue itself, not only its IRI


def test_a_node_is_embedded_at_its_first_link_and_referenced_elsewhere(service: httpx2.Client) -> None:
    paper = service.get(f"{PAPER_PATH}?_frame=paper").json()
    mechanisms = {mechanism["id"] for mechanism in paper["mechanism"]}
    judged_mechanisms = {assessment["judges"] for assessment in paper["assessment"] if "judges" in assessment}
    assert judged_mechanisms
    assert judged_mechanisms <= mechanisms  # IRIs, not objects


@pytest.mark.parametrize(("path", "frame"), [(PAPER_PATH, "paper"), ("/doc/issue/spam", "issue")])
def test_a_frame_has_the_same_triples_as_json_ld_framing(
    service: httpx2.Client, path: str, frame: str
) -> None:
    context = service.get("/context.jsonld").json()["@context"]
    framed = service.get(f"{path}?_frame={frame}").json() | {"@context": context}
    document = service.get(f"{path}.jsonld").json() | {"@context": context}
    standard_frame = jsonld.frame(document, {"@context": {}, "@id": framed["id"]})
    assert parse_json_ld(framed) == parse_json_ld(standard_frame)
    assert len(parse_json_ld(framed)) > 10


def parse_json_ld(document: object) -> set[ox.Triple]:
    return {quad.triple for quad in ox.parse(json.dumps(document), ox.RdfFormat.JSON_LD)}


def test_a_frame_is_available_as_json_and_json_ld(service: httpx2.Client) -> None:
    responses = [
        service.get(f"{PAPER_PATH}?_frame=paper"),
        service.get(f"{PAPER_PATH}.json?_frame=paper"),
        service.get(f"{PAPER_PATH}?_frame=paper", headers={"Accept": "application/json"}),
    ]
    assert [response.headers["content-type"] for response in responses] == [
        "application/ld+json",
        "application/json",
        "application/json",
    ]
    assert len({response.content for response in responses}) == 1
    located = service.get(responses[1].headers["content-location"])
    assert (located.content, located.headers["etag"]) == (responses[1].content, responses[1].headers["etag"])


def test_a_frame_for_another_type_is_refused_with_the_possible_frames(service: httpx2.Client) -> None:
    response = service.get("/doc/issue/spam?_frame=paper")
    assert response.status_code == 406
    assert response.json()["frames"] == ["issue"]


@pytest.mark.parametrize("query", ["_frame=papers", "_frame=", "_frame=paper&_frame=paper", "frame=paper"])
def test_an_unknown_frame_is_a_bad_request(service: httpx2.Client, query: str) -> None:
    response = service.get(f"{PAPER_PATH}?{query}")
    assert response.status_code == 400
    assert "frame" in response.json()["detail"]


@pytest.mark.parametrize("query", ["_frame=paper&_mediatype=text/turtle", "_frame=paper&_profile=skos"])
def test_a_frame_is_available_only_in_json_with_the_default_profile(
    service: httpx2.Client, query: str
) -> None:
    assert service.get(f"{PAPER_PATH}?{query}").status_code == 406


def test_a_frame_of_an_unknown_resource_is_not_found(service: httpx2.Client) -> None:
    assert service.get("/doc/paper/none?_frame=paper").status_code == 404


def test_a_frame_with_too_many_levels_is_refused_and_not_truncated() -> None:
    store = Store.in_memory()
    top = f"{BASE}id/issue/x"
    chain = [top, *(f"{top}/{n}" for n in range(MAX_FRAME_LEVELS + 1))]
    facts = "".join(f"<{node}> <urn:p> <{next_node}> ." for node, next_node in pairwise(chain))
    ontology = parse_graph_document((SHIPPED_FOLDER / "ontology/wgig.ttl").read_bytes(), "text/turtle")
    store.apply(store.compute_addition(f"{BASE}graph/ontology", ontology))
    store.apply(
        store.compute_addition(
            None, parse_graph_document(f"{facts} <{top}> a <{BASE}ontology#Issue> .".encode(), "text/turtle")
        )
    )
    response = make_store_client(store).get("/doc/issue/x?_frame=issue")
    assert response.status_code == 406
    assert "too deep" in response.json()["detail"]


def test_the_classes_of_frames_are_declared() -> None:
    declared_terms = {
        triple.subject
        for triple in parse_graph_document((SHIPPED_FOLDER / "ontology/wgig.ttl").read_bytes(), "text/turtle")
    }
    for types in FRAME_TYPES.values():
        assert {ox.NamedNode(f"{BASE}ontology#{type_}") for type_ in types} <= declared_terms
