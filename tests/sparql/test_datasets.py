"""Datasets of queries and updates: a graph that is named repeatedly is in the dataset once."""

import httpx2
import pytest
from wgig.problems import Problem
from wgig.settings import Settings
from wgig.sparql.admission import admit_sparql_text
from wgig.sparql.language.parser import ParsedSparqlText
from wgig.store.store import Store

from tests.fixtures.service import make_writer_client

GRAPH = f"{Settings.base}graph/g"


@pytest.fixture
def client() -> httpx2.Client:
    store = Store.in_memory()
    client = make_writer_client(store)
    headers = {"Content-Type": "text/turtle"}
    assert client.put("/graph/g", content="<x:a> <x:p> 1 , 2 .", headers=headers).status_code == 201
    return client


def count_triples(client: httpx2.Client, query: str, **parameters: list[str]) -> str:
    answer = client.get("/sparql", params={"query": query, **parameters}, headers={"Accept": "text/csv"})
    assert answer.status_code == 200, answer.text
    return answer.text.split()[-1]


@pytest.mark.parametrize(
    "clauses",
    [
        f"FROM <{GRAPH}> FROM <{GRAPH}>",
        f"FROM <{GRAPH}> FROM NAMED <{GRAPH}> FROM <{GRAPH}> FROM NAMED <{GRAPH}>",
        f"FROM <{GRAPH}> # FROM\nfrom g:g FROM<{GRAPH}>",
        f"FROM <{GRAPH}> FROM <g/../g>",
    ],
)
def test_a_repeated_graph_counts_once(client: httpx2.Client, clauses: str) -> None:
    prologue = f"BASE <{Settings.base}graph/> PREFIX g: <{Settings.base}graph/>"
    query = f"{prologue} SELECT (COUNT(*) AS ?n) {clauses} {{ ?s ?p ?o }}"
    assert count_triples(client, query) == "2"


def test_a_repeated_parameter_counts_once(client: httpx2.Client) -> None:
    query = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    assert count_triples(client, query, **{"default-graph-uri": [GRAPH, GRAPH]}) == "2"
    named = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
    assert count_triples(client, named, **{"named-graph-uri": [GRAPH, GRAPH]}) == "2"


@pytest.mark.parametrize("parameters", [{}, {"using-graph-uri": [GRAPH, GRAPH]}])
def test_a_repeated_graph_of_an_update_counts_once(
    client: httpx2.Client, parameters: dict[str, object]
) -> None:
    using = "" if parameters else f"USING <{GRAPH}> USING <{GRAPH}>"
    update = (
        f"INSERT {{ GRAPH <x:counts> {{ <x:a> <x:n> ?n }} }} {using} "
        "WHERE { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } }"
    )
    assert client.post("/update", data={"update": update, **parameters}).status_code == 204
    assert count_triples(client, "SELECT ?n { GRAPH <x:counts> { ?s ?p ?n } }") == "2"


def test_positions_in_errors_stay_those_of_the_request(client: httpx2.Client) -> None:
    query = f"SELECT * FROM <{GRAPH}> FROM <{GRAPH}>\n{{ ?s ?p }}"
    answer = client.get("/sparql", params={"query": query})
    assert (answer.status_code, answer.json()["line"]) == (400, 2)


def test_a_repeated_graph_of_another_operation_stays() -> None:
    clause = f"USING <{GRAPH}>"
    update = (
        f"DELETE {{ ?s ?p ?o }} {clause} WHERE {{ ?s ?p ?o }} ; INSERT {{ ?s ?p ?o }} {clause} WHERE {{}}"
    )
    assert admit_sparql_text(ParsedSparqlText(update), Settings()).text == update


def test_a_service_may_be_a_prefixed_name_of_an_allowed_address() -> None:
    settings = Settings(allow="https://other.example/sparql")
    text = "PREFIX o: <https://other.example/> SELECT * { SERVICE o:sparql { ?s ?p ?o } }"
    assert "https://other.example/sparql>" in admit_sparql_text(ParsedSparqlText(text), settings).text
    with pytest.raises(Problem, match="is refused"):
        admit_sparql_text(ParsedSparqlText(text.replace("o:sparql", "o:else")), settings)
