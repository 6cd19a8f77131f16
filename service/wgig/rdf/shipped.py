"""Shipped RDF, read from the files of the package: ontology and its terms, facts, titles of papers, rules.

`terms` are what a paper may refer to, and `near_term` finds the one that was probably meant. `rules` are the
inference rules as SPARQL.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

import pyoxigraph as ox

from ..settings import SHIPPED
from . import namespaces
from .namespaces import OUTSIDE

TYPE = ox.NamedNode(f"{OUTSIDE['rdf']}type")
TITLE = ox.NamedNode(f"{OUTSIDE['dcterms']}title")
PAPERS = f"{namespaces.BASE}id/paper/"


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


def iri(term: Any) -> str:
    """The IRI or text of a term, or the name of a blank node."""
    return str(term.value)


@cache
def terms() -> frozenset[str]:
    """The IRIs of the terms that the ontology declares."""
    named = {iri(one.subject) for one in ontology() if one.predicate == TYPE}
    return frozenset(one for one in named if one.startswith(namespaces.WGIG))


@lru_cache(maxsize=1000)  # what users write has no end
def near_term(iri: str) -> str | None:
    """The declared term whose spelling is nearest to that of an unknown one; None where none is near."""
    names = [one.removeprefix(namespaces.WGIG) for one in sorted(terms())]
    near = get_close_matches(iri.removeprefix(namespaces.WGIG), names, 1, cutoff=0.75)
    return namespaces.WGIG + near[0] if near else None


def rules() -> list[str]:
    """The inference rules, as SPARQL."""
    return [path.read_text("utf-8") for path in sorted((SHIPPED / "data" / "rules").glob("*.rq"))]
