"""The vocabulary that rules may look at outside a paper: its properties, types and class hierarchy.

Some properties only the vocabulary may state (such as rdfs:subClassOf and skos:broader): a paper that stated
them could make up what it refers to. Leaving out the properties that no rule looks along saves an eighth of
the time of a check.
"""

from functools import cache

import pyoxigraph as ox

from ..rdf import namespaces
from ..rdf.namespaces import OUTSIDE
from ..rdf.shipped import TYPE, facts, iri, ontology
from . import rules

SUBCLASS = f"{OUTSIDE['rdfs']}subClassOf"

# What the vocabulary alone may say. A paper that said it could make up what it refers to.
SETTLED = {
    SUBCLASS,
    f"{namespaces.WGIG}inventoryStatus",
    f"{namespaces.WGIG}partOf",
    *(f"{OUTSIDE['skos']}{name}" for name in ("broader", "inScheme")),
}
# What a paper may say that something is, as far as a rule asks: the paper or a part of it.
KINDS = frozenset(
    ox.NamedNode(namespaces.WGIG + name)
    for name in ("IssuePaper", "Swot", "Forum", "Mechanism", "Assessment")
)


@cache
def vocabulary() -> frozenset[ox.Triple]:
    """What a rule may look at outside of a paper: its properties, types, and which class is below which."""
    asked = rules.predicates() | {TYPE.value, SUBCLASS}
    # A paper may name a rule or a profile too, and for the fast engine the shapes are part of the data.
    shipped = (*facts(), *ontology(), *rules.graph())
    return frozenset(one for one in shipped if one.predicate.value in asked)


@cache
def looked_at() -> frozenset[ox.NamedNode]:
    """The properties beside the type that a rule may look along in a paper.

    To leave out the rest saves an eighth of the time.
    """
    steps = {step for rule in rules.rules().values() for step in rule.steps}
    return frozenset(map(ox.NamedNode, {*rules.predicates(), *steps} - SETTLED - {TYPE.value}))


@cache
def described() -> frozenset[str]:
    """The IRIs of what the facts and the rules describe."""
    return frozenset(iri(one.subject) for one in (*facts(), *rules.graph()))
