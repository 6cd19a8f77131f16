"""The SPARQL editor of SIB (Swiss Institute of Bioinformatics) discovers prefixes, examples and classes.

The queries below are those that it sends.
"""

from typing import Any

import httpx2
import pyoxigraph as ox
import pytest
from wgig.settings import Settings
from wgig.sparql.examples import list_example_queries
from wgig_client.namespaces import namespaces_by_prefix

BASE = Settings.base
NAMESPACES = namespaces_by_prefix(BASE)
VOID, VOID_EXT = NAMESPACES["void"], NAMESPACES["void-ext"]

PREFIXES_QUERY = f"""
PREFIX sh: <{NAMESPACES["sh"]}>
SELECT DISTINCT ?prefix ?namespace {{ [] sh:namespace ?namespace ; sh:prefix ?prefix }} ORDER BY ?prefix
"""

EXAMPLES_QUERY = f"""
PREFIX sh: <{NAMESPACES["sh"]}>
PREFIX rdfs: <{NAMESPACES["rdfs"]}>
SELECT DISTINCT ?sq ?comment ?query {{
  ?sq a sh:SPARQLExecutable ; rdfs:comment ?comment ; sh:select|sh:ask|sh:construct|sh:describe ?query .
}} ORDER BY ?sq
"""

CLASSES_QUERY = f"""
PREFIX void: <{VOID}>
PREFIX void-ext: <{VOID_EXT}>
SELECT DISTINCT ?subjectClass ?prop ?objectClass ?objectDatatype {{
  {{
    ?cp void:class ?subjectClass ; void:propertyPartition ?pp .
    ?pp void:property ?prop .
    OPTIONAL {{
      {{ ?pp void:classPartition [ void:class ?objectClass ] }}
      UNION
      {{ ?pp void-ext:datatypePartition [ void-ext:datatype ?objectDatatype ] }}
    }}
  }} UNION {{
    ?linkset void:subjectsTarget [ void:class ?subjectClass ] ; void:linkPredicate ?prop ;
             void:objectsTarget [ void:class ?objectClass ] .
  }}
}}
"""


def select_rows(client: httpx2.Client, query: str) -> list[dict[str, str]]:
    """The rows of the result of a query, sent in the way of SIB's editor; a row maps variables to values."""
    response = client.get(
        "/sparql", params={"ac": "1", "query": query}, headers={"Accept": "application/sparql-results+json"}
    )
    assert response.status_code == 200
    bindings: list[dict[str, Any]] = response.json()["results"]["bindings"]
    return [{name: term["value"] for name, term in row.items()} for row in bindings]


def test_all_prefixes_are_declared(filled_client: httpx2.Client) -> None:
    assert {
        row["prefix"]: row["namespace"] for row in select_rows(filled_client, PREFIXES_QUERY)
    } == NAMESPACES


def test_all_examples_are_described_with_their_question(filled_client: httpx2.Client) -> None:
    rows = select_rows(filled_client, EXAMPLES_QUERY)
    assert [(row["sq"], row["comment"], row["query"]) for row in rows] == [
        (f"{BASE}queries/{example.name}", example.question, example.text)
        for example in list_example_queries()
    ]


@pytest.mark.parametrize(
    ("class_", "property_", "value_type"),
    [
        ("wgig:IssuePaper", "dcterms:title", "rdf:langString"),
        ("wgig:IssuePaper", "wgig:issue", "wgig:Issue"),
        ("wgig:Issue", "wgig:category", "wgig:Category"),
        ("wgig:Milestone", "wgig:due", "xsd:date"),
    ],
)
def test_classes_are_described_with_properties_and_value_types(
    filled_client: httpx2.Client, class_: str, property_: str, value_type: str
) -> None:
    described = {
        (row["subjectClass"], row["prop"], row.get("objectClass") or row.get("objectDatatype"))
        for row in select_rows(filled_client, CLASSES_QUERY)
    }
    assert tuple(map(expand_prefixed_name, (class_, property_, value_type))) in described


def test_every_class_of_the_ontology_with_instances_is_described(filled_client: httpx2.Client) -> None:
    query = f"SELECT DISTINCT ?c {{ ?x a ?c FILTER(STRSTARTS(STR(?c), '{NAMESPACES['wgig']}')) }}"
    described_classes = {row["subjectClass"] for row in select_rows(filled_client, CLASSES_QUERY)}
    assert {row["c"] for row in select_rows(filled_client, query)} <= described_classes


def test_described_example_queries_are_valid(filled_client: httpx2.Client) -> None:
    for row in select_rows(filled_client, EXAMPLES_QUERY):
        ox.Store().query(row["query"])


def expand_prefixed_name(name: str) -> str:
    prefix, _, local_name = name.partition(":")
    return NAMESPACES[prefix] + local_name
