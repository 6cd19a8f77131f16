"""What follows by OWL 2 RL, SHACL rules and CONSTRUCT queries, and rules that are refused or never end."""

from collections.abc import Iterable

import pyoxigraph as ox
import pytest
from wgig.problems import Problem
from wgig.rules.evaluation import MAX_ROUNDS, InferenceResult, evaluate_rules, make_blank_prefix
from wgig.rules.rule_set import RuleFile, parse_rules, read_rule_files
from wgig.settings import Settings

from tests.fixtures.shapes import count_connections

PREFIXES = """
PREFIX : <http://example.org/>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX sh: <http://www.w3.org/ns/shacl#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""
OWL = RuleFile("owl2rl")


def parse(turtle: str) -> set[ox.Triple]:
    """The triples of Turtle with PREFIXES."""
    return {quad.triple for quad in ox.parse(PREFIXES + turtle, ox.RdfFormat.TURTLE)}


def construct(text: str, name: str = "rules.rq") -> RuleFile:
    """A file with a CONSTRUCT query."""
    return RuleFile(name, f"{PREFIXES}{text}".encode())


def shapes(turtle: str) -> RuleFile:
    """A file with SHACL rules."""
    return RuleFile("rules.ttl", f"{PREFIXES}{turtle}".encode())


def infer(turtle: str, *files: RuleFile, max_triples: int = 1000) -> InferenceResult:
    """What follows from Turtle by rules."""
    rules = parse_rules(files, Settings())
    return evaluate_rules(rules, parse(turtle), max_triples, make_blank_prefix("urn:g"))


def infer_triples(turtle: str, *files: RuleFile) -> set[ox.Triple]:
    """The triples that follow from Turtle by rules, without repeats."""
    triples = infer(turtle, *files).triples
    assert len(triples) == len({*triples})
    return {*triples}


def refuse(file: RuleFile) -> Problem:
    """The problem of rules that are refused."""
    with pytest.raises(Problem) as raised:
        parse_rules([file], Settings())
    return raised.value


OWL_CASES = {
    "subclass": (
        ":A rdfs:subClassOf :B . :B rdfs:subClassOf :C . :x a :A .",
        ":A rdfs:subClassOf :C . :x a :B, :C .",
    ),
    "subproperty": (":p rdfs:subPropertyOf :q . :x :p :y .", ":x :q :y ."),
    "domain and range": (":p rdfs:domain :D ; rdfs:range :R . :x :p :y .", ":x a :D . :y a :R ."),
    "transitive": (":p a owl:TransitiveProperty . :x :p :y . :y :p :z .", ":x :p :z ."),
    "symmetric": (":p a owl:SymmetricProperty . :x :p :y .", ":y :p :x ."),
    "inverse": (":p owl:inverseOf :q . :x :p :y . :v :q :w .", ":y :q :x . :w :p :v ."),
    "same": (":x owl:sameAs :y . :x :p 1 .", ":y owl:sameAs :x ; :p 1 ."),
    "equivalent class": (
        ":A owl:equivalentClass :B . :x a :A . :y a :B .",
        ":A rdfs:subClassOf :B . :B rdfs:subClassOf :A ; owl:equivalentClass :A . :x a :B . :y a :A .",
    ),
    "functional": (":p a owl:FunctionalProperty . :x :p :y, :z .", ":y owl:sameAs :z . :z owl:sameAs :y ."),
    "inverse functional": (
        ":p a owl:InverseFunctionalProperty . :x :p :z . :y :p :z .",
        ":x owl:sameAs :y . :y owl:sameAs :x .",
    ),
    "chain": (
        ":uncle owl:propertyChainAxiom (:parent :brother) . :x :parent :y . :y :brother :z .",
        ":x :uncle :z .",
    ),
    "key": (
        ":C owl:hasKey (:p) . :x a :C ; :p 1 . :y a :C ; :p 1 .",
        ":x owl:sameAs :y . :y owl:sameAs :x .",
    ),
    "has value": (":R owl:onProperty :p ; owl:hasValue :v . :x a :R . :y :p :v .", ":x :p :v . :y a :R ."),
    "some values": (":R owl:onProperty :p ; owl:someValuesFrom :D . :x :p :y . :y a :D .", ":x a :R ."),
    "nothing": (":x :p :y ; :q 'text'@en, 1, '01'^^xsd:integer, 'x'^^xsd:integer .", ""),
}


@pytest.mark.parametrize("name", OWL_CASES)
def test_exactly_this_follows_by_owl_2_rl(name: str) -> None:
    stated, expected = OWL_CASES[name]
    assert infer_triples(stated, OWL) == parse(expected)


def test_the_blank_nodes_of_the_data_remain() -> None:
    stated = parse("[] a :A . :A rdfs:subClassOf :B .")
    result = evaluate_rules(parse_rules([OWL], Settings()), stated, 10, "new")
    (triple,) = result.triples
    assert triple.subject in {stated_triple.subject for stated_triple in stated}
    assert isinstance(triple.subject, ox.BlankNode)


def test_a_contradiction_is_reported_and_not_stated() -> None:
    result = infer(":A owl:disjointWith :B ; rdfs:subClassOf :C . :x a :A, :B .", OWL)
    assert "Disjoint" in result.contradictions[0]
    assert {*result.triples} == parse(":x a :C .")


TRIPLE_RULE = """
:Shape a sh:NodeShape ; sh:targetClass :Rectangle ; sh:rule [ a sh:TripleRule ;
  sh:condition [ sh:property [ sh:path :width ; sh:minCount 1 ] ] ;
  sh:subject sh:this ; sh:predicate :size ; sh:object [ sh:path :width ] ] .
"""
SPARQL_RULE = """
:Part a sh:NodeShape ; sh:targetSubjectsOf :partOf ; sh:rule [ a sh:SPARQLRule ; sh:prefixes : ;
  sh:construct "CONSTRUCT { $this ex:partOf ?whole } WHERE { $this ex:partOf/ex:partOf ?whole }" ] .
: sh:declare [ sh:prefix "ex" ; sh:namespace "http://example.org/"^^xsd:anyURI ] .
"""


def test_triple_rules_of_shacl_with_a_condition() -> None:
    assert infer_triples(":x a :Rectangle ; :width 3 . :y a :Rectangle .", shapes(TRIPLE_RULE)) == parse(
        ":x :size 3 ."
    )


def test_sparql_rules_of_shacl_are_repeated_until_nothing_new_follows() -> None:
    stated = ":a :partOf :b . :b :partOf :c . :c :partOf :d . :d :partOf :e ."
    expected = ":a :partOf :c, :d, :e . :b :partOf :d, :e . :c :partOf :e ."
    assert infer_triples(stated, shapes(SPARQL_RULE)) == parse(expected)


def test_queries_are_repeated_until_nothing_new_follows() -> None:
    query = construct("CONSTRUCT { ?x :above ?z } { { ?x :on ?z } UNION { ?x :on/:above ?z } }")
    result = infer(":a :on :b . :b :on :c . :c :on :d .", query)
    assert {*result.triples} == parse(":a :above :b, :c, :d . :b :above :c, :d . :c :above :d .")
    assert result.rounds == 4  # of which the last one adds nothing


def test_rules_of_all_kinds_use_the_results_of_each_other() -> None:
    query = construct("CONSTRUCT { ?x a :Rectangle ; :width ?w } { ?x a :Shape ; :side ?w }")
    files = (OWL, shapes(TRIPLE_RULE), query)
    assert parse(":x a :Shape, :Rectangle ; :size 3 ; :width 3 .") == infer_triples(
        ":Square rdfs:subClassOf :Shape . :x a :Square ; :side 3 .", *files
    )


ENDLESS = {
    "blank nodes": construct("CONSTRUCT { [] :in ?x } { ?x :p ?y }"),
    "values": construct("CONSTRUCT { ?x :p ?z } { ?x :p ?y BIND(?y + 1 AS ?z) }"),
    "UUID": construct("CONSTRUCT { ?id :in ?x } { ?x :p ?y BIND(UUID() AS ?id) }"),
    "SHACL": shapes(
        ":S a sh:NodeShape ; sh:targetSubjectsOf :p ; sh:rule [ a sh:SPARQLRule ; sh:construct "
        "'PREFIX : <http://example.org/> CONSTRUCT { $this :p ?z } { $this :p ?y BIND(?y + 1 AS ?z) }' ] ."
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_rules_that_never_end_are_stopped_at_the_number_of_triples(name: str) -> None:
    with pytest.raises(Problem) as raised:
        infer(":x :p 1 .", ENDLESS[name], max_triples=20)
    assert raised.value.detail.startswith("More than 20 triples follow by the rules, in 2")
    assert "never end" in raised.value.detail


def test_rules_that_never_end_are_stopped_after_a_number_of_rounds() -> None:
    with pytest.raises(Problem) as raised:
        infer(":x :p 1 .", ENDLESS["values"], max_triples=10**6)
    assert f"not ended after {MAX_ROUNDS} rounds" in raised.value.detail


def test_new_blank_nodes_have_the_same_labels_each_time() -> None:
    query = construct("CONSTRUCT { ?x :has [ :of ?x ] } { ?x :p ?y FILTER NOT EXISTS { ?x :has ?z } }")
    first, second = (infer_triples("_:b :p 1 . :y :p 2 .", query) for _ in range(2))
    assert len(first) == 4
    labels = {triple.object.value for triple in first if isinstance(triple.object, ox.BlankNode)} - {"b"}
    assert len(labels) == 2
    assert labels <= {triple.object.value for triple in second if isinstance(triple.object, ox.BlankNode)}
    assert all(label.startswith(make_blank_prefix("urn:g")) for label in labels)


REFUSED_QUERIES = {
    "SELECT * { ?s ?p ?o }": (400, "It must be a CONSTRUCT query"),
    "CONSTRUCT { ?s ?p ?o } { SERVICE <http://example.org/> { ?s ?p ?o } }": (403, "SERVICE"),
    "CONSTRUCT { ?s ?p ?o } FROM <http://example.org/> { ?s ?p ?o }": (403, "FROM"),
    "CONSTRUCT { ?s ?p ?o } { GRAPH ?g { ?s ?p ?o } }": (400, "GRAPH"),
    "LOAD <http://example.org/>": (403, "LOAD"),
    "CONSTRUCT { ?s ?p": (400, ""),
    "INSERT DATA { :a :b :c }": (400, "Write a CONSTRUCT query"),
    "DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }": (400, "Write a CONSTRUCT query"),
}


@pytest.mark.parametrize("query", REFUSED_QUERIES)
def test_other_queries_are_refused(query: str) -> None:
    status, words = REFUSED_QUERIES[query]
    problem = refuse(construct(query))
    assert problem.status == status
    assert problem.detail.startswith("rules.rq: ")
    assert words in problem.detail


REFUSED_SHAPES = {
    ":S a sh:NodeShape ; sh:targetClass :C ; sh:class :D .": (422, "no rule"),
    ":S a sh:NodeShape ; sh:rule [ a sh:TripleRule ] .": (422, "no target"),
    ":S a sh:NodeShape ; sh:targetClass :C ; sh:rule [ a sh:JSRule ; sh:jsFunctionName 'f' ] .": (400, "js"),
    ":S a sh:NodeShape ; sh:targetClass :C ; sh:rule [ a sh:SPARQLRule ; "
    "sh:construct 'CONSTRUCT { $this ?p ?o } { SERVICE <http://example.org/> { $this ?p ?o } }' ] .": (
        403,
        "SERVICE",
    ),
    ":S a": (400, "rules.ttl"),
}


@pytest.mark.parametrize("turtle", REFUSED_SHAPES)
def test_other_shapes_are_refused(turtle: str) -> None:
    status, words = REFUSED_SHAPES[turtle]
    problem = refuse(shapes(turtle))
    assert problem.status == status
    assert words in problem.detail


def test_rules_that_an_engine_cannot_evaluate_are_reported() -> None:
    incomplete = ":S a sh:NodeShape ; sh:targetClass :C ; sh:rule [ a sh:TripleRule ; sh:subject sh:this ] ."
    with pytest.raises(Problem, match="The rules cannot be evaluated"):
        infer(":x a :C .", shapes(incomplete))


@pytest.mark.parametrize("name", ["missing.rq", "."])
def test_a_file_that_cannot_be_read_is_named(name: str) -> None:
    with pytest.raises(Problem, match=r"Give owl2rl, or a file with rules\.") as raised:
        read_rule_files([name], Settings())
    assert raised.value.detail.startswith(f"{name}: ")


def iter_fetching_rules(url: str) -> Iterable[tuple[str, RuleFile]]:
    """Data and rules that name a URL where an engine could fetch it, and are not refused."""
    rule = TRIPLE_RULE.replace(":size", f"<{url}size>")
    yield f"<{url}> a owl:Ontology ; owl:imports <{url}x> . :x a :Rectangle ; :width 1 .", OWL
    yield f":x a :Rectangle ; :width 1 ; owl:imports <{url}> .", shapes(f"<> owl:imports <{url}> . {rule}")
    yield f":x :p <{url}> .", construct(f"CONSTRUCT {{ <{url}> :q ?x }} {{ ?x :p <{url}> }}")


def test_rules_open_no_connection() -> None:
    with count_connections() as counter:
        for data, file in iter_fetching_rules(counter.url):
            infer(data, file)
        for query in REFUSED_QUERIES:
            refuse(construct(query.replace("http://example.org/", counter.url)))
        for turtle in REFUSED_SHAPES:
            refuse(shapes(turtle.replace("<http://example.org/>", f"<{counter.url}>")))
        assert counter.count == 0
