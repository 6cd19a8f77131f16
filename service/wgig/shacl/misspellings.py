"""Misspelled names, and what a paper would state if its author followed the suggestions.

One slip can break several rules: of a paper with `wgig:forums`, the term is unknown, and the forum is
missing. A report leaves out what goes away when the name is corrected, so that each slip has one message.
"""

from collections.abc import Iterable
from dataclasses import replace

import pyoxigraph as ox

from ..rdf.namespaces import expand_curie
from .documents import Document
from .results import Term, ValidationResult
from .suggestions import (
    ALLOWED_IRIS,
    MAX_SUGGESTED_NAMES,
    UNKNOWN_TERM_CODE,
    find_nearest_name,
    find_nearest_term,
)
from .summary import PaperSummary

CITED_PASSAGE_CODE = "WGIG-7-CITATION-UNKNOWN"
# In place of a passage that does not exist and resembles none: that of the example of the rule.
EXAMPLE_PASSAGE = expand_curie("declaration:48")

# The rules about names that are unknown, without those about mechanisms, which may be those of the paper.
CORRECTED_CODES = {UNKNOWN_TERM_CODE, *ALLOWED_IRIS}

Misspellings = dict[Term, ox.NamedNode]  # the names that were probably meant, by unknown name


def find_misspellings(document: Document, summaries: Iterable[PaperSummary]) -> Misspellings:
    """At most MAX_SUGGESTED_NAMES unknown names of the papers of a document, with those probably meant."""
    names = {
        (result.code, result.value): result
        for summary in summaries
        for result in summary.results
        if result.code in CORRECTED_CODES
        and result.code not in summary.waiver_reasons
        and result.value not in document.numbers_by_subject
    }
    misspellings: Misspellings = {}
    for _, result in sorted(names.items(), key=str)[:MAX_SUGGESTED_NAMES]:
        if corrected := find_corrected_node(document, result):
            misspellings[result.value] = corrected
    return misspellings


def find_corrected_node(document: Document, result: ValidationResult) -> ox.NamedNode | None:
    """The node that was probably meant by an unknown name.

    None if none is near, or if the value is a literal with an unknown datatype.
    """
    is_term = result.code == UNKNOWN_TERM_CODE
    if is_term and isinstance(result.value, ox.Literal):  # the unknown term is its datatype
        return None
    iri = find_nearest_term(result) if is_term else find_nearest_name(document, result)
    if iri:
        return ox.NamedNode(iri)
    return EXAMPLE_PASSAGE if result.code == CITED_PASSAGE_CODE else None


def correct_document(document: Document, misspellings: Misspellings) -> Document:
    """The document with the corrected properties and objects. Its triples have no positions."""
    triples = [
        ox.Triple(
            triple.subject,
            misspellings.get(triple.predicate, triple.predicate),
            misspellings.get(triple.object, triple.object),
        )
        for triple in document.triples
    ]
    return replace(document, triples=triples, find_positions=list)
