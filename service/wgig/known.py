"""What a paper may refer to: the terms of the vocabulary, and what the shipped graphs say of the rest."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

import pyoxigraph as ox

from . import rules
from .namespaces import OUTSIDE
from .settings import SHIPPED

TYPE = ox.NamedNode(f"{OUTSIDE['rdf']}type")
TITLE = ox.NamedNode(f"{OUTSIDE['dcterms']}title")
PAPERS = f"{rules.BASE}id/paper/"
SUBCLASS = f"{OUTSIDE['rdfs']}subClassOf"

# What the vocabulary alone may say. A paper that said it could make up what it refers to.
SETTLED = {
    SUBCLASS,
    f"{rules.WGIG}inventoryStatus",
    f"{rules.WGIG}partOf",
    *(f"{OUTSIDE['skos']}{name}" for name in ("broader", "inScheme")),
}
# What a paper may say that something is, as far as a rule asks: the paper or a part of it.
KINDS = frozenset(
    ox.NamedNode(rules.WGIG + name) for name in ("IssuePaper", "Swot", "Forum", "Mechanism", "Assessment")
)


@cache
def facts() -> tuple[ox.Triple, ...]:
    """All shipped facts but those about single papers."""
    return read(sorted((SHIPPED / "data").glob("*.ttl")))


@cache
def ontology() -> tuple[ox.Triple, ...]:
    """The shipped ontology."""
    return read(sorted((SHIPPED / "ontology").glob("*.ttl")))


@cache
def titles() -> Mapping[str, frozenset[str]]:
    """The titles of the shipped papers, the made-up ones among them, by the IRIs of the papers."""
    files = sorted([*(SHIPPED / "data/papers").glob("*.ttl"), *(SHIPPED / "data/examples").glob("*.ttl")])
    found: dict[str, frozenset[str]] = {}
    for one in read(files):
        if one.predicate == TITLE and iri(one.subject).startswith(PAPERS):
            found[iri(one.subject)] = found.get(iri(one.subject), frozenset()) | {iri(one.object)}
    return found


def read(paths: Iterable[object]) -> tuple[ox.Triple, ...]:
    """The triples of Turtle files."""
    return tuple(
        quad.triple
        for path in paths
        for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
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


def iri(term: Any) -> str:
    """The IRI or text of a term, or the name of a blank node."""
    return str(term.value)


@cache
def described() -> frozenset[str]:
    """The IRIs of what the facts and the rules describe."""
    return frozenset(iri(one.subject) for one in (*facts(), *rules.graph()))


@cache
def terms() -> frozenset[str]:
    """The IRIs of the terms that the ontology declares."""
    named = {iri(one.subject) for one in ontology() if one.predicate == TYPE}
    return frozenset(one for one in named if one.startswith(rules.WGIG))


@lru_cache(maxsize=1000)  # what users write has no end
def near_term(iri: str) -> str | None:
    """The declared term whose spelling is nearest to that of an unknown one; None where none is near."""
    names = [one.removeprefix(rules.WGIG) for one in sorted(terms())]
    near = get_close_matches(iri.removeprefix(rules.WGIG), names, 1, cutoff=0.75)
    return rules.WGIG + near[0] if near else None
