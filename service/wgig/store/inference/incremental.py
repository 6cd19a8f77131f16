"""Incremental inference (delete and rederive): computes how inferred triples change after a change of quads.

First, the inferred triples that may depend on removed triples are deleted, transitively ("overdeleted"). Then
the deleted triples that still follow are added again ("rederived"), then the triples that follow from added
ones. Rules are evaluated only on triples that match their premises together with a triple of the change.

A rule also consults triples that are not premises, such as those within EXISTS (see `rule`). The result is
the same as that of running the rules over everything, because rules use negation only for consulted triples.
If consulted triples change, nothing is computed here (None).
"""

import math
from collections.abc import Iterable, Iterator, Set
from itertools import chain
from typing import Any

import pyoxigraph as ox

from ...rdf.serialization import build_quad
from ..change import Change
from ..overlay import QuadSource
from .evaluation import RuleEvaluator, TripleIndex
from .plan import StepCounter, Triples
from .rule import InferenceRule, RdfTerm


class IncrementalReasoner:
    """Computes the changes of the inferred graph of a store."""

    def __init__(
        self,
        rules: Iterable[InferenceRule],
        graph: ox.NamedNode,
        ignored_graphs: Set[ox.NamedNode] = frozenset(),
    ) -> None:
        """Take the rules, the name of the inferred graph, and the graphs whose triples no rule sees."""
        self.rules, self.graph, self.ignored_graphs = tuple(rules), graph, ignored_graphs
        self.consulted_properties = {
            property_ for rule in self.rules for property_ in rule.consulted_properties
        }
        self.evaluator: RuleEvaluator | None = None

    def compute_difference(
        self, quads: QuadSource, change: Change, max_steps: float = math.inf
    ) -> tuple[Triples, Triples] | None:
        """The inferred triples to remove and to add after a change of the other graphs, not yet applied.

        The change must be exact. The result is None if the change affects triples that a rule consults.
        Raises InferenceTooLargeError after `max_steps`.
        """
        counter = StepCounter(max_steps)
        if self.touches_consulted(change.removed) or self.touches_consulted(change.added):
            if max_steps < math.inf:
                self.count_least_steps(quads, change, counter)
            return None
        added, removed = self.list_triples(change.added), self.list_triples(change.removed)
        evaluator = self.prepare_evaluator(quads)
        before = ReasoningState(quads, self.ignored_graphs, counter, evaluator)
        after = ReasoningState(quads, self.ignored_graphs, counter, evaluator, change)
        lost = self.find_lost(removed - added, quads, change, evaluator) if removed else set[ox.Triple]()
        overdeleted = self.overdelete(lost, added, before, evaluator)
        after.exclude({build_quad(triple, self.graph) for triple in overdeleted})
        rederived = evaluator.find_supported(lost | overdeleted, after) if lost else set[ox.Triple]()
        inferred = self.infer_added(added, rederived, after, evaluator)
        if self.touches_consulted(overdeleted) or self.touches_consulted(inferred):
            return None
        newly_asserted = {
            triple
            for triple in added
            if evaluator.conclusions.may_match(triple)
            and after.has_stored_subject(triple.subject)
            and build_quad(triple, self.graph) in quads
        }
        return (overdeleted - inferred) | newly_asserted, inferred - overdeleted

    def find_lost(
        self, removed: Triples, quads: QuadSource, change: Change, evaluator: RuleEvaluator
    ) -> Triples:
        """The removed triples that no other graph asserts, if they matter to a rule."""
        ignored_graphs = {*self.ignored_graphs, self.graph}
        asserted = ReasoningState(quads, ignored_graphs, StepCounter())
        asserted.exclude(set(change.removed))
        return {
            triple
            for triple in removed
            if (evaluator.premises.may_match(triple) or evaluator.conclusions.may_match(triple))
            and not asserted.holds(triple)
        }

    def overdelete(
        self, lost: Triples, added: Triples, before: "ReasoningState", evaluator: RuleEvaluator
    ) -> Triples:
        """The inferred triples that may depend on lost triples, except those that are asserted now."""
        overdeleted: Triples = set()
        new = lost
        while new:
            results = evaluator.conclude(new, before) - overdeleted - added
            new = {triple for triple in results if build_quad(triple, self.graph) in before.quads}
            overdeleted |= new
        return overdeleted

    def infer_added(
        self, added: Triples, rederived: Triples, after: "ReasoningState", evaluator: RuleEvaluator
    ) -> Triples:
        """The rederived triples, and those that follow from these and the added ones and do not hold yet."""
        after.add(rederived)
        inferred = set(rederived)
        new = added | rederived
        while new:
            new = {triple for triple in evaluator.conclude(new, after) if not after.holds(triple)}
            after.add(new)
            inferred |= new
        return inferred

    def forget(self) -> None:
        """Drop the evaluator, as consulted triples may have changed."""
        self.evaluator = None

    def list_triples(self, quads: Iterable[ox.Quad]) -> Triples:
        """The triples of the quads, without those that no rule sees."""
        return {quad.triple for quad in quads if quad.graph_name not in self.ignored_graphs}

    def touches_consulted(self, statements: Iterable[ox.Quad | ox.Triple]) -> bool:
        """Whether a rule consults the property of one of the statements."""
        return any(statement.predicate in self.consulted_properties for statement in statements)

    def prepare_evaluator(self, quads: QuadSource) -> RuleEvaluator:
        """The evaluator for the triples that the rules consult now, made on first use."""
        if self.evaluator is None:
            self.evaluator = RuleEvaluator(
                self.rules, ReasoningState(quads, self.ignored_graphs, StepCounter()).find_facts
            )
        return self.evaluator

    def count_least_steps(self, quads: QuadSource, change: Change, counter: StepCounter) -> None:
        """Count the steps that inference from added triples takes when the rules run over everything.

        The engine finds all pairs of terms that a path connects before the first result, so these are counted
        first. Raises InferenceTooLargeError.
        """
        evaluator, added = self.prepare_evaluator(quads), self.list_triples(change.added)
        self.forget()
        state = ReasoningState(quads, self.ignored_graphs, counter, evaluator, change)
        for triple in added:
            if triple.predicate in self.consulted_properties:
                below = find_connected_terms(triple.subject, triple.predicate, state, is_above=False)
                above = find_connected_terms(triple.object, triple.predicate, state, is_above=True)
                counter.count_steps(len(below) * len(above))
        self.infer_added(added, set(), state, evaluator)


class ReasoningState:
    """The triples that hold in a state: those of quads after a change, and those that were inferred.

    Without a change, the state is that of the quads.
    """

    def __init__(
        self,
        quads: QuadSource,
        ignored_graphs: Set[ox.NamedNode],
        counter: StepCounter,
        evaluator: RuleEvaluator | None = None,
        change: Change | None = None,
    ) -> None:
        """Take the quads before the change, the graphs that do not count, and the counter of steps.

        The evaluator is needed to add triples.
        """
        self.quads, self.ignored_graphs, self.counter = quads, ignored_graphs, counter
        self.evaluator = evaluator
        self.removed: set[ox.Quad] = set(change.removed) if change else set()
        self.added: Triples = set()
        self.joined = TripleIndex()  # added triples that may be looked up
        self.stored_subjects = dict[Any, bool]()
        self.unmatched = set[tuple[Any, Any]]()  # pairs of property and object that no triple has
        if change:
            self.add(quad.triple for quad in change.added if quad.graph_name not in self.ignored_graphs)

    def add(self, triples: Iterable[ox.Triple]) -> None:
        """Add triples to those that hold."""
        assert self.evaluator
        for triple in triples:
            self.added.add(triple)
            if self.evaluator.joined.may_match(triple):
                self.joined.add(triple)

    def exclude(self, quads: Set[ox.Quad]) -> None:
        """Remove quads from those that hold."""
        self.removed |= quads

    def matches(self, subject: Any, predicate: Any, object_: Any) -> Iterator[ox.Triple]:
        """The triples with these terms; None matches any term."""
        if isinstance(subject, ox.Literal | ox.Triple) or not isinstance(predicate, ox.NamedNode | None):
            return
        added = self.joined.matches(subject, predicate, object_)
        for triple in chain(self.find_stored(subject, predicate, object_), added):
            self.counter.count_steps()
            yield triple

    def find_stored(self, subject: Any, predicate: Any, object_: Any) -> Iterator[ox.Triple]:
        """The triples with these terms in the quads."""
        if subject is None:
            if (predicate, object_) in self.unmatched:
                return
        elif predicate is not None and not self.has_stored_subject(subject):
            return
        is_matched = False
        for quad in self.quads.quads_for_pattern(subject, predicate, object_, None):
            if quad not in self.removed and quad.graph_name not in self.ignored_graphs:
                is_matched = True
                yield quad.triple
        if subject is None and not is_matched:
            self.unmatched.add((predicate, object_))

    def has_stored_subject(self, subject: Any) -> bool:
        """Whether the quads may have a triple about a subject.

        Most changes are about new or deleted resources, so this saves most look-ups.
        """
        if subject not in self.stored_subjects:
            self.stored_subjects[subject] = next(self.find_stored(subject, None, None), None) is not None
        return self.stored_subjects[subject]

    def find_facts(self, property_: ox.NamedNode) -> Triples:
        """All triples with a property in the quads."""
        return set(self.find_stored(None, property_, None))

    def holds(self, triple: ox.Triple) -> bool:
        """Whether a triple holds."""
        if triple in self.added:
            return True
        return next(self.find_stored(triple.subject, triple.predicate, triple.object), None) is not None


def find_connected_terms(
    term: RdfTerm, property_: ox.NamedNode, state: ReasoningState, *, is_above: bool
) -> set[RdfTerm]:
    """The term, and all terms that paths of this property lead to (`is_above`) or from."""
    connected, new = {term}, [term]
    while new:
        current = new.pop()
        triples = (
            state.matches(current, property_, None) if is_above else state.matches(None, property_, current)
        )
        for triple in triples:
            found = triple.object if is_above else triple.subject
            if found not in connected:
                connected.add(found)
                new.append(found)
    return connected
