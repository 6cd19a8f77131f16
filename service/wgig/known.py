"""What a paper may refer to: the terms of the vocabulary, and what the shipped graphs say of the rest."""

from collections import defaultdict
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from typing import Any

import pyoxigraph as ox

from . import rules
from .namespaces import OUTSIDE
from .settings import SHIPPED

TYPE = ox.NamedNode(f"{OUTSIDE['rdf']}type")
SUBCLASS = f"{OUTSIDE['rdfs']}subClassOf"


@cache
def facts() -> tuple[ox.Triple, ...]:
    """All shipped facts but those about single papers."""
    return read(sorted((SHIPPED / "data").glob("*.ttl")))


@cache
def ontology() -> tuple[ox.Triple, ...]:
    """The shipped ontology."""
    return read(sorted((SHIPPED / "ontology").glob("*.ttl")))


def read(paths: Iterable[object]) -> tuple[ox.Triple, ...]:
    """The triples of Turtle files."""
    return tuple(
        quad.triple
        for path in paths
        for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    )


@cache
def vocabulary() -> frozenset[ox.Triple]:
    """The facts that a rule may look at: those of its properties, and types up to the widest class."""
    asked = rules.predicates()
    stated = {one for one in facts() if one.predicate.value in asked}
    wider = classes_above()
    return frozenset(stated) | {
        ox.Triple(one.subject, TYPE, ox.NamedNode(name))
        for one in facts()
        if one.predicate == TYPE
        for name in wider.get(iri(one.object), {iri(one.object)})
    }


@cache
def classes_above() -> dict[str, set[str]]:
    """The IRIs of each class and of all classes above it."""
    above: dict[str, set[str]] = defaultdict(set)
    for one in ontology():
        if one.predicate.value == SUBCLASS:
            above[iri(one.subject)].add(iri(one.object))

    def climb(name: str) -> set[str]:
        return {name}.union(*(climb(one) for one in above.get(name, ())))

    return {name: climb(name) for name in list(above)}


def iri(term: Any) -> str:
    """The IRI of a term, or the name of a blank node."""
    return str(term.value)


@cache
def terms() -> frozenset[str]:
    """The IRIs of the terms that the ontology declares."""
    named = {iri(one.subject) for one in ontology() if one.predicate == TYPE}
    return frozenset(one for one in named if one.startswith(rules.WGIG))


@cache
def near_term(iri: str) -> str | None:
    """The declared term whose spelling is nearest to that of an unknown one."""
    near = get_close_matches(iri, terms(), 1, cutoff=0.9)
    return near[0] if near else None
