"""The bundled resources and terms to which papers may refer.

The vocabulary contains the bundled statements that rules use when they check a paper.
"""

import pyoxigraph as ox
import pytest
from wgig.rdf import namespaces, shipped
from wgig.rdf.namespaces import PAPER_NAMESPACE, RDF_TYPE_IRI, WGIG_NAMESPACE
from wgig.shacl import rules, vocabulary
from wgig_client.literals import term_text
from wgig_client.namespaces import BASE_IRI

SKOS_NAMESPACE = "http://www.w3.org/2004/02/skos/core#"


def list_vocabulary_properties(node: str) -> set[str]:
    return {
        triple.predicate.value
        for triple in vocabulary.vocabulary_triples()
        if triple.subject == ox.NamedNode(BASE_IRI + node)
    }


def test_the_vocabulary_has_only_the_properties_that_rules_use() -> None:
    used_properties = rules.rule_predicates() | {RDF_TYPE_IRI, vocabulary.SUBCLASS_OF_IRI}
    assert {triple.predicate.value for triple in vocabulary.vocabulary_triples()} <= used_properties
    assert f"{WGIG_NAMESPACE}inventoryStatus" not in list_vocabulary_properties("id/agent/wgig")
    assert {f"{WGIG_NAMESPACE}category", RDF_TYPE_IRI} <= list_vocabulary_properties("id/issue/spam")


def test_shapes_name_three_classes_besides_those_of_parts_of_papers() -> None:
    shape_classes = {
        triple.object
        for triple in rules.read_shape_triples()
        if triple.predicate.value
        in {f"{namespaces.SH_NAMESPACE}class", f"{namespaces.SH_NAMESPACE}targetClass"}
    }
    assert set(map(term_text, shape_classes - vocabulary.PAPER_PART_CLASSES)) == {
        "http://purl.org/ontology/bibo/DocumentPart",
        f"{WGIG_NAMESPACE}GovernanceMechanism",
        f"{WGIG_NAMESPACE}StakeholderGroup",
    }
    assert shape_classes >= vocabulary.PAPER_PART_CLASSES


def test_shipped_facts_have_no_papers() -> None:
    assert not [
        triple
        for triple in shipped.shipped_facts()
        if triple.object == ox.NamedNode(f"{WGIG_NAMESPACE}IssuePaper")
    ]


def test_titles_are_those_of_papers_only() -> None:
    assert shipped.shipped_paper_titles()[f"{BASE_IRI}id/paper/wp-spam"] == {"Spam"}
    assert f"{BASE_IRI}id/paper/example-spam-filters" in shipped.shipped_paper_titles()
    assert all(iri.startswith(PAPER_NAMESPACE) for iri in shipped.shipped_paper_titles())


def test_the_vocabulary_has_superclasses_of_bundled_classes() -> None:
    subclass_triple = ox.Triple(
        ox.NamedNode(f"{WGIG_NAMESPACE}Paragraph"),
        ox.NamedNode(vocabulary.SUBCLASS_OF_IRI),
        ox.NamedNode("http://purl.org/ontology/bibo/DocumentPart"),
    )
    assert subclass_triple in vocabulary.vocabulary_triples()


def test_declared_terms_are_those_of_the_ontology() -> None:
    assert f"{WGIG_NAMESPACE}strength" in shipped.declared_terms()
    assert f"{WGIG_NAMESPACE}strenght" not in shipped.declared_terms()
    assert all(iri.startswith(WGIG_NAMESPACE) for iri in shipped.declared_terms())


@pytest.mark.parametrize(
    ("misspelling", "term"),
    [
        ("strenght", "strength"),
        ("Strength", "strength"),
        ("isuse", "issue"),
        ("issuepaper", "IssuePaper"),
        ("qqq", None),
    ],
)
def test_the_most_similar_term_is_found(misspelling: str, term: str | None) -> None:
    assert shipped.find_near_term(WGIG_NAMESPACE + misspelling) == (WGIG_NAMESPACE + term if term else None)


def longest_chain(node: ox.NamedNode, property_: str) -> int:
    """The maximum number of steps along a property from a node."""
    parents = [
        triple.object
        for triple in shipped.shipped_facts()
        if (triple.subject, triple.predicate.value) == (node, property_)
    ]
    return max(
        (1 + longest_chain(parent, property_) for parent in parents if isinstance(parent, ox.NamedNode)),
        default=0,
    )


@pytest.mark.parametrize(
    ("path", "property_", "length"),
    [("document/declaration/", f"{WGIG_NAMESPACE}partOf", 4), ("principle/", f"{SKOS_NAMESPACE}broader", 1)],
)
def test_chains_of_parents_have_the_length_that_rules_support(path: str, property_: str, length: int) -> None:
    subjects = {triple.subject for triple in shipped.shipped_facts() if triple.predicate.value == property_}
    nodes = [
        node
        for node in subjects
        if isinstance(node, ox.NamedNode) and node.value.startswith(f"{BASE_IRI}id/{path}")
    ]
    assert max(longest_chain(node, property_) for node in nodes) == length
