"""Shipped RDF, read from the files of the package: ontology and its terms, facts, titles of papers, rules.

`declared_terms` are what a paper may refer to, and `find_near_term` finds the one that was probably meant.
`read_inference_rules` gives the inference rules as SPARQL.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

import pyoxigraph as ox

from ..settings import SHIPPED_FOLDER
from . import namespaces
from .namespaces import EXTERNAL_NAMESPACES

RDF_TYPE = ox.NamedNode(f"{EXTERNAL_NAMESPACES['rdf']}type")
PAPER_TITLE_PREDICATE = ox.NamedNode(f"{EXTERNAL_NAMESPACES['dcterms']}title")
PAPERS_NAMESPACE = f"{namespaces.BASE_IRI}id/paper/"


@cache
def shipped_facts() -> tuple[ox.Triple, ...]:
    """All shipped facts but those about single papers."""
    return read_shipped_turtle(sorted((SHIPPED_FOLDER / "data").glob("*.ttl")))


@cache
def shipped_ontology() -> tuple[ox.Triple, ...]:
    """The shipped ontology."""
    return read_shipped_turtle(sorted((SHIPPED_FOLDER / "ontology").glob("*.ttl")))


@cache
def shipped_paper_titles() -> Mapping[str, frozenset[str]]:
    """The titles of the shipped papers, the made-up ones among them, by the IRIs of the papers."""
    files = sorted(
        [*(SHIPPED_FOLDER / "data/papers").glob("*.ttl"), *(SHIPPED_FOLDER / "data/examples").glob("*.ttl")]
    )
    found: dict[str, frozenset[str]] = {}
    for one in read_shipped_turtle(files):
        if one.predicate == PAPER_TITLE_PREDICATE and text_of_term(one.subject).startswith(PAPERS_NAMESPACE):
            found[text_of_term(one.subject)] = found.get(text_of_term(one.subject), frozenset()) | {
                text_of_term(one.object)
            }
    return found


def read_shipped_turtle(paths: Iterable[object]) -> tuple[ox.Triple, ...]:
    """The triples of Turtle files."""
    return tuple(
        quad.triple
        for path in paths
        for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    )


def text_of_term(term: Any) -> str:
    """The IRI or text of a term, or the name of a blank node."""
    return str(term.value)


@cache
def declared_terms() -> frozenset[str]:
    """The IRIs of the terms that the ontology declares."""
    named = {text_of_term(one.subject) for one in shipped_ontology() if one.predicate == RDF_TYPE}
    return frozenset(one for one in named if one.startswith(namespaces.WGIG_TERMS_NAMESPACE))


@lru_cache(maxsize=1000)  # what users write has no end
def find_near_term(iri: str) -> str | None:
    """The declared term whose spelling is nearest to that of an unknown one; None where none is near."""
    names = [one.removeprefix(namespaces.WGIG_TERMS_NAMESPACE) for one in sorted(declared_terms())]
    near = get_close_matches(iri.removeprefix(namespaces.WGIG_TERMS_NAMESPACE), names, 1, cutoff=0.75)
    return namespaces.WGIG_TERMS_NAMESPACE + near[0] if near else None


def read_inference_rules() -> list[str]:
    """The inference rules, as SPARQL."""
    return [path.read_text("utf-8") for path in sorted((SHIPPED_FOLDER / "data" / "rules").glob("*.rq"))]
