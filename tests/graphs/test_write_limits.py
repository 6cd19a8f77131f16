"""A write over WGIG_WRITE_STATEMENTS or WGIG_WRITE_BYTES, or with much inference, is refused whole."""

from typing import Any

import httpx2
import pytest
from wgig.graphs import graph_store
from wgig.rdf.shipped import read_inference_rules, read_turtle_files
from wgig.seed import list_shipped_files
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import make_writer_client

TURTLE = {"Content-Type": "text/turtle"}
LARGE_GRAPH = "https://w3id.org/wgig/graph/large"


def write_triples(count: int) -> str:
    return "".join(f"<x:s> <x:p> {number} .\n" for number in range(count))


def make_client(**settings: Any) -> httpx2.Client:
    """A client of a service with a graph of 25 statements, of 41 bytes or more each."""
    store = Store.in_memory()
    store.update(f"INSERT DATA {{ GRAPH <{LARGE_GRAPH}> {{ {write_triples(25)} }} }}")
    return make_writer_client(store, **settings)


@pytest.fixture
def client() -> httpx2.Client:
    """A client of a service with a graph of 25 statements, where a write may change 10."""
    return make_client(write_statements=10)


@pytest.mark.parametrize(
    ("settings", "limit"),
    [({"write_statements": 10}, "10 statements"), ({"write_bytes": 600}, "600 bytes of statements")],
)
@pytest.mark.parametrize(
    ("method", "path", "count"),
    [("PUT", "new", 11), ("POST", "new", 11), ("PUT", "large", 1), ("DELETE", "large", 0)],
)
def test_large_write_is_refused_and_changes_nothing(
    settings: dict[str, int], limit: str, method: str, path: str, count: int
) -> None:
    client = make_client(**settings)
    before = client.get("/dump.nq").text
    response = client.request(method, f"/graph/{path}", content=write_triples(count), headers=TURTLE)
    assert (response.status_code, f"at most {limit}" in response.json()["detail"]) == (413, True)
    assert client.get("/dump.nq").text == before


@pytest.mark.parametrize("letters", [["x" * 600], ["é" * 60, "è" * 60, "ê" * 60, "ë" * 60, "ē" * 60]])
def test_the_size_of_statements_is_counted_in_bytes(letters: list[str]) -> None:
    client = make_client(write_bytes=600)
    content = "".join(f'<x:s> <x:p> "{text}" .' for text in letters)
    assert client.put("/graph/new", content=content.encode(), headers=TURTLE).status_code == 413


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("condition", ["If-Match", "If-None-Match"])
def test_a_large_graph_is_not_serialized_to_compare_its_etag(
    client: httpx2.Client, method: str, condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(graph_store, "serialize_graph")  # serializing would fail
    headers = TURTLE | {condition: '"x"'}
    response = client.request(method, "/graph/large", content=write_triples(1), headers=headers)
    assert (response.status_code, "at most 10 statements" in response.json()["detail"]) == (413, True)


def test_a_post_to_any_version_of_a_large_graph_is_made(client: httpx2.Client) -> None:
    headers = TURTLE | {"If-Match": "*"}
    assert client.post("/graph/large", content="<x:s> <x:p> 99 .", headers=headers).status_code == 204


def test_a_paper_does_not_grow_beyond_what_one_write_can_delete() -> None:
    client = make_client(write_statements=10, write_profile="off")
    for start, status in ((0, 201), (6, 413), (2, 204)):
        numbers = ", ".join(map(str, range(start, start + 6)))
        response = client.post("/graph/paper/mine", content=f"<x:s> <x:p> {numbers} .", headers=TURTLE)
        assert response.status_code == status
    assert client.delete("/graph/paper/mine").status_code == 204


def test_updates_have_a_limit_of_their_own(client: httpx2.Client) -> None:
    update = f"CLEAR GRAPH <{LARGE_GRAPH}>"
    assert client.post("/update", data={"update": update}).status_code == 204


def test_write_within_the_limit_is_made(client: httpx2.Client) -> None:
    assert client.put("/graph/new", content=write_triples(10), headers=TURTLE).status_code == 201
    assert client.post("/graph/large", content="<x:s> <x:p> 99 .", headers=TURTLE).status_code == 204
    assert client.delete("/graph/new", headers=TURTLE).status_code == 204


def test_a_large_graph_can_be_deleted_in_steps(client: httpx2.Client) -> None:
    step = (
        "DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { SELECT * { "
        f"VALUES ?g {{ <{LARGE_GRAPH}> }} GRAPH ?g {{ ?s ?p ?o }} }} LIMIT 10 }}"
    )
    for _ in range(3):
        assert client.post("/update", data={"update": step}).status_code == 204
    assert client.get("/graph/large.nt").text == ""
    assert client.delete("/graph/large").status_code == 204


def test_no_limit_accepts_any_write() -> None:
    client = make_client(write_statements=0, write_bytes=0)
    assert client.put("/graph/new", content=write_triples(30), headers=TURTLE).status_code == 201
    assert client.delete("/graph/large").status_code == 204


BROADER = "<http://www.w3.org/2004/02/skos/core#broader>"
CHAIN = "".join(f"<x:{number}> {BROADER} <x:{number + 1}> .\n" for number in range(200))
# Each issue of a paper is measured against each of its criteria.
ISSUES_AND_CRITERIA = "PREFIX wgig: <https://w3id.org/wgig/ontology#>\n" + "".join(
    f"<x:paper> wgig:issue <x:i{number}> ; wgig:assessment <x:a{number}> .\n"
    f"<x:a{number}> wgig:criterion <x:c> .\n"
    for number in range(400)
)


def test_each_shipped_graph_can_be_written_as_a_whole() -> None:
    for paths in list_shipped_files(Settings.base).values():
        graph_store.check_write_size(Settings(), read_turtle_files(paths))


@pytest.mark.parametrize("statements", [CHAIN, ISSUES_AND_CRITERIA])
def test_a_write_with_much_inference_is_refused_and_changes_nothing(statements: str) -> None:
    client = make_writer_client(Store.in_memory(read_inference_rules()))
    assert client.put("/graph/small", content=write_triples(3), headers=TURTLE).status_code == 201
    before = client.get("/dump.nq").text
    response = client.put("/graph/new", content=statements, headers=TURTLE)
    assert (response.status_code, "inferred statements" in response.json()["detail"]) == (413, True)
    assert client.get("/graph/new").status_code == 404
    assert client.get("/dump.nq").text == before
    assert client.put("/graph/new", content=write_triples(3), headers=TURTLE).status_code == 201


def test_an_update_with_much_inference_is_refused() -> None:
    client = make_writer_client(Store.in_memory(read_inference_rules()))
    response = client.post("/update", data={"update": f"INSERT DATA {{ GRAPH <x:g> {{ {CHAIN} }} }}"})
    assert (response.status_code, "inferred statements" in response.json()["detail"]) == (413, True)
