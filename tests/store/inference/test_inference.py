import io

import pyoxigraph as ox
import pytest
from wgig.rdf.serialization import parse_graph_document
from wgig.rdf.shipped import read_inference_rules
from wgig.store.store import Store

PREFIXES = """
@prefix : <urn:example:> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
"""


def inferred(turtle: str) -> set[tuple[str, str, str]]:
    store = Store.in_memory(read_inference_rules())
    store.apply(
        store.compute_addition("urn:g", parse_graph_document((PREFIXES + turtle).encode(), "text/turtle"))
    )
    return {
        tuple(short(term) for term in (one.subject, one.predicate, one.object))  # type: ignore[misc]
        for one in store.triples("urn:inferred")
    }


def short(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> str:
    return str(term.value).rpartition("#")[2].removeprefix("urn:example:")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("stated", "follows"),
    [
        (
            ":Cat rdfs:subClassOf :Mammal . :Mammal rdfs:subClassOf :Animal . :tom a :Cat .",
            {("tom", "type", "Mammal"), ("tom", "type", "Animal")},
        ),
        (":Cat rdfs:subClassOf owl:Thing . :tom a :Cat .", set()),
        (
            ":eats rdfs:subPropertyOf :likes . :likes rdfs:subPropertyOf :knows . :tom :eats :fish .",
            {("tom", "likes", "fish"), ("tom", "knows", "fish")},
        ),
        (":eats owl:inverseOf :eatenBy . :tom :eats :fish .", {("fish", "eatenBy", "tom")}),
        (":eats owl:inverseOf :eatenBy . :fish :eatenBy :tom .", {("tom", "eats", "fish")}),
        (":eats owl:inverseOf :eatenBy . :tom :eats 'fish' .", set()),
        (
            ":a skos:broader :b . :b skos:broader :c .",
            {
                ("a", "broaderTransitive", "b"),
                ("a", "broaderTransitive", "c"),
                ("b", "broaderTransitive", "c"),
            },
        ),
    ],
    ids=["classes", "thing", "properties", "inverse", "inverse-back", "no-literal", "broader"],
)
def test_a_rule_yields_what_follows_and_no_more(stated: str, follows: set[tuple[str, str, str]]) -> None:
    assert inferred(stated) == follows


def test_rules_feed_each_other() -> None:
    stated = ":eats rdfs:subPropertyOf :likes . :likes owl:inverseOf :likedBy . :tom :eats :fish ."
    assert ("fish", "likedBy", "tom") in inferred(stated)


def test_a_rule_that_is_no_construct_is_refused() -> None:
    with pytest.raises(ValueError, match="the rule is not a CONSTRUCT"):
        Store.in_memory(["SELECT * { ?s ?p ?o }"])


def test_growing_after_a_load_ends_where_recomputing_does() -> None:
    data = PREFIXES + ":Cat rdfs:subClassOf :Animal . :tom a :Cat . :kit a :Cat, :Animal ."
    grown, computed = Store.in_memory(read_inference_rules()), Store.in_memory(read_inference_rules())
    grown.bulk_load(io.BytesIO(data.encode()), ox.RdfFormat.TURTLE, "urn:g")
    grown.infer()
    computed.apply(computed.compute_addition("urn:g", parse_graph_document(data.encode(), "text/turtle")))
    assert set(grown.triples("urn:inferred")) == set(computed.triples("urn:inferred")) != set()
