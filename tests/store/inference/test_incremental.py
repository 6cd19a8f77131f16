"""Incremental inference yields the same triples as running the rules over all quads (full inference).

A rule has premises, which are matched with a change, and consults other triples, such as those of a path; a
change of consulted triples causes full inference.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.rdf.serialization import build_quad, normalize_quads
from wgig.rdf.shipped import read_inference_rules, read_turtle_files, shipped_triples
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.store.change import Change, apply_change, iter_graph_quads
from wgig.store.commit import NO_CHECKED_QUADS, CheckedQuads
from wgig.store.inference.inference import Inference
from wgig.store.inference.plan import StepCounter
from wgig.store.inference.rule import InferenceRule
from wgig.store.overlay import QuadSource
from wgig_client.namespaces import namespaces_by_prefix

from tests.fixtures.triples import parse_triples

NAMESPACES = namespaces_by_prefix(Settings.base)
PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in NAMESPACES.items())
CONSULTED_GRAPH, ASSERTED_GRAPH = ox.NamedNode("urn:consulted"), ox.NamedNode("urn:g")
WRITE_COUNT = 20  # random writes of papers
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


def find_addition(quads: ox.Store, turtle: str) -> Change:
    """The change that adds triples to ASSERTED_GRAPH."""
    return find_exact_change(
        quads, [], [build_quad(triple, ASSERTED_GRAPH) for triple in parse_prefixed(turtle)]
    )


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
    inference.rebuild(quads)
    return quads, inference


def random_quad(rng: random.Random) -> ox.Quad:
    property_ = rng.choice([*OBJECTS_BY_PROPERTY])
    subject, object_ = rng.choice(RESOURCES), rng.choice(OBJECTS_BY_PROPERTY[property_])
    (triple,) = parse_prefixed(f"{subject} {property_} {object_} .")
    return build_quad(triple, rng.choice(ASSERTED_GRAPHS))


def find_exact_change(quads: ox.Store, removed: Sequence[ox.Quad], added: Sequence[ox.Quad]) -> Change:
    """The change that removes and adds these quads, without those that change nothing."""
    normalized = ox.Store()
    normalized.extend(added)
    before = set(quads)
    after = before.difference(removed).union(normalized)
    return Change(tuple(before - after), tuple(after - before))


def list_asserted_quads(quads: ox.Store, inference: Inference) -> list[ox.Quad]:
    return [quad for quad in quads if quad.graph_name not in (CONSULTED_GRAPH, inference.graph)]


def change_randomly(quads: ox.Store, inference: Inference, rng: random.Random) -> Change:
    """The change that removes up to 7 asserted quads, and adds up to 8 random ones."""
    asserted = list_asserted_quads(quads, inference)
    removed = rng.sample(asserted, min(len(asserted), rng.randrange(8)))
    return find_exact_change(quads, removed, [random_quad(rng) for _ in range(rng.randrange(9))])


def assert_complete(quads: ox.Store, inference: Inference) -> None:
    """Compare the inferred graph with the results of the rules when the engine runs them over everything."""
    copy = ox.Store()
    copy.extend(quad for quad in quads if quad.graph_name != inference.graph)
    expected = inference.infer_all(copy, Change(), set(), StepCounter())
    assert {quad.triple for quad in iter_graph_quads(quads, inference.graph)} == expected
    assert quads.contains_named_graph(inference.graph) == bool(expected)
    assert inference.compute_full_difference(quads) == (set(), set())


def apply_derived(quads: ox.Store, inference: Inference, change: Change) -> Change:
    """Apply a change and what `derive` returns for it; return the latter."""
    before = set(quads)
    derived = inference.derive(quads, change)
    assert set(quads) == before
    assert not set(derived.added) & before
    assert before.issuperset(derived.removed)
    apply_change(change, quads)
    apply_change(derived, quads)
    return derived


@pytest.mark.parametrize("seed", range(6))
def test_many_changes_yield_the_same_triples_as_full_inference(
    store_with_inference: StoreWithInference, seed: int
) -> None:
    quads, inference = store_with_inference
    rng = random.Random(seed)
    removing_changes = 0  # changes after which inferred triples are removed
    for _ in range(50):
        derived = apply_derived(quads, inference, change_randomly(quads, inference, rng))
        removing_changes += bool(derived.removed)
        assert_complete(quads, inference)
    assert removing_changes > 15


@pytest.mark.parametrize("seed", range(3))
def test_a_rebuild_yields_the_same_triples_as_many_changes(
    store_with_inference: StoreWithInference, seed: int
) -> None:
    quads, inference = store_with_inference
    rng = random.Random(seed)
    for _ in range(20):
        apply_derived(quads, inference, change_randomly(quads, inference, rng))
        before = set(quads)
        inference.rebuild(quads)
        assert set(quads) == before
        assert_complete(quads, inference)


def test_a_triple_with_two_inferred_premises_is_inferred(store_with_inference: StoreWithInference) -> None:
    quads, inference = store_with_inference
    turtle = "<urn:a> a wgig:IssuePaper ; <urn:eats> <urn:b> . <urn:b> skos:relatedMatch <urn:c> ."
    change = apply_derived(quads, inference, find_addition(quads, turtle))
    (inferred,) = parse_prefixed("<urn:a> wgig:category <urn:c> .")
    assert build_quad(inferred, inference.graph) in change.added
    assert_complete(quads, inference)


def test_an_inferred_triple_that_rules_consult_causes_full_inference(
    store_with_inference: StoreWithInference,
) -> None:
    quads, inference = store_with_inference
    property_hierarchy = "<urn:kindOf> rdfs:subPropertyOf rdfs:subClassOf . <urn:tom> a <urn:Pet> ."
    for turtle in (property_hierarchy, "<urn:Pet> <urn:kindOf> <urn:Animal> ."):
        apply_derived(quads, inference, find_addition(quads, turtle))
    (inferred,) = parse_prefixed("<urn:tom> a <urn:Animal> .")
    assert build_quad(inferred, inference.graph) in quads
    assert_complete(quads, inference)
    inference.rebuild(quads)
    assert_complete(quads, inference)


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


def test_the_part_of_a_rule_that_it_consults_is_a_query() -> None:
    rule = InferenceRule("""PREFIX u: <urn:> CONSTRUCT { ?b ?c ?a } WHERE {
        ?a ?b ?d . ?b u:q+|^u:r ?c FILTER(!isLiteral(?a)) { SELECT ?d { ?d a u:D } } }""")
    query = "PREFIX u: <urn:>  SELECT DISTINCT * WHERE { ?b u:q+|^u:r ?c  . { SELECT ?d { ?d a u:D } } }"
    assert rule.consulted_query == query
    assert rule.type_tests == [(ox.Variable("a"), ox.Literal, True)]


@pytest.mark.parametrize(
    "where",
    [
        "?a <urn:p> ?b FILTER(?a != ?b)",
        "?a <urn:p> ?b FILTER NOT EXISTS { ?b <urn:q> ?c }",
        "?a <urn:p> ?b OPTIONAL { ?b <urn:q> ?c }",
        "?a <urn:p> ?b BIND(1 AS ?c)",
        "?a <urn:p> ?b FILTER(isIRI(?a) && isIRI(?b))",
        "{ ?a <urn:p> ?b } UNION { ?a <urn:q> ?b }",
        "VALUES (?a) { (<urn:x>) } ?a <urn:p> ?b",
        "?a <urn:p> ?b } LIMIT (1",
    ],
)
def test_only_the_engine_evaluates_a_rule_with_other_clauses(where: str) -> None:
    assert InferenceRule(f"CONSTRUCT {{ ?a <urn:s> ?b }} WHERE {{ {where} }}").consulted_query is None


# Rules with each kind of clause, which depend on each other.
VARIED_RULES = [
    "CONSTRUCT { ?a <urn:r> ?c } WHERE { ?a <urn:p> ?b . ?b <urn:p> ?c }",
    "CONSTRUCT { ?a <urn:p> ?c . ?c <urn:r> ?a } WHERE { ?a <urn:r> ?b , ?c . ?c a <urn:C> }",
    "CONSTRUCT { ?a <urn:s> ?a } WHERE { ?a ?any ?a FILTER(isIRI(?a)) }",
    "CONSTRUCT { ?b ?above ?a } WHERE { ?a ?p ?b . ?p <urn:under>+ ?above FILTER(!isBlank(?b)) }",
    "CONSTRUCT { ?a a <urn:C> ; <urn:t> ?unbound } WHERE { ?a <urn:s> ?b FILTER(?a != <urn:a>) }",
    "CONSTRUCT { ?a <urn:t> ?n } WHERE { ?a <urn:p> ?b BIND(IF(EXISTS { ?b <urn:k> ?x }, 1, 2) AS ?n) }",
    "CONSTRUCT { ?a <urn:k2> ?b } WHERE { ?a a <urn:C> { ?b <urn:k> ?c MINUS { ?c <urn:k> ?d } } }",
    "CONSTRUCT { ?a <urn:k3> ?d } WHERE { ?a a <urn:C> { ?b <urn:k> ?c OPTIONAL { ?c <urn:k> ?d } } }",
]
VARIED_TERMS: list[ox.NamedNode | ox.BlankNode] = [
    ox.NamedNode("urn:a"),
    ox.NamedNode("urn:b"),
    ox.BlankNode("c"),
]
VARIED_OBJECTS: list[ox.NamedNode | ox.BlankNode | ox.Literal] = [*VARIED_TERMS, ox.Literal("d")]
VARIED_PROPERTIES = ["urn:p", "urn:r", "urn:s", "urn:t", "urn:k2"]
VARIED_FACTS = """<urn:p> <urn:under> <urn:r> . <urn:t> <urn:under> <urn:s> . <urn:a> <urn:k> <urn:b> .
    <urn:b> <urn:k> "b" ."""


@pytest.mark.parametrize("seed", range(4))
def test_rules_of_all_kinds_yield_the_same_triples_as_the_engine(seed: int) -> None:
    rng = random.Random(seed)
    quads, inference = ox.Store(), Inference(VARIED_RULES, "urn:inferred", None)
    quads.extend(build_quad(triple, CONSULTED_GRAPH) for triple in parse_prefixed(VARIED_FACTS))
    inference.rebuild(quads)
    for _ in range(60):
        asserted = list_asserted_quads(quads, inference)
        added = [
            ox.Quad(
                rng.choice(VARIED_TERMS),
                ox.NamedNode(rng.choice(VARIED_PROPERTIES)),
                rng.choice(VARIED_OBJECTS),
                rng.choice(ASSERTED_GRAPHS),
            )
            for _ in range(rng.randrange(3))
        ]
        removed = rng.sample(asserted, min(len(asserted), rng.randrange(4)))
        apply_derived(quads, inference, find_exact_change(quads, removed, added))
        assert_complete(quads, inference)
    inference.rebuild(quads)
    assert_complete(quads, inference)


class FakeComputedGraph:
    """A computed graph that counts the citations in the store, as a premise of rules."""

    graph = ox.NamedNode("urn:computed")
    digest = "1"

    def iter_changes(
        self,
        quads: QuadSource,
        change: Change | None,  # noqa: ARG002
        checked_quads: CheckedQuads = NO_CHECKED_QUADS,  # noqa: ARG002
        snapshot: Path | None = None,  # noqa: ARG002
    ) -> Iterator[Change]:
        """Replace the count, in two batches."""
        count = sum(1 for _ in quads.quads_for_pattern(None, ox.NamedNode("urn:eats"), None, None))
        old = set(quads.quads_for_pattern(None, None, None, self.graph))
        new = {ox.Quad(ox.NamedNode("urn:it"), ox.NamedNode("urn:eats"), ox.Literal(str(count)), self.graph)}
        created = () if quads.contains_named_graph(self.graph) else (self.graph.value,)
        yield Change(tuple(old - new))
        yield Change((), tuple(new - old), (), created)


def test_rules_see_the_computed_graphs(store_with_inference: StoreWithInference) -> None:
    quads, _ = store_with_inference
    inference = Inference(read_inference_rules(), "urn:inferred", None, [FakeComputedGraph()])
    inference.rebuild(quads)
    (first,) = quads.quads_for_pattern(ox.NamedNode("urn:it"), ox.NamedNode("urn:likes"), None)
    derived = apply_derived(quads, inference, find_addition(quads, "<urn:a> <urn:eats> <urn:b> ."))
    (second,) = quads.quads_for_pattern(ox.NamedNode("urn:it"), ox.NamedNode("urn:likes"), None)
    assert first.object != second.object
    assert derived.graphs == {"urn:computed", "urn:inferred"}
    assert_complete(quads, inference)


def read_papers() -> dict[ox.NamedNode, list[ox.Quad]]:
    """The quads of the shipped papers, by graph."""
    return {
        graph: list(normalize_quads(read_turtle_files([path]), graph))
        for path in sorted(SHIPPED_FOLDER.glob("data/papers/*.ttl"))
        for graph in [ox.NamedNode(f"{NAMESPACES['graph']}paper/{path.stem}")]
    }


def test_writes_of_papers_yield_the_same_quads_as_full_inference(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)
    quads, inference = ox.Store(), Inference(read_inference_rules(), f"{NAMESPACES['graph']}inferred", None)
    papers = read_papers()
    quads.extend(
        build_quad(triple, CONSULTED_GRAPH) for triple in shipped_triples("ontology/*.ttl", "data/*.ttl")
    )
    quads.extend(quad for paper in papers.values() for quad in paper)
    inference.rebuild(quads)
    assert_complete(quads, inference)
    monkeypatch.delattr(Inference, "compute_full_difference")  # full inference would fail
    for write_type in rng.choices(["replace", "delete", "add"], k=WRITE_COUNT):
        paper, other_paper = rng.sample([*papers.values()], 2)
        graph = paper[0].graph_name
        assert isinstance(graph, ox.NamedNode)
        others = [build_quad(quad.triple, graph) for quad in other_paper if rng.random() < 0.8]
        stored = list(iter_graph_quads(quads, graph))
        removed = [] if write_type == "add" else stored
        added = {"replace": paper, "delete": [], "add": others}[write_type]
        apply_derived(quads, inference, find_exact_change(quads, removed, added))
    monkeypatch.undo()
    assert_complete(quads, inference)
