"""What is kept in line with each change is what the rules yield over everything, at every moment."""

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

KNOWN = namespaces_by_prefix(Settings.base)
PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in KNOWN.items())
CONSULTED, GRAPH = ox.NamedNode("urn:consulted"), ox.NamedNode("urn:g")
WRITES = 40
GRAPHS: list[ox.NamedNode | ox.DefaultGraph] = [ox.DefaultGraph(), GRAPH, ox.NamedNode("urn:h")]

# Every rule finds its premises here, of few things, so that much hangs together and much rests on two legs.
THINGS = ["<urn:a>", "<urn:b>", "<urn:c>", "_:d"]
SAID = {
    "a": ["cito:Citation", "wgig:Milestone", "wgig:IssuePaper", "<urn:Cat>", "<urn:Mammal>"],
    "cito:hasCitingEntity": THINGS,
    "cito:hasCitedEntity": THINGS,
    "wgig:due": ['"2005-01-25"^^xsd:date', '"2005-02-03"^^xsd:date', '"2005-02"'],
    "wgig:delivered": ['"2005-02-01"^^xsd:date', '"2005-03-09"^^xsd:date'],
    "<urn:eats>": [*THINGS, '"fish"', "007"],
    "<urn:likes>": THINGS,
    "<urn:likedBy>": THINGS,
    "wgig:relation": ['"exact"', '"related"'],
    "wgig:confidence": ["confidence:high", "confidence:medium"],
    "wgig:identifierScheme": ['"Wikidata"', '"official site"'],
    "wgig:identifies": THINGS,
    "wgig:target": ["<urn:x>", "<urn:y>"],
    "wgig:issue": THINGS,
    "wgig:assessment": THINGS,
    "wgig:criterion": ["<urn:x>", "<urn:y>"],
    "wgig:category": [*THINGS, "<urn:x>"],
    "wgig:bearsOn": [*THINGS, "<urn:y>"],
    "skos:relatedMatch": THINGS,
    "skos:broaderTransitive": THINGS,
}
SCHEMA = {
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


@pytest.fixture
def world() -> tuple[ox.Store, Inference]:
    """A small store with what the rules consult, and the inference over it."""
    quads, inference = ox.Store(), Inference(read_inference_rules(), "urn:inferred", None)
    text = "".join(
        f"{thing} {name} {', '.join(ends)} .\n"
        for thing, said in SCHEMA.items()
        for name, ends in said.items()
    )
    quads.extend(build_quad(one, CONSULTED) for one in parse_prefixed(text))
    inference.apply(quads, None)
    return quads, inference


def drawn(chance: random.Random) -> ox.Quad:
    name = chance.choice([*SAID])
    (triple,) = parse_prefixed(f"{chance.choice(THINGS)} {name} {chance.choice(SAID[name])} .")
    return build_quad(triple, chance.choice(GRAPHS))


def written(quads: ox.Store, gone: Sequence[ox.Quad], come: Sequence[ox.Quad]) -> Change:
    """Take quads out and put others in; what that changed."""
    before = set(quads)
    for one in gone:
        quads.remove(one)
    quads.extend(come)
    after = set(quads)
    return Change(tuple(before - after), tuple(after - before))


@pytest.mark.parametrize("seed", range(6))
def test_small_changes_end_where_running_the_rules_over_everything_does(
    world: tuple[ox.Store, Inference], seed: int
) -> None:
    quads, inference = world
    chance = random.Random(seed)
    rested = 0
    for _ in range(100):
        stated = [one for one in quads if one.graph_name not in (CONSULTED, inference.graph)]
        gone = chance.sample(stated, min(len(stated), chance.randrange(8)))
        change = written(quads, gone, [drawn(chance) for _ in range(chance.randrange(9))])
        told = inference.apply(quads, change)
        assert told is not None
        rested += len(told.removed) > len(change.removed)
        assert inference.compare_anew(quads) == (set(), set())
    assert rested > 30


@pytest.mark.parametrize("seed", range(4))
def test_what_was_cut_off_on_the_way_there_is_brought_to_its_end(
    world: tuple[ox.Store, Inference], seed: int
) -> None:
    quads, inference = world
    chance = random.Random(seed)
    for _ in range(60):
        stated = [one for one in quads if one.graph_name not in (CONSULTED, inference.graph)]
        gone = chance.sample(stated, min(len(stated), chance.randrange(8)))
        change = written(quads, gone, [drawn(chance) for _ in range(chance.randrange(9))])
        found = inference.reasoner.compute_difference(quads, change)
        assert found is not None
        inference.write(quads, *({one for one in those if chance.random() < 0.5} for those in found))
        kept = [one for one in quads if one.graph_name not in (CONSULTED, inference.graph)]
        more, less = (chance.sample(kept, min(len(kept), 5)) for _ in range(2))
        found = inference.reasoner.compute_difference(
            quads, Change((*change.removed, *less), (*change.added, *more))
        )
        assert found is not None
        inference.write(quads, *found)
        assert inference.compare_anew(quads) == (set(), set())


def test_what_follows_from_two_things_that_follow_is_found(world: tuple[ox.Store, Inference]) -> None:
    quads, inference = world
    said = "<urn:a> a wgig:IssuePaper ; <urn:eats> <urn:b> . <urn:b> skos:relatedMatch <urn:c> ."
    told = inference.apply(
        quads, written(quads, [], [build_quad(one, GRAPH) for one in parse_prefixed(said)])
    )
    assert told is not None
    (follows,) = parse_prefixed("<urn:a> wgig:category <urn:c> .")
    assert build_quad(follows, inference.graph) in told.added
    assert inference.compare_anew(quads) == (set(), set())


def test_what_is_inferred_of_what_a_rule_consults_makes_all_be_found_anew(
    world: tuple[ox.Store, Inference],
) -> None:
    quads, inference = world
    kinds = "<urn:kindOf> rdfs:subPropertyOf rdfs:subClassOf . <urn:tom> a <urn:Pet> ."
    for said in (kinds, "<urn:Pet> <urn:kindOf> <urn:Animal> ."):
        inference.apply(quads, written(quads, [], [build_quad(one, GRAPH) for one in parse_prefixed(said)]))
    (follows,) = parse_prefixed("<urn:tom> a <urn:Animal> .")
    assert build_quad(follows, inference.graph) in quads


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
def test_a_rule_of_which_nobody_can_tell_what_it_asks_for_is_refused(where: str) -> None:
    with pytest.raises(ValueError, match="a rule"):
        InferenceRule(f"CONSTRUCT {{ ?a <urn:s> ?b }} WHERE {{ {where} }}")


def test_a_rule_is_taken_apart() -> None:
    rule = InferenceRule("""PREFIX u: <urn:> CONSTRUCT { ?a u:s ?b ; a u:C } WHERE {
        VALUES (?kind ?c) { (u:k u:l) } ?a u:p ?b ; u:kind ?kind FILTER(?b != u:no) ?b u:q+ "x; .", ?d .
        { SELECT DISTINCT ?d { ?d a u:D MINUS { ?d u:r ?e } } } BIND(IF(EXISTS { ?a u:t ?f }, 1, 2) AS ?n)
    }""")
    a, b, kind = map(ox.Variable, ("a", "b", "kind"))
    assert rule.premises == [(a, ox.NamedNode("urn:p"), b), (a, ox.NamedNode("urn:kind"), kind)]
    assert [one[0] for one in rule.conclusions] == [a, a]
    consulted = {one.value.rpartition(":")[2].rpartition("#")[2] for one in rule.consulted_properties}
    assert consulted == {"q", "type", "D", "r", "t"}
    assert rule.uses_exists


def test_an_inverse_path_is_consulted_and_a_datatype_is_none() -> None:
    rule = InferenceRule("""PREFIX u: <urn:> CONSTRUCT { ?a u:s ?b } WHERE {
        ?a u:p ?b ; u:n "1"^^u:d . ?b ^u:q ?a }""")
    assert [str(property_) for _, property_, _ in rule.premises] == ["<urn:p>", "<urn:n>"]
    assert rule.consulted_properties == {ox.NamedNode("urn:q")}


@pytest.fixture
def store() -> Store:
    """The shipped graphs with their board, and what follows."""
    filled = Store.in_memory(
        read_inference_rules(), f"{KNOWN['graph']}inferred", [ConformanceGraph(Settings.base, Settings.shacl)]
    )
    refresh_shipped_graphs(filled, Settings.base)
    return filled


def looked_at_anew(store: Store) -> set[ox.Quad]:
    """All that is stated in a store, with the board and what follows, computed from nothing."""
    board = ConformanceGraph(Settings.base, Settings.shacl)
    inference = Inference(read_inference_rules(), f"{KNOWN['graph']}inferred", None, [board])
    quads = ox.Store()
    quads.extend(one for one in store._quads if one.graph_name not in (board.graph, inference.graph))
    inference.apply(quads, None)
    return set(quads)


def test_writes_of_papers_end_where_looking_at_everything_does(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(1)
    papers = [graph for graph in store.graphs() if graph.startswith(f"{KNOWN['graph']}paper/")]
    first = {graph: list(store.triples(graph)) for graph in papers}
    monkeypatch.delattr(Inference, "compare_anew")
    for kind in chance.choices(["replace", "delete", "add", "update"], k=WRITES):
        one, other = chance.sample(papers, 2)
        part = [triple for triple in first[other] if chance.random() < 0.8]
        if kind == "replace":
            store.replace({one: first[one], other: part})
        elif kind == "delete":
            store.apply(store.compute_replacement(one, None))
        elif kind == "add":
            store.apply(store.compute_addition(one, part))
        else:
            lines = "\n".join(f"{triple} ." for triple in part if ox.BlankNode not in map(type, triple))
            store.update(f"DELETE DATA {{ GRAPH <{other}> {{ {lines} }} }}")
    monkeypatch.undo()
    assert set(store._quads) == looked_at_anew(store)
