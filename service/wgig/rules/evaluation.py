"""Evaluate rules: what follows from triples, in rounds, until nothing new follows.

OWL 2 RL is evaluated by owlrl, SHACL rules by pySHACL, and CONSTRUCT queries by Oxigraph. Of the two
reasoners for OWL 2 RL, reasonable is 100 times faster (5,000 triples: 0.14 s of CPU instead of 14 s), but has
no property chains, keys, cardinalities and enumerations, and does not report contradictions. owlrl has them,
and pySHACL requires it.

Rules that never end are stopped at MAX_ROUNDS, or at the number of triples. For a limit on time, evaluate
rules in a process that can be killed.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import pyoxigraph as ox
import rdflib
from wgig_client.namespaces import XSD_NAMESPACE

from ..problems import Problem
from ..processes import end_with_parent
from ..rdf.namespaces import OWL_NAMESPACE, RDF_NAMESPACE, RDF_TYPE, RDFS_NAMESPACE
from ..settings import Settings
from ..shacl.pyshacl_engine import (
    build_rdflib_graph,
    convert_from_rdflib,
    convert_to_rdflib,
    restore_normalization,
)
from ..text import shorten_untrusted_text
from ..validation.shapes_graph import ShapesGraph
from .rule_set import OWL_RULES_TITLE, RuleFile, RuleQuery, RuleSet, parse_rules

MAX_ROUNDS = 1000
ENDLESS_ADVICE = (
    "Rules that make a new node or value in each round never end: add a condition, such as FILTER NOT EXISTS"
)
BUILT_IN_NAMESPACES = (RDF_NAMESPACE, RDFS_NAMESPACE, OWL_NAMESPACE, XSD_NAMESPACE)
# Everything is an instance, and each class a subclass, of these.
UNIVERSAL_CLASSES = (
    ox.NamedNode(f"{OWL_NAMESPACE}Thing"),
    ox.NamedNode(f"{RDFS_NAMESPACE}Resource"),
)
# owlrl states contradictions with this vocabulary.
ERROR_NAMESPACE = "http://www.daml.org/2002/03/agents/agent-ont#"
MAX_CONTRADICTIONS = 10
CHILD_PRIORITY = 10  # nice, so that requests go first


class InferenceResult(NamedTuple):
    """The triples that follow and are not stated, contradictions in words, and the number of rounds."""

    triples: list[ox.Triple]
    contradictions: list[str]
    rounds: int


class RuleStep(Protocol):
    """One kind of rules, with the triples that it has seen."""

    def apply(self, added: Iterable[ox.Triple]) -> Iterable[ox.Triple]:
        """What follows after triples were added; it may include what is already known."""


def evaluate_in_process(
    files: Sequence[RuleFile], data: bytes, settings: Settings, parent: int
) -> InferenceResult:
    """What follows from N-Triples by the rules, in a process of its own. Raises Problem."""
    end_with_parent(parent)
    os.nice(CHILD_PRIORITY)
    triples: Iterator[ox.Triple] = (quad.triple for quad in ox.parse(data, ox.RdfFormat.N_TRIPLES))
    prefix = make_blank_prefix(settings.rules_graph_iri)
    return evaluate_rules(parse_rules(files, settings), triples, settings.rules_triples, prefix)


def evaluate_rules(
    rules: RuleSet,
    stated: Iterable[ox.Triple],
    max_triples: int,
    blank_prefix: str,
    report: Callable[[int], None] = lambda _: None,
) -> InferenceResult:
    """What follows from the stated triples by the rules, and is not stated.

    New blank nodes get labels with the prefix, the same each time that the same follows. `report` is called
    with the number of triples after each round. Raises Problem 422 for rules that do not end within the
    limits, or that an engine cannot evaluate.
    """
    owl = OwlStep() if rules.has_owl else None
    steps: list[RuleStep] = [
        *([owl] if owl else []),
        *([ShaclStep(rules.shapes, rules.shapes_names)] if rules.shapes else []),
        *([QueryStep(rules.queries)] if rules.queries else []),
    ]
    stated = set(stated)
    new, added = set[ox.Triple](), stated
    for round_number in range(1, MAX_ROUNDS + 1):
        found = set[ox.Triple]()
        for step in steps:
            for triple in step.apply(added):
                if triple not in stated and triple not in new:
                    found.add(triple)
                    if len(new) + len(found) > max_triples:
                        raise Problem(
                            422,
                            f"More than {max_triples} triples follow by the rules, in {round_number} rounds. "
                            f"{ENDLESS_ADVICE}, or increase WGIG_RULES_TRIPLES.",
                        )
        new |= found
        report(len(new))
        if not found or steps == [owl]:  # OWL 2 RL alone is complete after one round
            contradictions = owl.contradictions[:MAX_CONTRADICTIONS] if owl else []
            return InferenceResult(name_new_nodes(stated, new, blank_prefix), contradictions, round_number)
        added = found
    raise Problem(
        422,
        f"The rules have not ended after {MAX_ROUNDS} rounds, as each of them made new triples. "
        f"{ENDLESS_ADVICE}.",
    )


class QueryStep:
    """CONSTRUCT queries, evaluated by Oxigraph."""

    def __init__(self, queries: Sequence[RuleQuery]) -> None:
        """Take admitted queries."""
        self.queries, self.store = queries, ox.Store()

    def apply(self, added: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
        """The results of all queries. Raises Problem 422."""
        self.store.extend(ox.Quad(*triple) for triple in added)
        for query in self.queries:
            try:
                yield from self.store.query(query.text)  # type: ignore[misc]  # a CONSTRUCT query has triples
            except (SyntaxError, ValueError, RuntimeError) as error:
                raise build_evaluation_problem(error, query.name) from error


class ShaclStep:
    """SHACL rules, evaluated by pySHACL."""

    def __init__(self, shapes: ShapesGraph, names: Sequence[str]) -> None:
        """Take admitted shapes with rules, and the names of their files."""
        self.shapes, self.graph = build_rdflib_graph(shapes.triples), rdflib.Graph()
        self.names = ", ".join(names)

    def apply(self, added: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
        """The triples of one application of each rule, in their order. Raises Problem 422."""
        import pyshacl  # noqa: PLC0415  takes 0.1 s
        from rdflib.plugins import sparql  # noqa: PLC0415

        sparql.SPARQL_LOAD_GRAPHS = False  # a second defense: no admitted query has FROM
        with use_rdflib(self.graph, added, self.names):
            before = set(self.graph)
            pyshacl.shacl_rules(self.graph, shacl_graph=self.shapes, inplace=True)
        return iter_valid_triples(set(self.graph) - before)


class OwlStep:
    """OWL 2 RL, evaluated by owlrl."""

    def __init__(self) -> None:
        """Start without triples."""
        self.graph = rdflib.Graph()
        self.contradictions = list[str]()

    def apply(self, added: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
        """The closure, without what is true of any data. Raises Problem 422."""
        import owlrl  # noqa: PLC0415  takes 0.1 s

        error_property = rdflib.URIRef(f"{ERROR_NAMESPACE}error")
        with use_rdflib(self.graph, added, OWL_RULES_TITLE):
            before = set(self.graph)
            owlrl.DeductiveClosure(
                owlrl.OWLRL_Semantics, axiomatic_triples=False, datatype_axioms=False
            ).expand(self.graph)
            errors = dict(self.graph.subject_objects(error_property))
            self.contradictions = sorted(shorten_untrusted_text(str(text), 300) for text in errors.values())
            for node in errors:
                self.graph.remove((node, None, None))
        return filter(is_informative, iter_valid_triples(set(self.graph) - before))


@contextmanager
def use_rdflib(graph: rdflib.Graph, added: Iterable[ox.Triple], names: str) -> Iterator[None]:
    """Add triples to a graph, and turn all errors in the block into Problem 422, which names the rules."""
    previous_level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # rdflib logs each ill-typed literal
    try:
        with restore_normalization():
            rdflib.NORMALIZE_LITERALS = False
            for triple in added:
                subject, predicate, object_ = map(convert_to_rdflib, triple)
                graph.add((subject, predicate, object_))
            yield
    except MemoryError:
        raise
    except Exception as error:  # rdflib and the reasoners raise Exception itself
        raise build_evaluation_problem(error, names) from error
    finally:
        logging.disable(previous_level)


def build_evaluation_problem(error: Exception, names: str) -> Problem:
    """The Problem 422 for rules with these names that an engine cannot evaluate, with its reason."""
    reason = shorten_untrusted_text(str(getattr(error, "message", error)).strip(), 500)
    return Problem(422, f"{names}: The rules cannot be evaluated: {reason.rstrip('.')}.")


def iter_valid_triples(triples: Iterable[Any]) -> Iterator[ox.Triple]:
    """The triples of rdflib that are valid RDF: reasoners also state some about literals."""
    for subject, predicate, object_ in triples:
        if not isinstance(subject, rdflib.Literal) and isinstance(predicate, rdflib.URIRef):
            yield ox.Triple(*map(convert_from_rdflib, (subject, predicate, object_)))


def is_informative(triple: ox.Triple) -> bool:
    """Whether a triple is not true of any data, such as `x owl:sameAs x` or `x a owl:Thing`."""
    subject, predicate, object_ = triple
    is_about_class = predicate == RDF_TYPE or predicate.value == f"{RDFS_NAMESPACE}subClassOf"
    return not (
        subject == object_
        or (isinstance(subject, ox.NamedNode) and subject.value.startswith(BUILT_IN_NAMESPACES))
        or (is_about_class and object_ in UNIVERSAL_CLASSES)
    )


def name_new_nodes(stated: set[ox.Triple], new: set[ox.Triple], prefix: str) -> list[ox.Triple]:
    """The new triples; blank nodes that are not in the stated ones get canonical labels with the prefix."""
    known = {term for triple in stated for term in triple if isinstance(term, ox.BlankNode)}
    unknown = {term for triple in new for term in triple if isinstance(term, ox.BlankNode)} - known
    if not unknown:
        return list(new)
    # Known nodes are IRIs meanwhile, so that their labels remain.
    names: dict[Any, Any] = {node: ox.NamedNode(f"urn:wgig:node:{node.value}") for node in known}
    nodes = {name: node for node, name in names.items()}
    dataset = ox.Dataset(ox.Quad(*(names.get(term, term) for term in triple)) for triple in new)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)

    def rename(term: Any) -> Any:
        is_new = isinstance(term, ox.BlankNode)
        return ox.BlankNode(prefix + term.value) if is_new else nodes.get(term, term)

    return [ox.Triple(*map(rename, quad.triple)) for quad in dataset]


def make_blank_prefix(graph: str) -> str:
    """The prefix of labels of new blank nodes in a graph, which no other graph has."""
    return f"r{hashlib.sha256(graph.encode()).hexdigest()[:16]}"
