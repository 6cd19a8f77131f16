"""Incremental inference yields the same triples as running the rules over all quads (full inference).

A rule has premises, which are matched with a change, and consults other triples, such as those of a path; a
change of consulted triples causes full inference.
"""

import random
from collections.abc import Sequence

import pyoxigraph as ox
import pytest
from wgig.rdf.namespaces import namespaces_by_prefix
from wgig.rdf.serialization import build_quad
from wgig.rdf.shipped import read_inference_rules
from wgig.seed import refresh_shipped_graphs
from wgig.settings import Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store.change import Change
from wgig.store.inference.inference import Inference
from wgig.store.inference.rule import InferenceRule
from wgig.store.store import Store

from tests.fixtures.triples import parse_triples

NAMESPACES = namespaces_by_prefix(Settings.base)
PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in NAMESPACES.items())
CONSULTED_GRAPH, ASSERTED_GRAPH = ox.NamedNode("urn:consulted"), ox.NamedNode("urn:g")
WRITE_COUNT = 40  # random writes of papers
StoreWithInference = tuple[ox.Store, Inference]
ASSERTED_GRAPHS: list[ox.NamedNode | ox.DefaultGraph] = [
    ox.DefaultGraph(),
    ASSERTED_GRAPH,
    ox.NamedNode("urn:h"),
]

# Random triples match the premises of every rule. There are few resources, so that many triples depend on
# each other, and many are inferred in two ways.
RESOURCES = ["<urn:a>", "<urn:b>", "<urn:c>", "_:d"]
OBJECTS_BY_PROPERTY = {
    "a": ["cito:Citation", "wgig:Milestone", "wgig:IssuePaper", "<urn:Cat>", "<urn:Mammal>"],
    "cito:hasCitingEntity": RESOURCES,
    "cito:hasCitedEntity": RESOURCES,
    "wgig:due": ['"2005-01-25"^^xsd:date', '"2005-02-03"^^xsd:date', '"2005-02"'],
    "wgig:delivered": ['"2005-02-01"^^xsd:date', '"2005-03-09"^^xsd:date'],
    "<urn:eats>": [*RESOURCES, '"fish"', "007"],
    "<urn:likes>": RESOURCES,
    "<urn:likedBy>": RESOURCES,
    "wgig:relation": ['"exact"', '"related"'],
    "wgig:confidence": ["confidence:high", "confidence:medium"],
    "wgig:identifierScheme": ['"Wikidata"', '"official site"'],
    "wgig:identifies": RESOURCES,
    "wgig:target": ["<urn:x>", "<urn:y>"],
    "wgig:issue": RESOURCES,
    "wgig:assessment": RESOURCES,
    "wgig:criterion": ["<urn:x>", "<urn:y>"],
    "wgig:category": [*RESOURCES, "<urn:x>"],
    "wgig:bearsOn": [*RESOURCES, "<urn:y>"],
    "skos:relatedMatch": RESOURCES,
    "skos:broaderTransitive": RESOURCES,
}
CONSULTED_STATEMENTS = {
    "<urn:x>": {"skos:inScheme": ["scheme:categories-2004"]},
    "<urn:y>": {"skos:inScheme": ["scheme:policy-areas-2005"], "skos:broader": ["<urn:x>"]},
    "<urn:b>": {"skos:inScheme": ["<urn:scheme>"]},
    "<urn:Cat>": {"rdfs:subClassOf": ["<urn:Mammal>", "wgig:Milestone"]},
    "<urn:Mammal>": {"rdfs:subClassOf": ["<urn:Animal>", "cito:Citation"]},
    "<urn:eats>": {"rdfs:subPropertyOf": ["<urn:likes>", "wgig:issue"]},
    "cito:cites": {"rdfs:subPropertyOf": ["<urn:likes>"]},
    "<urn:likes>": {"owl:inverseOf": ["<urn:likedBy>"], "rdfs:subPropertyOf": ["<urn:knows>"]},
    "skos:relatedMatch": {"rdfs:subPropertyOf": ["wgig:category"]},
    "skos:broader": {"rdfs:subPropertyOf": ["skos:broaderTransitive"]},
}


def parse_prefixed(text: str) -> list[ox.Triple]:
    return parse_triples(PREFIXES + text)


def add_turtle(quads: ox.Store, turtle: str) -> Change:
    """Add triples to ASSERTED_GRAPH, and return the change."""
    return change_quads(quads, [], [build_quad(triple, ASSERTED_GRAPH) for triple in parse_prefixed(turtle)])


@pytest.fixture
def store_with_inference() -> StoreWithInference:
    """A store with the triples that the rules consult, and its inference."""
    quads, inference = ox.Store(), Inference(read_inference_rules(), "urn:inferred", None)
    text = "".join(
        f"{resource} {property_} {', '.join(objects)} .\n"
        for resource, objects_by_property in CONSULTED_STATEMENTS.items()
        for property_, objects in objects_by_property.items()
    )
    quads.extend(build_quad(triple, CONSULTED_GRAPH) for triple in parse_prefixed(text))
    inference.apply(quads, None)  # None: an unknown change, so full inference
    return quads, inference


def random_quad(rng: random.Random) -> ox.Quad:
    property_ = rng.choice([*OBJECTS_BY_PROPERTY])
    subject, object_ = rng.choice(RESOURCES), rng.choice(OBJECTS_BY_PROPERTY[property_])
    (triple,) = parse_prefixed(f"{subject} {property_} {object_} .")
    return build_quad(triple, rng.choice(ASSERTED_GRAPHS))


def change_quads(quads: ox.Store, removed: Sequence[ox.Quad], added: Sequence[ox.Quad]) -> Change:
    """Remove and add quads, and return the change."""
    before = set(quads)
    for quad in removed:
        quads.remove(quad)
    quads.extend(added)
    after = set(quads)
    return Change(tuple(before - after), tuple(after - before))


def list_asserted_quads(quads: ox.Store, inference: Inference) -> list[ox.Quad]:
    return [quad for quad in quads if quad.graph_name not in (CONSULTED_GRAPH, inference.graph)]


def change_randomly(quads: ox.Store, inference: Inference, rng: random.Random) -> Change:
    """Remove up to 7 asserted quads, add up to 8 random ones, and return the change."""
    asserted = list_asserted_quads(quads, inference)
    removed = rng.sample(asserted, min(len(asserted), rng.randrange(8)))
    return change_quads(quads, removed, [random_quad(rng) for _ in range(rng.randrange(9))])


@pytest.mark.parametrize("seed", range(6))
def test_many_changes_yield_the_same_triples_as_full_inference(
    store_with_inference: StoreWithInference, seed: int
) -> None:
    quads, inference = store_with_inference
    rng = random.Random(seed)
    removing_changes = 0  # changes after which inferred triples are removed
    for _ in range(100):
        change = change_randomly(quads, inference, rng)
        full_change = inference.apply(quads, change)
        assert full_change is not None
        removing_changes += len(full_change.removed) > len(change.removed)
        assert inference.compute_full_difference(quads) == (set(), set())
    assert removing_changes > 30


@pytest.mark.parametrize("seed", range(4))
def test_an_interrupted_inference_is_completed(store_with_inference: StoreWithInference, seed: int) -> None:
    quads, inference = store_with_inference
    rng = random.Random(seed)
    for _ in range(60):
        change = change_randomly(quads, inference, rng)
        difference = inference.reasoner.compute_difference(quads, change)
        assert difference is not None
        half_difference = ({triple for triple in triples if rng.random() < 0.5} for triples in difference)
        inference.write_difference(quads, *half_difference)
        # After an interruption, the change may name more quads than were changed.
        asserted = list_asserted_quads(quads, inference)
        more_added, more_removed = (rng.sample(asserted, min(len(asserted), 5)) for _ in range(2))
        difference = inference.reasoner.compute_difference(
            quads, Change((*change.removed, *more_removed), (*change.added, *more_added))
        )
        assert difference is not None
        inference.write_difference(quads, *difference)
        assert inference.compute_full_difference(quads) == (set(), set())


def test_a_triple_with_two_inferred_premises_is_inferred(store_with_inference: StoreWithInference) -> None:
    quads, inference = store_with_inference
    turtle = "<urn:a> a wgig:IssuePaper ; <urn:eats> <urn:b> . <urn:b> skos:relatedMatch <urn:c> ."
    change = inference.apply(quads, add_turtle(quads, turtle))
    assert change is not None
    (inferred,) = parse_prefixed("<urn:a> wgig:category <urn:c> .")
    assert build_quad(inferred, inference.graph) in change.added
    assert inference.compute_full_difference(quads) == (set(), set())


def test_an_inferred_triple_that_rules_consult_causes_full_inference(
    store_with_inference: StoreWithInference,
) -> None:
    quads, inference = store_with_inference
    property_hierarchy = "<urn:kindOf> rdfs:subPropertyOf rdfs:subClassOf . <urn:tom> a <urn:Pet> ."
    for turtle in (property_hierarchy, "<urn:Pet> <urn:kindOf> <urn:Animal> ."):
        inference.apply(quads, add_turtle(quads, turtle))
    (inferred,) = parse_prefixed("<urn:tom> a <urn:Animal> .")
    assert build_quad(inferred, inference.graph) in quads


@pytest.mark.parametrize(
    "where",
    [
        "?a <urn:p> ?b FILTER EXISTS { ?b ?any ?c }",
        "?a <urn:p> ?b . ?b <urn:q>/<urn:r>+ ?c ; ?any ?d .",
        "?a <urn:p> ?b . ?b (<urn:q>|<urn:r>)+ ?c .",
        "?a <urn:p> ?b . ?b !<urn:q> ?c .",
        "?a <urn:p> ?b . ?b <urn:q> [ <urn:r> ?c ] .",
        "?a <urn:p> ?b . ?b <urn:q> _:c .",
        "?a <urn:p> ?b . ?b <urn:q> (?c) .",
    ],
)
def test_a_rule_with_unknown_consulted_properties_is_refused(where: str) -> None:
    with pytest.raises(ValueError, match="a rule"):
        InferenceRule(f"CONSTRUCT {{ ?a <urn:s> ?b }} WHERE {{ {where} }}")


def test_a_rule_is_parsed_into_its_parts() -> None:
    rule = InferenceRule("""PREFIX u: <urn:> CONSTRUCT { ?a u:s ?b ; a u:C } WHERE {
        VALUES (?kind ?c) { (u:k u:l) } ?a u:p ?b ; u:kind ?kind FILTER(?b != u:no) ?b u:q+ "x; .", ?d .
        { SELECT DISTINCT ?d { ?d a u:D MINUS { ?d u:r ?e } } } BIND(IF(EXISTS { ?a u:t ?f }, 1, 2) AS ?n)
    }""")
    a, b, kind = map(ox.Variable, ("a", "b", "kind"))
    assert rule.premises == [(a, ox.NamedNode("urn:p"), b), (a, ox.NamedNode("urn:kind"), kind)]
    assert [subject for subject, _, _ in rule.conclusions] == [a, a]
    consulted = {iri.value.rpartition(":")[2].rpartition("#")[2] for iri in rule.consulted_properties}
    assert consulted == {"q", "type", "D", "r", "t"}
    assert rule.uses_exists


def test_an_inverse_path_is_consulted_and_a_datatype_is_not() -> None:
    rule = InferenceRule("""PREFIX u: <urn:> CONSTRUCT { ?a u:s ?b } WHERE {
        ?a u:p ?b ; u:n "1"^^u:d . ?b ^u:q ?a }""")
    assert [str(property_) for _, property_, _ in rule.premises] == ["<urn:p>", "<urn:n>"]
    assert rule.consulted_properties == {ox.NamedNode("urn:q")}


@pytest.fixture
def store() -> Store:
    """The bundled graphs, with the conformance graph and the inferred graph."""
    store = Store.in_memory(
        read_inference_rules(),
        f"{NAMESPACES['graph']}inferred",
        [ConformanceGraph(Settings.base, Settings.shacl)],
    )
    refresh_shipped_graphs(store, Settings.base)
    return store


def recompute_quads(store: Store) -> set[ox.Quad]:
    """The asserted quads of a store, with conformance graph and inferred graph computed from scratch."""
    conformance = ConformanceGraph(Settings.base, Settings.shacl)
    inference = Inference(read_inference_rules(), f"{NAMESPACES['graph']}inferred", None, [conformance])
    quads = ox.Store()
    quads.extend(quad for quad in store._quads if quad.graph_name not in (conformance.graph, inference.graph))
    inference.apply(quads, None)
    return set(quads)


def test_writes_of_papers_yield_the_same_quads_as_full_inference(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(1)
    papers = [graph for graph in store.graphs() if graph.startswith(f"{NAMESPACES['graph']}paper/")]
    original_triples = {graph: list(store.triples(graph)) for graph in papers}
    monkeypatch.delattr(Inference, "compute_full_difference")  # full inference would fail
    for write_type in rng.choices(["replace", "delete", "add", "update"], k=WRITE_COUNT):
        graph, other_graph = rng.sample(papers, 2)
        some_triples = [triple for triple in original_triples[other_graph] if rng.random() < 0.8]
        if write_type == "replace":
            store.replace({graph: original_triples[graph], other_graph: some_triples})
        elif write_type == "delete":
            store.apply(store.compute_replacement(graph, None))
        elif write_type == "add":
            store.apply(store.compute_addition(graph, some_triples))
        else:
            lines = "\n".join(
                f"{triple} ." for triple in some_triples if ox.BlankNode not in map(type, triple)
            )
            store.update(f"DELETE DATA {{ GRAPH <{other_graph}> {{ {lines} }} }}")
    monkeypatch.undo()
    assert set(store._quads) == recompute_quads(store)
