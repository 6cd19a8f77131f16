"""Clients that people use get true answers from a running service."""

import json
import subprocess
from shutil import which
from typing import Any
from urllib.parse import urlencode

import pandas as pd  # type: ignore[import-untyped]
import pytest
from rdflib import URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, GET, JSON, POST, TURTLE, XML, SPARQLWrapper

LABELS = """
PREFIX wgig: <https://w3id.org/wgig/ontology#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?issue ?label { ?issue a wgig:Issue ; skos:prefLabel ?label } ORDER BY ?issue
"""
SPAM = "https://w3id.org/wgig/id/issue/spam"
ISSUES = 35


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
    client.setReturnFormat(CSV)
    assert client.queryAndConvert().decode().count(SPAM) == 1
    client.setQuery(f"DESCRIBE <{SPAM}>")
    client.setReturnFormat(TURTLE)
    assert b"prefLabel" in client.queryAndConvert()


def test_rdflib_sparql_store(endpoint: str) -> None:
    store = SPARQLStore(endpoint, returnFormat="json")
    rows: list[Any] = list(store.query(LABELS))
    assert URIRef(SPAM) in {row[0] for row in rows}
    assert len(list(store.triples((URIRef(SPAM), None, None)))) > 3


def test_pandas_reads_the_url(endpoint: str) -> None:
    frame = pd.read_csv(f"{endpoint}?{urlencode({'query': LABELS, '_mediatype': 'text/csv'})}")
    assert list(frame.columns) == ["issue", "label"]
    assert frame["issue"].nunique() == ISSUES


@pytest.mark.skipif(which("curl") is None, reason="there is no curl on this machine")
def test_curl(endpoint: str) -> None:
    done = subprocess.run(
        ["curl", "-sS", "--fail", "--compressed", endpoint, "--data-urlencode", f"query={LABELS}"],
        capture_output=True,
        check=True,
    )
    assert len({row["issue"]["value"] for row in json.loads(done.stdout)["results"]["bindings"]}) == ISSUES
