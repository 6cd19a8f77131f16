"""What editors and language models ask an endpoint about itself has an answer: the queries of SIB's tools."""

from typing import Any

import httpx
import pyoxigraph as ox
import pytest
from wgig.rdf.namespaces import namespaces_by_prefix
from wgig.settings import Settings
from wgig.sparql.examples import list_example_queries

BASE = Settings.base
KNOWN = namespaces_by_prefix(BASE)
VOID, DATATYPE = KNOWN["void"], KNOWN["void-ext"]

PREFIXES = f"""
PREFIX sh: <{KNOWN["sh"]}>
SELECT DISTINCT ?prefix ?namespace {{ [] sh:namespace ?namespace ; sh:prefix ?prefix }} ORDER BY ?prefix
"""

EXAMPLES = f"""
PREFIX sh: <{KNOWN["sh"]}>
PREFIX rdfs: <{KNOWN["rdfs"]}>
SELECT DISTINCT ?sq ?comment ?query {{
  ?sq a sh:SPARQLExecutable ; rdfs:comment ?comment ; sh:select|sh:ask|sh:construct|sh:describe ?query .
}} ORDER BY ?sq
"""

CLASSES = f"""
PREFIX void: <{VOID}>
PREFIX void-ext: <{DATATYPE}>
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


def rows(client: httpx.Client, query: str) -> list[dict[str, str]]:
    """The rows of a query sent as the editor of SIB does, each by variable."""
    answer = client.get(
        "/sparql", params={"ac": "1", "query": query}, headers={"Accept": "application/sparql-results+json"}
    )
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["results"]["bindings"]
    return [{name: term["value"] for name, term in row.items()} for row in found]


def test_the_prefixes_are_declared(filled_client: httpx.Client) -> None:
    assert {row["prefix"]: row["namespace"] for row in rows(filled_client, PREFIXES)} == KNOWN


def test_the_examples_are_there_with_their_question(filled_client: httpx.Client) -> None:
    found = [(row["sq"], row["comment"], row["query"]) for row in rows(filled_client, EXAMPLES)]
    assert found == [(f"{BASE}queries/{one.name}", one.question, one.text) for one in list_example_queries()]


@pytest.mark.parametrize(
    ("class_", "property_", "value"),
    [
        ("wgig:IssuePaper", "dcterms:title", "rdf:langString"),
        ("wgig:IssuePaper", "wgig:issue", "wgig:Issue"),
        ("wgig:Issue", "wgig:category", "wgig:Category"),
        ("wgig:Milestone", "wgig:due", "xsd:date"),
    ],
)
def test_the_classes_are_there_with_their_properties_and_what_those_lead_to(
    filled_client: httpx.Client, class_: str, property_: str, value: str
) -> None:
    found = {
        (row["subjectClass"], row["prop"], row.get("objectClass") or row.get("objectDatatype"))
        for row in rows(filled_client, CLASSES)
    }
    assert tuple(map(expanded, (class_, property_, value))) in found


def test_every_class_of_the_ontology_that_has_members_is_among_them(filled_client: httpx.Client) -> None:
    used = f"SELECT DISTINCT ?c {{ ?x a ?c FILTER(STRSTARTS(STR(?c), '{KNOWN['wgig']}')) }}"
    told = {row["subjectClass"] for row in rows(filled_client, CLASSES)}
    assert {row["c"] for row in rows(filled_client, used)} <= told


def test_an_example_runs_as_it_is_told(filled_client: httpx.Client) -> None:
    for row in rows(filled_client, EXAMPLES):
        ox.Store().query(row["query"])


def expanded(name: str) -> str:
    """The IRI that a short name stands for."""
    prefix, _, local = name.partition(":")
    return KNOWN[prefix] + local
