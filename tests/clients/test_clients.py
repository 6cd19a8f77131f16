"""Common SPARQL and HTTP clients get correct results from a running service."""

import json
import subprocess
from shutil import which
from typing import Any
from urllib.parse import urlencode

import httpx2
import pandas as pd  # type: ignore[import-untyped]
import pytest
from rdflib import Graph, URIRef
from rdflib.compare import isomorphic
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from reconciler import reconcile
from SPARQLWrapper import CSV, GET, JSON, JSONLD, N3, POST, RDFXML, TSV, TURTLE, XML, SPARQLWrapper

LABELS_QUERY = """
PREFIX wgig: <https://w3id.org/wgig/ontology#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?issue ?label {
  ?issue a wgig:Issue ; skos:prefLabel ?label FILTER (LANG(?label) = "en")
} ORDER BY ?issue
"""
SPAM_IRI = "https://w3id.org/wgig/id/issue/spam"
ISSUE_COUNT = 35  # in the shipped graph
N_TRIPLES_HEADERS = {"Accept": "application/n-triples"}


@pytest.fixture
def endpoint(service_url: str) -> str:
    return f"{service_url}sparql"


@pytest.mark.parametrize("method", [GET, POST])
def test_sparqlwrapper_reads_all_formats(endpoint: str, method: str) -> None:
    client: Any = SPARQLWrapper(endpoint)
    client.setMethod(method)
    client.setQuery(LABELS_QUERY)
    client.setReturnFormat(JSON)
    rows = client.queryAndConvert()["results"]["bindings"]
    assert SPAM_IRI in {row["issue"]["value"] for row in rows}
    client.setReturnFormat(XML)
    assert client.queryAndConvert().toxml().count("<result>") == len(rows)
    for format_ in (CSV, TSV):
        client.setReturnFormat(format_)
        assert client.queryAndConvert().decode().count(SPAM_IRI) == 1
    client.setQuery(f"DESCRIBE <{SPAM_IRI}>")
    for format_ in (TURTLE, N3, RDFXML, JSONLD):
        client.setReturnFormat(format_)
        assert b"prefLabel" in client.query().response.read()


def test_rdflib_sparql_store_reads_rows_and_triples(endpoint: str) -> None:
    store = SPARQLStore(endpoint, returnFormat="json")
    rows: list[Any] = list(store.query(LABELS_QUERY))
    assert URIRef(SPAM_IRI) in {row[0] for row in rows}
    assert len(list(store.triples((URIRef(SPAM_IRI), None, None)))) > 3


@pytest.mark.parametrize("path", ["id/issue/spam", "graph/issues", "catalog", ".well-known/void", "ontology"])
def test_rdflib_parses_a_url(service_url: str, path: str) -> None:
    url, graph, tag = f"{service_url}{path}", Graph(), ""
    options: Any = {"follow_redirects": True, "headers": N_TRIPLES_HEADERS, "timeout": 60}
    while (response := httpx2.get(url, **options)).headers["ETag"] != tag:  # as the catalog lists new dumps
        graph, tag = Graph().parse(url), response.headers["ETag"]
    expected = Graph().parse(data=response.text, format="nt")
    assert len(graph) > 3
    assert isomorphic(graph, expected)


def test_pandas_reads_csv_from_the_query_url(endpoint: str) -> None:
    frame = pd.read_csv(f"{endpoint}?{urlencode({'query': LABELS_QUERY, '_mediatype': 'text/csv'})}")
    assert list(frame.columns) == ["issue", "label"]
    assert frame["issue"].nunique() == ISSUE_COUNT


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # the client is older than pandas
def test_reconciler_matches_a_column(service_url: str) -> None:
    names = pd.Series(["Kummer, Markus", "Nitin Desai"])
    matches = reconcile(names, type_id="agent", reconciliation_endpoint=f"{service_url}reconcile")
    assert list(matches["id"]) == ["agent/kummer", "agent/desai"]
    assert matches["match"].all()
    matches = reconcile(
        pd.Series(["Spam"]),
        type_id="paper",
        property_mapping={"wgig:issue": pd.Series(["spam"])},
        reconciliation_endpoint=f"{service_url}reconcile",
    )
    assert list(matches["id"]) == ["paper/wp-spam"]


@pytest.mark.skipif(which("curl") is None, reason="curl is not installed")
def test_curl_sends_a_query_by_post(endpoint: str) -> None:
    process = subprocess.run(
        ["curl", "-sS", "--fail", "--compressed", endpoint, "--data-urlencode", f"query={LABELS_QUERY}"],
        capture_output=True,
        check=True,
    )
    assert (
        len({row["issue"]["value"] for row in json.loads(process.stdout)["results"]["bindings"]})
        == ISSUE_COUNT
    )
