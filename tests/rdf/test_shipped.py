"""What a paper may refer to: the prepared vocabulary, and the terms of the ontology."""

import pyoxigraph as ox
import pytest
from wgig.rdf import namespaces, shipped
from wgig.rdf.literals import term_text
from wgig.rdf.namespaces import BASE_IRI, PAPER_NAMESPACE, RDF_TYPE_IRI, WGIG_NAMESPACE
from wgig.shacl import rules, vocabulary

SKOS = "http://www.w3.org/2004/02/skos/core#"


def said_of(node: str) -> set[str]:
    return {
        one.predicate.value
        for one in vocabulary.vocabulary_triples()
        if one.subject == ox.NamedNode(BASE_IRI + node)
    }


def test_the_vocabulary_holds_what_rules_look_at_and_nothing_else() -> None:
    asked = rules.rule_predicates() | {RDF_TYPE_IRI, vocabulary.SUBCLASS_OF_IRI}
    assert {one.predicate.value for one in vocabulary.vocabulary_triples()} <= asked
    assert f"{WGIG_NAMESPACE}inventoryStatus" not in said_of("id/agent/wgig")
    assert {f"{WGIG_NAMESPACE}category", RDF_TYPE_IRI} <= said_of("id/issue/spam")


def test_what_a_paper_may_be_settles_nothing_that_the_vocabulary_should() -> None:
    asked = {
        one.object
        for one in rules.read_shape_triples()
        if one.predicate.value in {f"{namespaces.SH_NAMESPACE}class", f"{namespaces.SH_NAMESPACE}targetClass"}
    }
    assert set(map(term_text, asked - vocabulary.PAPER_PART_CLASSES)) == {
        "http://purl.org/ontology/bibo/DocumentPart",
        f"{WGIG_NAMESPACE}StakeholderGroup",
    }
    assert asked >= vocabulary.PAPER_PART_CLASSES


def test_papers_are_no_part_of_the_vocabulary() -> None:
    assert not [
        one for one in shipped.shipped_facts() if one.object == ox.NamedNode(f"{WGIG_NAMESPACE}IssuePaper")
    ]


def test_titles_are_those_of_papers_alone() -> None:
    assert shipped.shipped_paper_titles()[f"{BASE_IRI}id/paper/wp-spam"] == {"Spam"}
    assert f"{BASE_IRI}id/paper/example-spam-filters" in shipped.shipped_paper_titles()
    assert all(one.startswith(PAPER_NAMESPACE) for one in shipped.shipped_paper_titles())


def test_classes_stand_with_those_above_them_as_a_paper_may_use_either() -> None:
    narrower = ox.Triple(
        ox.NamedNode(f"{WGIG_NAMESPACE}Paragraph"),
        ox.NamedNode(vocabulary.SUBCLASS_OF_IRI),
        ox.NamedNode("http://purl.org/ontology/bibo/DocumentPart"),
    )
    assert narrower in vocabulary.vocabulary_triples()


def test_a_term_is_declared_by_the_ontology() -> None:
    assert f"{WGIG_NAMESPACE}strength" in shipped.declared_terms()
    assert f"{WGIG_NAMESPACE}strenght" not in shipped.declared_terms()
    assert all(one.startswith(WGIG_NAMESPACE) for one in shipped.declared_terms())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("strenght", "strength"),
        ("Strength", "strength"),
        ("isuse", "issue"),
        ("issuepaper", "IssuePaper"),
        ("qqq", None),
    ],
)
def test_the_nearest_term_is_told_when_one_is_near(written: str, meant: str | None) -> None:
    assert shipped.find_near_term(WGIG_NAMESPACE + written) == (WGIG_NAMESPACE + meant if meant else None)


def above(node: ox.NamedNode, property_: str) -> int:
    """How many steps a property leads up from a node, at most."""
    ends = [
        one.object
        for one in shipped.shipped_facts()
        if (one.subject, one.predicate.value) == (node, property_)
    ]
    return max((1 + above(one, property_) for one in ends if isinstance(one, ox.NamedNode)), default=0)


@pytest.mark.parametrize(
    ("kind", "property_", "deepest"),
    [("document/declaration/", f"{WGIG_NAMESPACE}partOf", 4), ("principle/", f"{SKOS}broader", 1)],
)
def test_rules_that_climb_step_by_step_reach_the_top(kind: str, property_: str, deepest: int) -> None:
    nodes = {one.subject for one in shipped.shipped_facts() if one.predicate.value == property_}
    named = [
        one for one in nodes if isinstance(one, ox.NamedNode) and one.value.startswith(f"{BASE_IRI}id/{kind}")
    ]
    assert max(above(one, property_) for one in named) == deepest
