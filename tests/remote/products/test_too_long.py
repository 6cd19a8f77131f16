"""An engine with a time limit for queries: truncated results are errors, with the right cause."""

from collections.abc import Iterator

import httpx2
import pytest
from wgig.rdf.formats import JSON_RESULTS, N_TRIPLES, TURTLE

from .conftest import run_instance
from .engines import OXIGRAPH, Engine

pytestmark = pytest.mark.long

TRIPLE_COUNT = 300  # SLOW_PATTERN compares all combinations of three triples
SLOW_PATTERN = "GRAPH <urn:many> { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?a = ?i) }"  # without solutions


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A client of an instance with an engine whose time limit is a second."""
    folder = tmp_path_factory.mktemp("short")
    engine = Engine(OXIGRAPH, folder / "engine")
    engine.command += ["--timeout-s", "1"]
    engine.start()
    try:
        with run_instance(folder / "copy", engine.settings() | {"WGIG_DATA": "none"}) as client:
            lines = "".join(f"<urn:{number}> <urn:n> '{number}' .\n" for number in range(TRIPLE_COUNT))
            turtle = {"Content-Type": TURTLE.media_type}
            client.put("/graphs?graph=urn:many", content=lines, headers=turtle).raise_for_status()
            yield client
    finally:
        engine.kill()


def test_timeout_of_the_engine_is_reported(client: httpx2.Client) -> None:
    response = client.post("/sparql", data={"query": f"ASK {{ {SLOW_PATTERN} }}"})
    assert response.status_code == 503, response.text
    assert "took longer than the shared store allows" in response.json()["detail"]


@pytest.mark.parametrize(
    ("query", "accept"),
    [
        (f"SELECT * {{ {SLOW_PATTERN} }}", JSON_RESULTS.media_type),
        (f"CONSTRUCT {{ ?a ?b ?c }} {{ {SLOW_PATTERN} }}", N_TRIPLES.media_type),
        (f"CONSTRUCT {{ ?a ?b ?c }} {{ {SLOW_PATTERN} }}", TURTLE.media_type),
    ],
)
def test_truncated_result_is_an_error(client: httpx2.Client, query: str, accept: str) -> None:
    try:
        response = client.post("/sparql", data={"query": query}, headers={"Accept": accept})
    except httpx2.RemoteProtocolError:  # the response was truncated
        return
    assert response.status_code == 503, response.text


def test_complete_result_is_returned(client: httpx2.Client) -> None:
    accept = {"Accept": N_TRIPLES.media_type}
    for limit in (0, 3):
        query = f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH <urn:many> {{ ?s ?p ?o }} }} LIMIT {limit}"
        response = client.post("/sparql", data={"query": query}, headers=accept)
        assert response.raise_for_status().text.count("\n") == limit
