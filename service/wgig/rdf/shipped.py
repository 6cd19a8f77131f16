"""Shipped RDF, read from the files of the package: ontology and its terms, facts, titles of papers, rules.

`declared_terms` are what a paper may refer to, and `find_near_term` finds the one that was probably meant.
`read_inference_rules` gives the inference rules as SPARQL.
"""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path

import pyoxigraph as ox

from ..settings import SHIPPED_FOLDER
from ..text import find_near_names
from .literals import term_text
from .namespaces import DCTERMS_TITLE, PAPER_NAMESPACE, RDF_TYPE, WGIG_NAMESPACE


@cache
def shipped_facts() -> tuple[ox.Triple, ...]:
    """All shipped facts but those about single papers."""
    return shipped_triples("data/*.ttl")


@cache
def shipped_ontology() -> tuple[ox.Triple, ...]:
    """The shipped ontology."""
    return shipped_triples("ontology/*.ttl")


@cache
def shipped_paper_titles() -> Mapping[str, frozenset[str]]:
    """The titles of the shipped papers, the made-up ones among them, by the IRIs of the papers."""
    found: dict[str, frozenset[str]] = {}
    for one in shipped_triples("data/papers/*.ttl", "data/examples/*.ttl"):
        if one.predicate == DCTERMS_TITLE and term_text(one.subject).startswith(PAPER_NAMESPACE):
            found[term_text(one.subject)] = found.get(term_text(one.subject), frozenset()) | {
                term_text(one.object)
            }
    return found


def shipped_triples(*patterns: str) -> tuple[ox.Triple, ...]:
    """The triples of the shipped Turtle files whose paths fit a pattern, by pattern and name."""
    return tuple(
        read_turtle_files(path for pattern in patterns for path in sorted(SHIPPED_FOLDER.glob(pattern)))
    )


def read_turtle_files(paths: Iterable[Path]) -> list[ox.Triple]:
    """The triples of Turtle files, blank nodes of different files apart."""
    return [
        one.triple
        for path in paths
        for one in ox.parse(path=path, format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    ]


@cache
def declared_terms() -> frozenset[str]:
    """The IRIs of the terms that the ontology declares."""
    named = {term_text(one.subject) for one in shipped_ontology() if one.predicate == RDF_TYPE}
    return frozenset(one for one in named if one.startswith(WGIG_NAMESPACE))


@lru_cache(maxsize=1000)  # what users write has no end
def find_near_term(iri: str) -> str | None:
    """The declared term whose spelling is nearest to that of an unknown one; None where none is near."""
    names = [one.removeprefix(WGIG_NAMESPACE) for one in sorted(declared_terms())]
    near = find_near_names(iri.removeprefix(WGIG_NAMESPACE), names, 1, 0.75)
    return WGIG_NAMESPACE + near[0] if near else None


def read_inference_rules() -> list[str]:
    """The inference rules, as SPARQL."""
    return [path.read_text("utf-8") for path in sorted((SHIPPED_FOLDER / "data" / "rules").glob("*.rq"))]
