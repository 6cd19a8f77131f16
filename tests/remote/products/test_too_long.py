"""An engine that ends queries which take longer than it allows: no answer looks whole, no query is blamed."""

from collections.abc import Iterator

import httpx
import pytest
from wgig.rdf.formats import JSON_RESULTS, N_TRIPLES, TURTLE

from .conftest import instance
from .engines import OXIGRAPH, Engine

pytestmark = pytest.mark.long

TRIPLES = 300
LONG = "GRAPH <urn:many> { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?a = ?i) }"  # there is none among very many


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a service over an engine that allows a second."""
    folder = tmp_path_factory.mktemp("short")
    engine = Engine(OXIGRAPH, folder / "engine")
    engine.command += ["--timeout-s", "1"]
    engine.start()
    try:
        with instance(folder / "copy", engine.settings() | {"WGIG_DATA": "none"}) as client:
            lines = "".join(f"<urn:{one}> <urn:n> '{one}' .\n" for one in range(TRIPLES))
            turtle = {"Content-Type": TURTLE.media_type}
            client.put("/graphs?graph=urn:many", content=lines, headers=turtle).raise_for_status()
            yield client
    finally:
        engine.kill()


def test_the_query_is_not_at_fault(client: httpx.Client) -> None:
    answer = client.post("/sparql", data={"query": f"ASK {{ {LONG} }}"})
    assert answer.status_code == 503, answer.text
    assert "took longer than the shared store allows" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "accept"),
    [
        (f"SELECT * {{ {LONG} }}", JSON_RESULTS.media_type),
        (f"CONSTRUCT {{ ?a ?b ?c }} {{ {LONG} }}", N_TRIPLES.media_type),
        (f"CONSTRUCT {{ ?a ?b ?c }} {{ {LONG} }}", TURTLE.media_type),
    ],
)
def test_what_was_ended_does_not_look_whole(client: httpx.Client, query: str, accept: str) -> None:
    try:
        answer = client.post("/sparql", data={"query": query}, headers={"Accept": accept})
    except httpx.RemoteProtocolError:  # it had begun, and is broken off
        return
    assert answer.status_code == 503, answer.text


def test_what_is_whole_looks_so(client: httpx.Client) -> None:
    accept = {"Accept": N_TRIPLES.media_type}
    for limit in (0, 3):
        query = f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH <urn:many> {{ ?s ?p ?o }} }} LIMIT {limit}"
        answer = client.post("/sparql", data={"query": query}, headers=accept)
        assert answer.raise_for_status().text.count("\n") == limit
