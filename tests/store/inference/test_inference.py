"""The bundled inference rules, and inference after a bulk load."""

from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.rdf.serialization import build_quad
from wgig.rdf.shipped import read_inference_rules
from wgig.store.change import Change, apply_change
from wgig.store.errors import InferenceTooLargeError
from wgig.store.files import ASIDE_FOLDER
from wgig.store.inference import inference
from wgig.store.inference.inference import Inference

from tests.fixtures.triples import parse_triples

PREFIXES = """
@prefix : <urn:example:> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
"""


INFERRED_GRAPH = ox.NamedNode("urn:inferred")


def make_inference() -> Inference:
    return Inference(read_inference_rules(), INFERRED_GRAPH.value, None)


def parse_quads(turtle: str, graph: str = "urn:g") -> list[ox.Quad]:
    return [build_quad(triple, ox.NamedNode(graph)) for triple in parse_triples(PREFIXES + turtle)]


def apply_with_inference(quads: ox.Store, inference: Inference, change: Change) -> None:
    """Apply a change and what follows from it, within the bounds."""
    derived = inference.derive(quads, change, is_bounded=True)
    apply_change(change.combine(derived), quads)


def inferred_triples(quads: ox.Store) -> set[ox.Triple]:
    return {quad.triple for quad in quads.quads_for_pattern(None, None, None, INFERRED_GRAPH)}


def infer_triples(turtle: str) -> set[tuple[str, str, str]]:
    """The inferred triples, with short names as terms."""
    quads = ox.Store()
    apply_with_inference(quads, make_inference(), Change((), tuple(parse_quads(turtle)), (), ("urn:g",)))
    return {
        tuple(short_name(term) for term in triple)  # type: ignore[misc]
        for triple in inferred_triples(quads)
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
        Inference(["SELECT * { ?s ?p ?o }"], "urn:inferred", None)


def test_inference_is_the_same_after_a_bulk_load_and_a_write() -> None:
    turtle = ":Cat rdfs:subClassOf :Animal . :tom a :Cat . :kit a :Cat, :Animal ."
    loaded, written = ox.Store(), ox.Store()
    loaded.bulk_extend(parse_quads(turtle))
    make_inference().rebuild(loaded)
    apply_with_inference(written, make_inference(), Change((), tuple(parse_quads(turtle)), (), ("urn:g",)))
    assert inferred_triples(loaded) == inferred_triples(written) != set()


def test_a_rebuild_removes_what_no_longer_follows(tmp_path: Path) -> None:
    quads = ox.Store(tmp_path)
    quads.extend(parse_quads(":Cat rdfs:subClassOf :Animal . :tom a :Cat ."))
    quads.extend(parse_quads(":tom a :Dog .", INFERRED_GRAPH.value))
    make_inference().rebuild(quads)
    assert {short_name(triple.object) for triple in inferred_triples(quads)} == {"Animal"}
    quads.clear_graph(ox.NamedNode("urn:g"))
    make_inference().rebuild(quads)
    assert not quads.contains_named_graph(INFERRED_GRAPH)


class FakeDescriber:
    """A describer whose graph has a type that a rule would use."""

    graphs = frozenset([ox.NamedNode("urn:described")])
    digest = "1"

    def compute_change(self, *_: object) -> Change:
        """The same quad always."""
        return Change((), tuple(parse_quads(":it a :Cat .", "urn:described")), (), ("urn:described",))


@pytest.mark.parametrize("is_rebuilt", [False, True])
def test_rules_do_not_see_descriptions(is_rebuilt: bool) -> None:
    quads = ox.Store()
    inference = Inference(read_inference_rules(), INFERRED_GRAPH.value, None, [], [FakeDescriber()])
    apply_change(inference.describe(quads, None), quads)
    change = Change((), tuple(parse_quads(":Cat rdfs:subClassOf :Animal . :Dog rdfs:subClassOf :Cat .")))
    change = change.combine(inference.derive(quads, change))
    apply_change(change, quads)
    if is_rebuilt:
        inference.rebuild(quads)
    assert not inferred_triples(quads)
    # The described triple does not count as asserted.
    apply_with_inference(quads, inference, Change((), tuple(parse_quads(":it a :Dog ."))))
    if is_rebuilt:
        inference.rebuild(quads)
    assert {short_name(triple.object) for triple in inferred_triples(quads)} == {"Cat", "Animal"}


# The second rule consults what the first infers, so the engine repeats both on a snapshot.
CONSULTING_RULES = [
    "CONSTRUCT { ?cat <urn:example:fed> <urn:example:cat> } WHERE { ?cat <urn:example:owner> ?person }",
    """CONSTRUCT { ?cat <urn:example:hungry> <urn:example:cat> }
       WHERE { ?cat a <urn:example:Cat> FILTER NOT EXISTS { ?cat <urn:example:fed> ?is_fed } }""",
]


@pytest.mark.parametrize("max_in_memory_quads", [10, 0], ids=["in memory", "on disk"])
def test_rules_that_consult_inferred_triples_run_on_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, max_in_memory_quads: int
) -> None:
    monkeypatch.setattr(inference, "MAX_IN_MEMORY_QUADS", max_in_memory_quads)
    quads = ox.Store(tmp_path / "quads")
    rules = Inference(CONSULTING_RULES, INFERRED_GRAPH.value, tmp_path, [], [FakeDescriber()])
    apply_change(rules.describe(quads, None), quads)
    cats, owners = tuple(parse_quads(":tom a :Cat . :kit a :Cat .")), tuple(parse_quads(":tom :owner :ann ."))
    for change, expected in (
        (Change((), cats + owners), {("tom", "fed"), ("kit", "hungry")}),
        (Change(owners), {("tom", "hungry"), ("kit", "hungry")}),
    ):
        apply_with_inference(quads, rules, change)
        found = inferred_triples(quads)
        assert {(short_name(cat), short_name(predicate)) for cat, predicate, _ in found} == expected
    assert (tmp_path / ASIDE_FOLDER).exists() == (not max_in_memory_quads)
    assert not (tmp_path / ASIDE_FOLDER / inference.SNAPSHOT_FOLDER).exists()


@pytest.mark.parametrize("seconds", [1, 2])
def test_the_inferred_graph_is_created_and_dropped(seconds: int) -> None:
    quads, inference = ox.Store(), make_inference()
    added = tuple(parse_quads(":Cat rdfs:subClassOf :Animal . :tom a :Cat . :kit a :Cat ."))
    derived = inference.derive(quads, Change((), added))
    assert derived.created == (INFERRED_GRAPH.value,)
    apply_change(Change((), added).combine(derived), quads)
    derived = inference.derive(quads, Change(added[1 : 1 + seconds]))
    assert derived.dropped == ((INFERRED_GRAPH.value,) if seconds == 2 else ())


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
def test_a_write_with_too_much_inference_is_refused(
    constant: str, text: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    quads, inference_ = ox.Store(), make_inference()
    turtle = ":Cat rdfs:subClassOf :Animal . :Dog rdfs:subClassOf :Animal . _:tom a :Cat . _:rex a :Dog ."
    apply_with_inference(quads, inference_, Change((), tuple(parse_quads(turtle))))
    before = set(quads)
    graph_quads = tuple(quads.quads_for_pattern(None, None, None, ox.NamedNode("urn:g")))
    monkeypatch.setattr(inference, constant, 0)
    change = Change((), tuple(parse_quads(text))) if text else Change(graph_quads)
    with pytest.raises(InferenceTooLargeError):
        inference_.derive(quads, change, is_bounded=True)
    assert set(quads) == before
    assert inference_.derive(quads, change)
    monkeypatch.undo()
    apply_with_inference(quads, inference_, change)
    assert set(quads) != before


def test_a_load_may_have_any_inference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "MAX_INFERRED_TRIPLES", 0)
    monkeypatch.setattr(inference, "MAX_INFERENCE_STEPS", 0)
    quads = ox.Store()
    quads.extend(parse_quads(":a skos:broader :b . :b skos:broader :c . :c skos:broader :d ."))
    make_inference().rebuild(quads)
    assert len(inferred_triples(quads)) == 6
