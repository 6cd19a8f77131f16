"""The RDF files in the package ("shipped"): the ontology, facts, papers and inference rules.

`declared_terms` are the terms that papers may use, and `find_near_term` suggests one for a misspelled term.
`read_inference_rules` returns the inference rules as SPARQL.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path

import pyoxigraph as ox
from wgig_client.literals import term_text

from ..settings import SHIPPED_FOLDER
from ..text import find_near_names, slugify_words
from .namespaces import (
    DCTERMS_TITLE,
    ID_NAMESPACE,
    PAPER_NAMESPACE,
    RDF_TYPE,
    WGIG_NAMESPACE,
    expand_curie,
)

WGIG_GOVERNANCE_MECHANISM = expand_curie("wgig:GovernanceMechanism")
MECHANISM_NAME_PROPERTIES = frozenset(map(expand_curie, ("foaf:name", "rdfs:label", "skos:altLabel")))
ABBREVIATED_NAME_PATTERN = re.compile(r"(.*\S) \(([^()]+)\)")  # of a body or instrument
SHIPPED_GRAPHS_TITLE = "Shipped graphs of wgig "  # of a commit that stores them; the version follows
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


@cache
def example_paper_texts() -> Mapping[str, str]:
    """The texts of the example papers, which are not in the store, as Markdown, by IRI of the paper."""
    paths = SHIPPED_FOLDER.glob("data/examples/*.md")
    return {f"{PAPER_NAMESPACE}example-{path.stem}": path.read_text(encoding="utf-8") for path in paths}


@cache
def shipped_mechanisms() -> Mapping[str, str]:
    """The IRI of each body or instrument that governs (wgig:GovernanceMechanism), by the slugs of its names.

    A name is the path below id/, its last segment, a label, and what a label has in parentheses: `ICANN` and
    `agent/icann`, `GAC` and `Governmental Advisory Committee`.
    """
    mechanisms = {
        triple.subject
        for triple in shipped_facts()
        if triple.predicate == RDF_TYPE and triple.object == WGIG_GOVERNANCE_MECHANISM
    }
    iris_by_slug: dict[str, str] = {}
    for iri in sorted(map(term_text, mechanisms)):
        path = iri.removeprefix(ID_NAMESPACE)
        iris_by_slug |= dict.fromkeys(map(slugify_words, (path, path.rpartition("/")[2])), iri)
    for triple in shipped_facts():
        if triple.predicate in MECHANISM_NAME_PROPERTIES and triple.subject in mechanisms:
            name = term_text(triple.object)
            match = ABBREVIATED_NAME_PATTERN.fullmatch(name)
            for slug in filter(None, map(slugify_words, (name, *(match.groups() if match else ())))):
                iris_by_slug.setdefault(slug, term_text(triple.subject))
    return iris_by_slug


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
