"""Clients that people use get true answers from a running service."""

import json
import subprocess
from shutil import which
from typing import Any
from urllib.parse import urlencode

import httpx
import pandas as pd  # type: ignore[import-untyped]
import pytest
from rdflib import Graph, URIRef
from rdflib.compare import isomorphic
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from reconciler import reconcile
from SPARQLWrapper import CSV, GET, JSON, JSONLD, N3, POST, RDFXML, TSV, TURTLE, XML, SPARQLWrapper

LABELS = """
PREFIX wgig: <https://w3id.org/wgig/ontology#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?issue ?label { ?issue a wgig:Issue ; skos:prefLabel ?label } ORDER BY ?issue
"""
SPAM = "https://w3id.org/wgig/id/issue/spam"
ISSUES = 35
N_TRIPLES = {"Accept": "application/n-triples"}


@pytest.fixture
def endpoint(served: str) -> str:
    return f"{served}sparql"


@pytest.mark.parametrize("method", [GET, POST])
def test_sparqlwrapper(endpoint: str, method: str) -> None:
    client: Any = SPARQLWrapper(endpoint)
    client.setMethod(method)
    client.setQuery(LABELS)
    client.setReturnFormat(JSON)
    rows = client.queryAndConvert()["results"]["bindings"]
    assert SPAM in {row["issue"]["value"] for row in rows}
    client.setReturnFormat(XML)
    assert client.queryAndConvert().toxml().count("<result>") == len(rows)
    for written in (CSV, TSV):
        client.setReturnFormat(written)
        assert client.queryAndConvert().decode().count(SPAM) == 1
    client.setQuery(f"DESCRIBE <{SPAM}>")
    for written in (TURTLE, N3, RDFXML, JSONLD):
        client.setReturnFormat(written)
        assert b"prefLabel" in client.query().response.read()


def test_rdflib_sparql_store(endpoint: str) -> None:
    store = SPARQLStore(endpoint, returnFormat="json")
    rows: list[Any] = list(store.query(LABELS))
    assert URIRef(SPAM) in {row[0] for row in rows}
    assert len(list(store.triples((URIRef(SPAM), None, None)))) > 3


@pytest.mark.parametrize("path", ["id/issue/spam", "graph/issues", "catalog", ".well-known/void", "ontology"])
def test_rdflib_reads_an_address(served: str, path: str) -> None:
    read, given = Graph().parse(f"{served}{path}"), Graph()
    given.parse(data=httpx.get(f"{served}{path}", follow_redirects=True, headers=N_TRIPLES).text, format="nt")
    assert len(read) > 3
    assert isomorphic(read, given)


def test_pandas_reads_the_url(endpoint: str) -> None:
    frame = pd.read_csv(f"{endpoint}?{urlencode({'query': LABELS, '_mediatype': 'text/csv'})}")
    assert list(frame.columns) == ["issue", "label"]
    assert frame["issue"].nunique() == ISSUES


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # the client is older than pandas
def test_reconciler_matches_a_column(served: str) -> None:
    names = pd.Series(["Kummer, Markus", "Nitin Desai"])
    found = reconcile(names, type_id="agent", reconciliation_endpoint=f"{served}reconcile")
    assert list(found["id"]) == ["agent/kummer", "agent/desai"]
    assert found["match"].all()
    papers, issues = pd.Series(["Spam"]), {"wgig:issue": pd.Series(["spam"])}
    found = reconcile(papers, "paper", 1, issues, f"{served}reconcile")
    assert list(found["id"]) == ["paper/wp-spam"]


@pytest.mark.skipif(which("curl") is None, reason="there is no curl on this machine")
def test_curl(endpoint: str) -> None:
    done = subprocess.run(
        ["curl", "-sS", "--fail", "--compressed", endpoint, "--data-urlencode", f"query={LABELS}"],
        capture_output=True,
        check=True,
    )
    assert len({row["issue"]["value"] for row in json.loads(done.stdout)["results"]["bindings"]}) == ISSUES
