"""Check many documents with few calls of the engine: independent documents share one call.

Half of the time of an engine call is the same for a graph of one paper or of many. But papers in one graph
may change each other's results. So only independent documents are merged into one graph, and each of the
others is checked alone. The results are those of `check_document`.
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

# By the IRI of a property and a node: the documents (their indexes) that refer to the node by the property.
NumbersByTarget = dict[tuple[str, Term], set[int]]


def check_documents(
    documents: Sequence[Document], profile: str = "complete", engine_name: str = Settings.shacl
) -> list[CheckOutcome]:
    """The report of `check_document` on each document, in order; `UncheckedFile` for one without a paper."""
    independent_documents = find_independent_documents(documents)
    results_by_id = {
        id(document): results
        for document, results in zip(
            independent_documents, find_results_by_document(independent_documents, engine_name), strict=True
        )
    }
    return [
        document_outcome(document, profile, engine_name, results_by_id.get(id(document)))
        for document in documents
    ]


def document_outcome(
    document: Document, profile: str, engine_name: str, results: Iterable[ValidationResult] | None = None
) -> Report | UncheckedFile:
    """The report from these results or else from a check; `UncheckedFile` for a document without a paper."""
    try:
        return (
            check_document(document, profile, engine_name)
            if results is None
            else build_check_report(document, profile, results, engine_name)
        )
    except Problem as problem:
        return UncheckedFile(document.name, problem)


def find_independent_documents(documents: Sequence[Document]) -> list[Document]:
    """The documents that cannot change the results of another document.

    No other document and no bundled data refers to a subject of such a document. The objects of each property
    that a rule follows from object to subject are subjects of the same document. So no rule reaches the
    document from a shared node.
    """
    seen_nodes, shared_nodes = set[Term](), set[Term]()
    for document in documents:
        nodes = document.object_nodes.union(document.numbers_by_subject)
        shared_nodes |= seen_nodes & nodes
        seen_nodes |= nodes
    return [
        document
        for document in documents
        if shared_nodes.isdisjoint(document.numbers_by_subject)
        and known_nodes().isdisjoint(document.numbers_by_subject)
        and all(
            triple.object in document.numbers_by_subject
            for triple in document.iter_property_triples(inverse_path_properties())
        )
    ]


@cache
def known_nodes() -> frozenset[Term]:
    """The IRIs and blank nodes in the triples of the shapes and of the vocabulary, the bundled data."""
    triples = [*rules.read_shape_triples(), *vocabulary.vocabulary_triples()]
    objects = (triple.object for triple in triples if not isinstance(triple.object, ox.Literal))
    return frozenset(triple.subject for triple in triples).union(objects)


@cache
def inverse_path_properties() -> frozenset[ox.NamedNode]:
    """The properties that a rule follows from object to subject."""
    inverse = f"{namespaces.SH_NAMESPACE}inversePath"
    return frozenset(
        triple.object  # type: ignore[misc]
        for triple in rules.read_shape_triples()
        if triple.predicate.value == inverse
    )


def find_results_by_document(documents: Sequence[Document], engine_name: str) -> list[list[ValidationResult]]:
    """The results of an engine for each of these independent documents, in their order."""
    results_by_document: list[list[ValidationResult]] = [[] for _ in documents]
    if not documents:
        return results_by_document
    results = get_shacl_engine(engine_name)(chain.from_iterable(map(engine_input_triples, documents)))
    number_by_subject = {
        subject: number
        for number, document in enumerate(documents)
        for subject in document.numbers_by_subject
    }
    numbers_by_target = (
        build_target_index(documents)
        if any(result.focus not in number_by_subject for result in results)
        else {}
    )
    for result in results:
        for number in find_concerned_documents(result, number_by_subject, numbers_by_target):
            results_by_document[number].append(result)
    return results_by_document


def find_concerned_documents(
    result: ValidationResult, number_by_subject: Mapping[Term, int], numbers_by_target: NumbersByTarget
) -> Iterable[int]:
    """The numbers of the documents that a result is about: several if they refer to the same node."""
    if result.focus in number_by_subject:
        return {number_by_subject[result.focus]}
    return {
        number
        for step in rules.rules_by_code()[result.code].steps
        for number in numbers_by_target.get((step, result.focus), ())
    }


def build_target_index(documents: Sequence[Document]) -> NumbersByTarget:
    """The numbers of the documents that refer to a node by a property in the `steps` of a rule."""
    numbers_by_target: NumbersByTarget = {}
    for number, document in enumerate(documents):
        for triple in document.iter_property_triples(rule_step_properties()):
            numbers_by_target.setdefault((triple.predicate.value, triple.object), set()).add(number)
    return numbers_by_target


@cache
def rule_step_properties() -> frozenset[ox.NamedNode]:
    """The properties that lead from a paper to the focus nodes of rules."""
    return frozenset(ox.NamedNode(step) for rule in rules.rules_by_code().values() for step in rule.steps)
