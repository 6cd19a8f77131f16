"""A write of more statements than WGIG_WRITE_STATEMENTS is refused whole, whatever its method."""

import httpx
import pytest
from wgig.store.store import Store

from tests.fixtures.service import make_writer_client

TURTLE = {"Content-Type": "text/turtle"}


def write_triples(count: int) -> str:
    return "".join(f"<x:s> <x:p> {number} .\n" for number in range(count))


@pytest.fixture
def client() -> httpx.Client:
    """A client of a service with a graph of 25 statements, where a write may change 10."""
    store = Store.in_memory()
    store.update(f"INSERT DATA {{ GRAPH <https://w3id.org/wgig/graph/large> {{ {write_triples(25)} }} }}")
    return make_writer_client(store, write_statements=10)


@pytest.mark.parametrize(
    ("method", "path", "count"),
    [("PUT", "new", 11), ("POST", "new", 11), ("PUT", "large", 1), ("DELETE", "large", 0)],
)
def test_large_write_is_refused_and_changes_nothing(
    client: httpx.Client, method: str, path: str, count: int
) -> None:
    before = client.get("/dump.nq").text
    response = client.request(method, f"/graph/{path}", content=write_triples(count), headers=TURTLE)
    assert (response.status_code, "more than 10 statements" in response.json()["detail"]) == (413, True)
    assert client.get("/dump.nq").text == before


def test_updates_have_a_limit_of_their_own(client: httpx.Client) -> None:
    update = "CLEAR GRAPH <https://w3id.org/wgig/graph/large>"
    assert client.post("/update", data={"update": update}).status_code == 204


def test_write_within_the_limit_is_made(client: httpx.Client) -> None:
    assert client.put("/graph/new", content=write_triples(10), headers=TURTLE).status_code == 201
    assert client.post("/graph/large", content="<x:s> <x:p> 99 .", headers=TURTLE).status_code == 204
    assert client.delete("/graph/new", headers=TURTLE).status_code == 204


def test_a_large_graph_can_be_deleted_in_steps(client: httpx.Client) -> None:
    step = (
        "DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { SELECT * { "
        "VALUES ?g { <https://w3id.org/wgig/graph/large> } GRAPH ?g { ?s ?p ?o } } LIMIT 10 }"
    )
    for _ in range(3):
        assert client.post("/update", data={"update": step}).status_code == 204
    assert client.get("/graph/large.nt").text == ""
    assert client.delete("/graph/large").status_code == 204


def test_no_limit_accepts_any_write() -> None:
    client = make_writer_client(Store.in_memory(), write_statements=0)
    assert client.put("/graph/new", content=write_triples(30), headers=TURTLE).status_code == 201
