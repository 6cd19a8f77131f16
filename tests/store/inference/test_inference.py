"""The bundled inference rules, and inference after a bulk load."""

import io

import pyoxigraph as ox
import pytest
from wgig.rdf.serialization import parse_graph_document
from wgig.rdf.shipped import read_inference_rules
from wgig.store.errors import InferenceTooLargeError
from wgig.store.inference import inference
from wgig.store.store import Store

from tests.fixtures.triples import parse_triples

PREFIXES = """
@prefix : <urn:example:> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
"""


def infer_triples(turtle: str) -> set[tuple[str, str, str]]:
    """The inferred triples, with short names as terms."""
    store = Store.in_memory(read_inference_rules())
    store.apply(
        store.compute_addition("urn:g", parse_graph_document((PREFIXES + turtle).encode(), "text/turtle"))
    )
    return {
        tuple(short_name(term) for term in triple)  # type: ignore[misc]
        for triple in store.triples("urn:inferred")
    }


def short_name(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> str:
    return str(term.value).rpartition("#")[2].removeprefix("urn:example:")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("turtle", "expected"),
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
def test_the_rules_yield_only_the_expected_triples(turtle: str, expected: set[tuple[str, str, str]]) -> None:
    assert infer_triples(turtle) == expected


def test_a_rule_uses_the_results_of_another_rule() -> None:
    turtle = ":eats rdfs:subPropertyOf :likes . :likes owl:inverseOf :likedBy . :tom :eats :fish ."
    assert ("fish", "likedBy", "tom") in infer_triples(turtle)


def test_a_rule_that_is_not_a_construct_query_is_refused() -> None:
    with pytest.raises(ValueError, match="the rule is not a CONSTRUCT"):
        Store.in_memory(["SELECT * { ?s ?p ?o }"])


def test_inference_is_the_same_after_a_bulk_load_and_a_write() -> None:
    data = PREFIXES + ":Cat rdfs:subClassOf :Animal . :tom a :Cat . :kit a :Cat, :Animal ."
    loaded, written = Store.in_memory(read_inference_rules()), Store.in_memory(read_inference_rules())
    loaded.bulk_load(io.BytesIO(data.encode()), ox.RdfFormat.TURTLE, "urn:g")
    loaded.infer()
    written.apply(written.compute_addition("urn:g", parse_graph_document(data.encode(), "text/turtle")))
    assert set(loaded.triples("urn:inferred")) == set(written.triples("urn:inferred")) != set()


@pytest.mark.parametrize(
    ("constant", "text"),
    [
        ("MAX_INFERRED_TRIPLES", "_:x a :Cat , :Dog ."),
        ("MAX_INFERENCE_STEPS", "_:x a :Cat , :Dog ."),
        (
            "MAX_INFERRED_TRIPLES",
            ":Animal rdfs:subClassOf :Being , :Thing .",
        ),  # all rules run over everything
        ("MAX_INFERENCE_STEPS", ":Animal rdfs:subClassOf :Being , :Thing ."),
        ("MAX_INFERRED_TRIPLES", None),  # the graph is dropped
    ],
)
def test_a_write_with_too_much_inference_is_undone(
    constant: str, text: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.in_memory(read_inference_rules())
    store.apply(
        store.compute_addition(
            "urn:g",
            parse_triples(
                f"{PREFIXES} :Cat rdfs:subClassOf :Animal . :Dog rdfs:subClassOf :Animal . "
                "_:tom a :Cat . _:rex a :Dog ."
            ),
        )
    )
    before, version = set(store._quads), store.version
    monkeypatch.setattr(inference, constant, 0)
    change = (
        store.compute_addition("urn:g", parse_triples(PREFIXES + text))
        if text
        else store.compute_replacement("urn:g", None)
    )
    with pytest.raises(InferenceTooLargeError):
        store.apply(change)
    assert set(store._quads) == before
    assert store.version > version  # a response that was cached meanwhile is not used again
    monkeypatch.undo()
    store.apply(change)
    assert set(store._quads) != before


def test_a_load_may_have_any_inference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "MAX_INFERRED_TRIPLES", 0)
    monkeypatch.setattr(inference, "MAX_INFERENCE_STEPS", 0)
    store = Store.in_memory(read_inference_rules())
    store.replace({"urn:g": parse_triples(PREFIXES + ":a skos:broader :b . :b skos:broader :c .")})
    store.bulk_load(io.BytesIO(f"{PREFIXES} :c skos:broader :d .".encode()), ox.RdfFormat.TURTLE, "urn:h")
    store.infer()
    assert len(list(store.triples("urn:inferred"))) == 6
