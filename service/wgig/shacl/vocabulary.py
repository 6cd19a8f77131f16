"""The vocabulary that rules may use outside a paper: its properties, types and class hierarchy.

Statements of a paper with certain properties, such as rdfs:subClassOf and skos:broader, are not checked:
otherwise a paper could invent the resources that it refers to. Leaving out the properties that no rule uses
saves an eighth of the time of a check.
"""

from functools import cache

import pyoxigraph as ox
from wgig_client.literals import term_text

from ..rdf.namespaces import RDF_TYPE_IRI, RDFS_NAMESPACE, SKOS_NAMESPACE, WGIG_NAMESPACE, expand_curie
from ..rdf.shipped import shipped_facts, shipped_ontology
from . import rules

SUBCLASS_OF_IRI = f"{RDFS_NAMESPACE}subClassOf"

# Properties that count only in the vocabulary: with them, a paper could invent an issue or a category.
VOCABULARY_ONLY_PROPERTIES = {
    SUBCLASS_OF_IRI,
    f"{WGIG_NAMESPACE}inventoryStatus",
    f"{WGIG_NAMESPACE}partOf",
    *(f"{SKOS_NAMESPACE}{name}" for name in ("broader", "inScheme")),
}
# The types that a paper may state and rules use: those of the paper and of its parts.
PAPER_PART_CLASSES = frozenset(
    expand_curie(f"wgig:{name}") for name in ("IssuePaper", "Swot", "Forum", "Mechanism", "Assessment")
)


@cache
def vocabulary_triples() -> frozenset[ox.Triple]:
    """The triples that rules may use outside a paper: properties, types and subclass relations."""
    properties = rules.rule_predicates() | {RDF_TYPE_IRI, SUBCLASS_OF_IRI}
    # The shapes are included, as a paper may refer to a rule or a profile, and the validation engine, shifty,
    # treats the shapes as data, too.
    triples = (*shipped_facts(), *shipped_ontology(), *rules.read_shape_triples())
    return frozenset(triple for triple in triples if triple.predicate.value in properties)


@cache
def checked_properties() -> frozenset[ox.NamedNode]:
    """The properties, beside rdf:type, that rules may use in a paper."""
    steps = {step for rule in rules.rules_by_code().values() for step in rule.steps}
    return frozenset(
        map(ox.NamedNode, {*rules.rule_predicates(), *steps} - VOCABULARY_ONLY_PROPERTIES - {RDF_TYPE_IRI})
    )


@cache
def described_iris() -> frozenset[str]:
    """The IRIs of the subjects of the bundled data and of the shapes."""
    return frozenset(term_text(triple.subject) for triple in (*shipped_facts(), *rules.read_shape_triples()))
