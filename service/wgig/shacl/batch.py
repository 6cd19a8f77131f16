"""Many documents checked in one go: those that have nothing to do with each other share a call of the engine.

An engine is asked about a graph, and half of what a call costs is the same for a graph of one paper or of
many. Papers of one graph may change what is found in each other, though. So only documents that stand apart
are put together; each of the others is checked by itself, and what is found is what `check_document` finds.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain

import pyoxigraph as ox

from ..problems import Problem
from ..rdf import namespaces
from ..settings import Settings
from . import rules, vocabulary
from .check import build_check_report, check_document, engine_input_triples
from .documents import Document
from .engines import get_shacl_engine
from .findings import CheckOutcome, Report, UncheckedFile
from .results import Term, ValidationResult

DocumentsByTarget = dict[tuple[str, Term], set[int]]


def check_documents(
    documents: Sequence[Document], profile: str = "complete", by: str = Settings.shacl
) -> list[CheckOutcome]:
    """What `check_document` finds in each, in their order; an `UncheckedFile` where no paper is in one."""
    apart = find_independent_documents(documents)
    found = {
        id(one): results for one, results in zip(apart, find_results_by_document(apart, by), strict=True)
    }
    return [document_outcome(one, profile, by, found.get(id(one))) for one in documents]


def document_outcome(
    document: Document, profile: str, by: str, found: Iterable[ValidationResult] | None = None
) -> Report | UncheckedFile:
    """The report on a document, from what was found in it; `UncheckedFile` where no paper is in it."""
    try:
        return (
            check_document(document, profile, by)
            if found is None
            else build_check_report(document, profile, found)
        )
    except Problem as problem:
        return UncheckedFile(document.name, problem)


def find_independent_documents(documents: Sequence[Document]) -> list[Document]:
    """The documents that cannot change what is found in another one.

    Nothing that such a document describes is named in another document or in what is known. What its
    statements point to is its own where a rule looks along them backwards, so that no rule comes from
    something shared into the document.
    """
    seen, shared = set[Term](), set[Term]()
    for one in documents:
        nodes = one.object_nodes.union(one.numbers_by_subject)
        shared |= seen & nodes
        seen |= nodes
    return [
        one
        for one in documents
        if shared.isdisjoint(one.numbers_by_subject)
        and known_nodes().isdisjoint(one.numbers_by_subject)
        and all(
            triple.object in one.numbers_by_subject
            for triple in one.iter_property_triples(inverse_path_properties())
        )
    ]


@cache
def known_nodes() -> frozenset[Term]:
    """The nodes of the rules and of what a paper may refer to."""
    triples = [*rules.read_shape_triples(), *vocabulary.vocabulary_triples()]
    ends = (one.object for one in triples if not isinstance(one.object, ox.Literal))
    return frozenset(one.subject for one in triples).union(ends)


@cache
def inverse_path_properties() -> frozenset[ox.NamedNode]:
    """The properties that a rule looks along from the object to the subject."""
    inverse = f"{namespaces.SH_NAMESPACE}inversePath"
    return frozenset(one.object for one in rules.read_shape_triples() if one.predicate.value == inverse)  # type: ignore[misc]


def find_results_by_document(apart: Sequence[Document], by: str) -> list[list[ValidationResult]]:
    """What an engine finds in each of the documents, which stand apart."""
    shares: list[list[ValidationResult]] = [[] for _ in apart]
    if not apart:
        return shares
    found = get_shacl_engine(by)(chain.from_iterable(map(engine_input_triples, apart)))
    owner = {subject: number for number, one in enumerate(apart) for subject in one.numbers_by_subject}
    pointing = build_target_index(apart) if any(result.focus not in owner for result in found) else {}
    for result in found:
        for number in find_concerned_documents(result, owner, pointing):
            shares[number].append(result)
    return shares


def find_concerned_documents(
    result: ValidationResult, owner: Mapping[Term, int], pointing: DocumentsByTarget
) -> Iterable[int]:
    """The numbers of the documents that a result is about: several where they point to the same thing."""
    if result.focus in owner:
        return {owner[result.focus]}
    return {
        number
        for step in rules.rules_by_code()[result.code].steps
        for number in pointing.get((step, result.focus), ())
    }


def build_target_index(apart: Sequence[Document]) -> DocumentsByTarget:
    """The numbers of the documents that point to a node by a step of a rule."""
    found: DocumentsByTarget = {}
    for number, one in enumerate(apart):
        for triple in one.iter_property_triples(rule_step_properties()):
            found.setdefault((triple.predicate.value, triple.object), set()).add(number)
    return found


@cache
def rule_step_properties() -> frozenset[ox.NamedNode]:
    """The properties that lead from a paper to what a rule looks at."""
    return frozenset(ox.NamedNode(step) for rule in rules.rules_by_code().values() for step in rule.steps)
