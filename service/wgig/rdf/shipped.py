"""The RDF files in the package ("shipped"): the ontology, facts, papers and inference rules.

`declared_terms` are the terms that papers may use, and `find_near_term` suggests one for a misspelled term.
`read_inference_rules` returns the inference rules as SPARQL.
"""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path

import pyoxigraph as ox

from ..settings import SHIPPED_FOLDER
from ..text import find_near_names
from .literals import term_text
from .namespaces import DCTERMS_TITLE, PAPER_NAMESPACE, RDF_TYPE, WGIG_NAMESPACE

MIN_TERM_SIMILARITY = 0.75  # of a misspelled term to the declared one, at most 1


@cache
def shipped_facts() -> tuple[ox.Triple, ...]:
    """The triples of data/*.ttl: the facts without the papers, which are in subfolders."""
    return shipped_triples("data/*.ttl")


@cache
def shipped_ontology() -> tuple[ox.Triple, ...]:
    """The triples of the ontology."""
    return shipped_triples("ontology/*.ttl")


@cache
def shipped_paper_titles() -> Mapping[str, frozenset[str]]:
    """The titles of the shipped papers, including the example papers, by IRI of the paper."""
    titles: dict[str, frozenset[str]] = {}
    for triple in shipped_triples("data/papers/*.ttl", "data/examples/*.ttl"):
        subject = term_text(triple.subject)
        if triple.predicate == DCTERMS_TITLE and subject.startswith(PAPER_NAMESPACE):
            titles[subject] = titles.get(subject, frozenset()) | {term_text(triple.object)}
    return titles


def shipped_triples(*patterns: str) -> tuple[ox.Triple, ...]:
    """The triples of the shipped Turtle files whose paths match a pattern, in the order of their names."""
    return tuple(
        read_turtle_files(path for pattern in patterns for path in sorted(SHIPPED_FOLDER.glob(pattern)))
    )


def read_turtle_files(paths: Iterable[Path]) -> list[ox.Triple]:
    """The triples of Turtle files, with distinct blank nodes for each file."""
    return [
        quad.triple
        for path in paths
        for quad in ox.parse(path=path, format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    ]


@cache
def declared_terms() -> frozenset[str]:
    """The IRIs of the terms that the ontology declares."""
    subjects = {term_text(triple.subject) for triple in shipped_ontology() if triple.predicate == RDF_TYPE}
    return frozenset(iri for iri in subjects if iri.startswith(WGIG_NAMESPACE))


@lru_cache(maxsize=1000)  # limited, as the IRIs come from users
def find_near_term(iri: str) -> str | None:
    """The declared term with the most similar spelling to an unknown term; None if none is similar."""
    names = [term.removeprefix(WGIG_NAMESPACE) for term in sorted(declared_terms())]
    matches = find_near_names(iri.removeprefix(WGIG_NAMESPACE), names, similarity=MIN_TERM_SIMILARITY)
    return WGIG_NAMESPACE + matches[0] if matches else None


def read_inference_rules() -> list[str]:
    """The SPARQL texts of the inference rules, sorted by file name."""
    return [path.read_text("utf-8") for path in sorted((SHIPPED_FOLDER / "data" / "rules").glob("*.rq"))]
