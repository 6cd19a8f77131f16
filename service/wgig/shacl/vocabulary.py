"""The vocabulary that rules may look at outside a paper: its properties, types and class hierarchy.

Some properties only the vocabulary may state (such as rdfs:subClassOf and skos:broader): a paper that stated
them could make up what it refers to. Leaving out the properties that no rule looks along saves an eighth of
the time of a check.
"""

from functools import cache

import pyoxigraph as ox

from ..rdf.literals import term_text
from ..rdf.namespaces import RDF_TYPE_IRI, RDFS_NAMESPACE, SKOS_NAMESPACE, WGIG_NAMESPACE, expand_curie
from ..rdf.shipped import shipped_facts, shipped_ontology
from . import rules

SUBCLASS_OF_IRI = f"{RDFS_NAMESPACE}subClassOf"

# What the vocabulary alone may say. A paper that said it could make up what it refers to.
VOCABULARY_ONLY_PROPERTIES = {
    SUBCLASS_OF_IRI,
    f"{WGIG_NAMESPACE}inventoryStatus",
    f"{WGIG_NAMESPACE}partOf",
    *(f"{SKOS_NAMESPACE}{name}" for name in ("broader", "inScheme")),
}
# What a paper may say that something is, as far as a rule asks: the paper or a part of it.
PAPER_PART_CLASSES = frozenset(
    expand_curie(f"wgig:{name}") for name in ("IssuePaper", "Swot", "Forum", "Mechanism", "Assessment")
)


@cache
def vocabulary_triples() -> frozenset[ox.Triple]:
    """What a rule may look at outside of a paper: its properties, types, and which class is below which."""
    asked = rules.rule_predicates() | {RDF_TYPE_IRI, SUBCLASS_OF_IRI}
    # A paper may name a rule or a profile too, and for the fast engine the shapes are part of the data.
    shipped = (*shipped_facts(), *shipped_ontology(), *rules.read_shape_triples())
    return frozenset(one for one in shipped if one.predicate.value in asked)


@cache
def checked_properties() -> frozenset[ox.NamedNode]:
    """The properties beside the type that a rule may look along in a paper.

    To leave out the rest saves an eighth of the time.
    """
    steps = {step for rule in rules.rules_by_code().values() for step in rule.steps}
    return frozenset(
        map(ox.NamedNode, {*rules.rule_predicates(), *steps} - VOCABULARY_ONLY_PROPERTIES - {RDF_TYPE_IRI})
    )


@cache
def described_iris() -> frozenset[str]:
    """The IRIs of what the facts and the rules describe."""
    return frozenset(term_text(one.subject) for one in (*shipped_facts(), *rules.read_shape_triples()))
