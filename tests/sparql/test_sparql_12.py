"""SPARQL 1.2 results: triple terms and texts with a base direction in each format."""

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import httpx2
import pyoxigraph as ox
import pytest
from wgig.sparql.parameters import SPARQL_VERSIONS

RESULTS_NAMESPACE, ITS_NAMESPACE = (
    "{http://www.w3.org/2005/sparql-results#}",
    "{http://www.w3.org/2005/11/its}",
)
SELECT_QUERY = """PREFIX : <http://x.org/>
SELECT ?triple ?text (SUBJECT(?triple) AS ?subject) (LANGDIR(?text) AS ?direction) {
  BIND (<<( :s :p "o"@en )>> AS ?triple) BIND (STRLANGDIR("x", "ar", "rtl") AS ?text) }"""
TRIPLE_QUERY = "PREFIX : <http://x.org/> CONSTRUCT { :r :reifies ?t } { BIND (<<( :s :p :o )>> AS ?t) }"
TEXT_QUERY = """PREFIX : <http://x.org/>
CONSTRUCT { :s :p ?text } { BIND (STRLANGDIR("x", "ar", "rtl") AS ?text) }"""
EXPECTED_TRIPLE = ox.Triple(
    ox.NamedNode("http://x.org/s"), ox.NamedNode("http://x.org/p"), ox.NamedNode("http://x.org/o")
)
EXPECTED_TEXT = ox.Literal("x", language="ar", direction=ox.BaseDirection.RTL)


def query(client: httpx2.Client, text: str, accept: str, **parameters: str) -> httpx2.Response:
    return client.get("/sparql", params={"query": text, **parameters}, headers={"Accept": accept})


@pytest.fixture(params=["in this process", "workers"])
def client(request: pytest.FixtureRequest) -> Iterator[httpx2.Client]:
    """A client of a service that evaluates queries itself, or of one with query workers."""
    if request.param == "workers":
        with httpx2.Client(base_url=request.getfixturevalue("service_url"), timeout=60) as client:
            yield client
    else:
        yield request.getfixturevalue("read_only_client")


@pytest.mark.slow
def test_rows_in_json(client: httpx2.Client) -> None:
    document: Any = query(client, SELECT_QUERY, "application/sparql-results+json").json()
    (row,) = document["results"]["bindings"]
    assert row["triple"] == {
        "type": "triple",
        "value": {
            "subject": {"type": "uri", "value": "http://x.org/s"},
            "predicate": {"type": "uri", "value": "http://x.org/p"},
            "object": {"type": "literal", "value": "o", "xml:lang": "en"},
        },
    }
    assert row["text"] == {"type": "literal", "value": "x", "xml:lang": "ar", "its:dir": "rtl"}
    assert row["subject"]["value"] == "http://x.org/s"
    assert row["direction"]["value"] == "rtl"


@pytest.mark.slow
def test_rows_in_xml(client: httpx2.Client) -> None:
    root = ET.fromstring(query(client, SELECT_QUERY, "application/sparql-results+xml").content)
    (triple,) = root.iter(f"{RESULTS_NAMESPACE}triple")
    names = [child.tag.removeprefix(RESULTS_NAMESPACE) for child in triple]
    assert names == ["subject", "predicate", "object"]
    texts = [literal for literal in root.iter(f"{RESULTS_NAMESPACE}literal") if literal.text == "x"]
    assert [text.get(f"{ITS_NAMESPACE}dir") for text in texts] == ["rtl"]


@pytest.mark.slow
def test_rows_in_tsv_and_csv(client: httpx2.Client) -> None:
    tsv = query(client, SELECT_QUERY, "text/tab-separated-values").text.splitlines()[1].split("\t")
    assert tsv[:2] == ['<<( <http://x.org/s> <http://x.org/p> "o"@en )>>', '"x"@ar--rtl']
    csv = query(client, SELECT_QUERY, "text/csv").text.splitlines()[1].split(",")
    assert csv[:2] == ["http://x.org/s http://x.org/p o", "x"]


@pytest.mark.parametrize("media_type", ["text/turtle", "application/n-triples", "application/rdf+xml"])
@pytest.mark.parametrize(("text", "expected"), [(TRIPLE_QUERY, EXPECTED_TRIPLE), (TEXT_QUERY, EXPECTED_TEXT)])
@pytest.mark.slow
def test_triples_in_rdf_formats(client: httpx2.Client, media_type: str, text: str, expected: object) -> None:
    response = query(client, text, media_type)
    assert response.status_code == 200
    (quad,) = ox.parse(response.content, ox.RdfFormat.from_media_type(media_type))
    assert quad.object == expected


@pytest.mark.slow
def test_what_json_ld_cannot_express_is_406(client: httpx2.Client) -> None:
    response = query(client, TRIPLE_QUERY, "application/ld+json")
    assert response.status_code == 406
    assert "text/turtle" in response.json()["offered"]


@pytest.mark.slow
def test_direction_in_json_ld(client: httpx2.Client) -> None:
    json_ld = query(client, TEXT_QUERY, "application/ld+json")
    assert json.loads(json_ld.text)[0]["http://x.org/p"] == [
        {"@value": "x", "@language": "ar", "@direction": "rtl"}
    ]


@pytest.mark.parametrize("version", SPARQL_VERSIONS)
def test_version_is_accepted_as_parameter_and_in_media_types(
    read_only_client: httpx2.Client, version: str
) -> None:
    accept = f"application/sparql-results+json;version={version}"
    response = query(read_only_client, SELECT_QUERY, accept, version=version)
    assert response.headers["content-type"] == "application/sparql-results+json"
    assert response.json()["results"]["bindings"]


def test_unknown_version_is_refused(read_only_client: httpx2.Client) -> None:
    assert query(read_only_client, SELECT_QUERY, "*/*", version="2.0").status_code == 400
