"""Clients that people use get true answers from a running service."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pandas as pd
import pytest
from rdflib import URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, GET, JSON, POST, TURTLE, XML, SPARQLWrapper

CATEGORIES = """
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?issue ?label { ?issue a <https://w3id.org/wgig/ontology#Issue> ; skos:prefLabel ?label } ORDER BY ?issue
"""
SPAM = "https://w3id.org/wgig/id/issue/spam"
ISSUES = 35


@pytest.fixture(scope="module")
def endpoint(
    serving: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("store")) as url:
        yield f"{url}sparql"


@pytest.mark.parametrize("method", [GET, POST])
def test_sparqlwrapper(endpoint: str, method: str) -> None:
    client = SPARQLWrapper(endpoint)
    client.setMethod(method)
    client.setQuery(CATEGORIES)
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
    rows = list(store.query(CATEGORIES))
    assert URIRef(SPAM) in {row[0] for row in rows}
    assert len(list(store.triples((URIRef(SPAM), None, None)))) > 3


def test_pandas_reads_the_url(endpoint: str) -> None:
    from urllib.parse import urlencode

    frame = pd.read_csv(f"{endpoint}?{urlencode({'query': CATEGORIES, '_mediatype': 'text/csv'})}")
    assert list(frame.columns) == ["issue", "label"]
    assert frame["issue"].nunique() == ISSUES


def test_curl(endpoint: str) -> None:
    done = subprocess.run(
        ["curl", "-sS", "--fail", "--compressed", endpoint, "--data-urlencode", f"query={CATEGORIES}"],
        capture_output=True,
        check=True,
    )
    assert len({row["issue"]["value"] for row in json.loads(done.stdout)["results"]["bindings"]}) == ISSUES
