"""A worker describes resources with the same bytes as the service, and from its current quads."""

import random

import pyoxigraph as ox
import pytest
from wgig.http.language import parse_accept_language
from wgig.rdf.formats import JSON_LD, TURTLE
from wgig.rdf.namespaces import RDF_TYPE, RDFS_LABEL, expand_curie
from wgig.settings import Settings
from wgig.sparql.workers.description import (
    MAX_DESCRIBED_PARTS,
    MAX_INCOMING_STATEMENTS,
    WORKER_FORMATS,
    ResourceDescriber,
    SerializedDescription,
    make_description_job,
)
from wgig.sparql.workers.protocol import QueryFault
from wgig.store.store import Store

from tests.fixtures.service import make_store_client

BASE = Settings.base
ID = f"{BASE}id/"
RESOURCE = f"{ID}paper/many"
LANGUAGES = ("en", "fr", "zh-Hant, ar;q=0.5")
# Literals, labels and blank nodes of all kinds, a part of a part, and statements in several graphs.
UNUSUAL_QUADS = f"""
<{RESOURCE}> a <{BASE}ontology#Paper> , _:class ; <x:p> <{RESOURCE}> , <{RESOURCE}/a> , _:b , 1 , true ,
  "a\\nb" ,  "c"@fr , "ä \\"<x:y>\\" . "@de-Latn-x-a .
<{RESOURCE}/a> <x:q> <{RESOURCE}/a/b> , <{RESOURCE}> , <{RESOURCE}-other> .
<{RESOURCE}/a/b> <x:q> <{RESOURCE}/a> ; <http://www.w3.org/2000/01/rdf-schema#label> "part" .
<{RESOURCE}/not-linked> <x:q> 1 .
_:b <x:r> <{RESOURCE}> , <{RESOURCE}/c> .
<x:other> <x:r> <{RESOURCE}> , <{RESOURCE}/c> .
<{RESOURCE}/d> <x:r> <{RESOURCE}> .
<x:p> <http://www.w3.org/2004/02/skos/core#prefLabel> "P"@en , "PF"@fr , "PZ"@zh .
"""


def fill_store(quads: str) -> Store:
    """A store with quads in two graphs and in the unnamed graph."""
    store = Store.in_memory()
    triples = [quad.triple for quad in ox.parse(quads, ox.RdfFormat.TURTLE)]
    store.replace({"x:g": triples, "x:h": triples[::2], None: triples[::3]})
    return store


def list_described_iris(store: Store) -> list[str]:
    """Up to 100 IRIs of resources of all kinds, and RESOURCE."""
    subjects = {quad.subject.value for quad in store.match() if isinstance(quad.subject, ox.NamedNode)}
    iris = sorted(iri for iri in subjects if iri.startswith(ID))
    return sorted({RESOURCE, *random.Random(1).sample(iris, min(100, len(iris)))} & subjects)


@pytest.mark.parametrize("kind", ["shipped", "unusual"])
def test_worker_writes_the_same_description_as_the_service(filled_store: Store, kind: str) -> None:
    store = filled_store if kind == "shipped" else fill_store(UNUSUAL_QUADS)
    client, describer = make_store_client(store), ResourceDescriber()
    compared = 0
    for iri in list_described_iris(store):
        for format_ in WORKER_FORMATS:
            for accepted in LANGUAGES:
                path = iri.replace(ID, "/doc/")
                response = client.get(
                    path, headers={"Accept": format_.media_type, "Accept-Language": accepted}
                )
                assert response.status_code == 200, path
                ranges = parse_accept_language((accepted,))
                try:
                    packed = describer.describe(store, make_description_job(iri, format_, ranges, BASE))
                except QueryFault:
                    continue  # the service describes it
                description = SerializedDescription.unpack(packed)
                assert description.body == response.content, (path, format_, accepted)
                assert ", ".join(description.languages) == response.headers.get("Content-Language", "")
                compared += 1
    assert compared > (900 if kind == "shipped" else 5)


@pytest.mark.parametrize(("parts", "incoming"), [(MAX_DESCRIBED_PARTS, 0), (0, MAX_INCOMING_STATEMENTS + 1)])
def test_description_that_would_be_incomplete_is_refused(parts: int, incoming: int) -> None:
    lines = [f"<{RESOURCE}> <x:p> <{RESOURCE}/{number}> ." for number in range(parts)]
    lines += [f"<x:{number}> <x:p> <{RESOURCE}> ." for number in range(incoming)]
    job, describer = make_description_job(RESOURCE, TURTLE, (), BASE), ResourceDescriber()
    stores = Store.in_memory(), Store.in_memory()
    for store, store_lines in zip(stores, (lines, lines[1:]), strict=True):
        store.update(f"INSERT DATA {{ {' '.join(store_lines)} }}")
    with pytest.raises(QueryFault):
        describer.describe(stores[0], job)
    assert describer.describe(stores[1], job)


def test_nothing_is_described_without_a_statement() -> None:
    job = make_description_job(f"{ID}issue/nothing", TURTLE, (), BASE)
    assert not ResourceDescriber().describe(fill_store(UNUSUAL_QUADS), job)


def test_labels_and_context_follow_a_change() -> None:
    """The context is kept until a change of the ontology."""
    graph, resource = f"{BASE}graph/ontology", ox.NamedNode(RESOURCE)
    property_ = ox.NamedNode(f"{BASE}ontology#madeUp")
    store, describer = Store.in_memory(), ResourceDescriber()
    store.replace({"x:g": [ox.Triple(resource, property_, ox.NamedNode("x:value"))]})
    job = make_description_job(RESOURCE, JSON_LD, (), BASE)
    assert b'"@type": "@id"' not in describer.describe(store, job)
    changes = [
        store.compute_addition("x:g", [ox.Triple(ox.NamedNode("x:value"), RDFS_LABEL, ox.Literal("V"))]),
        store.compute_addition(graph, [ox.Triple(property_, RDF_TYPE, expand_curie("owl:ObjectProperty"))]),
    ]
    bodies = []
    for change in changes:
        store.apply(change)
        describer.forget(change)
        bodies.append(describer.describe(store, job))
    assert b'"V"' in bodies[0]
    assert b'"@type": "@id"' not in bodies[0]
    assert b'"@type": "@id"' in bodies[1]
